"""A grid on a real cluster: submitted once, trained to the bits of an undisturbed process."""

import json
import os
import shutil
import signal
from types import SimpleNamespace

import pytest

from harness.execution.cluster.code_snapshot import COPIED_FOLDERS
from tests.support import slurm_jobs, tiny_grid
from tests.support.tiny_grid import ROOT

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(900)]
GRID = ("--methods", "kd,sp", "--seeds", "0,1")
LONG = ("--methods", "none", "--set", "recipe.epochs=80")  # 320 steps, so that it can be disturbed
MINE = """
from beside import factor
from methods import Method

class Mine(Method):
    name = label = "mine"
    paper = None

    def forward(self, student, teacher, labels):
        return student.pooled.square().mean() * factor()
"""


@pytest.fixture(scope="module")
def places(tmp_path_factory, cluster):
    """Everything that takes long, submitted side by side; the reference is trained meanwhile."""
    home = tmp_path_factory.mktemp("submit")
    place = SimpleNamespace(
        **{
            name: home / name
            for name in ("grid", "blocked", "outside", "own", "preempted", "killed", "alone")
        }
    )
    slurm_jobs.submit_here(cluster, place.preempted, *LONG, exclude="n1")
    for runs in (place.grid, place.alone, place.killed, place.blocked, place.outside, place.own):
        shutil.copytree(place.preempted / "data", runs / "data")
    disturb(place.preempted)
    options = ["--partition=urgent", "--exclusive", "--nodelist=n2", "--output=/dev/null"]
    cluster.call("sbatch", *options, "--wrap=sleep 3")
    undisturbed = slurm_jobs.start_alone(place.alone, *LONG)
    slurm_jobs.submit_here(cluster, place.killed, *LONG)
    os.kill(disturb(place.killed), signal.SIGKILL)
    place.outputs = [slurm_jobs.submit_here(cluster, place.grid, *GRID) for _ in range(2)]

    late = {"flags": {"begin": "now+10"}}
    slurm_jobs.submit_here(cluster, place.blocked, "--methods", "kd", **late)
    (place.blocked / "data").rename(place.blocked / "elsewhere")

    code = home / "code"
    code.mkdir()
    (code / "mine.py").write_text(MINE)
    (code / "beside.py").write_text("def factor():\n    return 0.5\n")
    slurm_jobs.submit(
        cluster, place.outside, "--methods", "mine:Mine", "--seeds", "3", path=code, **late
    )
    (code / "mine.py").write_text("raise RuntimeError('edited while queued')\n")
    (code / "beside.py").unlink()

    copy = home / "copy"
    for name in COPIED_FOLDERS:
        shutil.copytree(ROOT / name, copy / name)
    slurm_jobs.submit(cluster, place.own, "--methods", "sp", path=copy, **late)
    for name in ("harness/training/loop.py", "methods/sp.py"):
        (copy / name).write_text("raise RuntimeError('edited while queued')\n")
    slurm_jobs.finish(undisturbed)
    yield place
    cluster.call("scancel", "--me")


def end_states(cluster, runs):
    """The last states of a submission's jobs, as soon as all have ended."""

    def states():
        listed = [
            cluster.call("squeue", "--noheader", "--states=all", f"--jobs={job}", "--format=%T")
            for job in slurm_jobs.submitted(runs)
        ]
        return listed if not set(listed) & {"PENDING", "RUNNING", "COMPLETING"} else None

    return slurm_jobs.until(states)


def disturb(runs):
    """Wait until the one run is in the middle of its training; the process that trains."""
    return json.loads((slurm_jobs.training(runs) / "lease").read_text())["process"]


def assert_as_alone(place, runs):
    (key,) = slurm_jobs.records(place.alone)
    assert slurm_jobs.records(runs) == [key]
    tiny_grid.assert_same_run(key, place.alone, runs)


def test_a_preempted_job_continues_by_itself_to_the_same_bits(cluster, places):
    slurm_jobs.ended(cluster, places.preempted)
    log = slurm_jobs.logs(places.preempted)
    assert "=== attempt 1 of job" in log
    assert "=== attempt 2 of job" in log
    assert "Stopped as requested" in log
    assert_as_alone(places, places.preempted)
    assert len(slurm_jobs.submitted(places.preempted)) == 1


def test_a_killed_worker_is_submitted_again_and_ends_with_the_same_bits(cluster, places):
    slurm_jobs.ended(cluster, places.killed)
    assert "The worker ended with signal 9" in slurm_jobs.logs(places.killed)
    assert not slurm_jobs.records(places.killed)
    slurm_jobs.submit_here(cluster, places.killed, *LONG)
    slurm_jobs.ended(cluster, places.killed)
    assert_as_alone(places, places.killed)
    assert len(slurm_jobs.submitted(places.killed)) == 2


def test_a_grid_from_submission_to_records(cluster, places, tmp_path):
    first, second = places.outputs
    (group,) = slurm_jobs.groups(places.grid)
    assert f"submission {group['name']}: 7 runs in 3 jobs" in first
    assert "Nothing to submit" in second  # though it was only queued or running
    teacher, *students = group["jobs"]
    assert (teacher["after"], [job["after"] for job in students]) == ([], [[1], [1]])
    assert "_" not in teacher["job"]  # an array of one is a plain job
    array = students[0]["job"].partition("_")[0]
    assert [job["job"] for job in students] == [f"{array}_0", f"{array}_1"]
    slurm_jobs.ended(cluster, places.grid)
    assert len(slurm_jobs.records(places.grid)) == 7
    for key in slurm_jobs.records(places.grid):
        last = json.loads((places.grid / key / "job.json").read_text())
        assert (last["group"], last["job"]) in {(group["name"], j["job"]) for j in group["jobs"]}
    output = slurm_jobs.submit_here(cluster, places.grid, *GRID)
    assert "Nothing to submit. Next: kdreid report" in output
    shutil.copytree(places.grid / "data", tmp_path / "data")
    slurm_jobs.finish(slurm_jobs.start_alone(tmp_path, *GRID))
    for key in slurm_jobs.records(places.grid):
        tiny_grid.assert_same_run(key, tmp_path, places.grid)


def test_a_failed_teacher_leaves_its_students_cancelled(cluster, places):
    (group,) = slurm_jobs.groups(places.blocked)
    assert end_states(cluster, places.blocked) == ["FAILED", "CANCELLED"]
    teacher = group["jobs"][0]["runs"][0]
    failure = json.loads((places.blocked / teacher / "failure.json").read_text())
    assert failure["kind"] == "setup"
    assert "The data root" in failure["message"]
    assert "does not exist on this machine" in failure["message"]


def test_a_method_from_elsewhere_edited_while_queued_runs_as_submitted(cluster, places):
    slurm_jobs.ended(cluster, places.outside)
    done = slurm_jobs.records(places.outside)
    assert [key.split("/")[1] for key in done] == ["mine-Mine", "none", "none"]
    assert "edited while queued" not in slurm_jobs.logs(places.outside)


def test_our_own_code_edited_while_queued_changes_no_job(cluster, places):
    slurm_jobs.ended(cluster, places.own)
    assert [key.split("/")[1] for key in slurm_jobs.records(places.own)] == ["none", "none", "sp"]
    assert "edited while queued" not in slurm_jobs.logs(places.own)


HELD = {"flags": {"hold": True}}


def test_more_jobs_than_an_array_may_have_are_split(cluster, places, tmp_path):
    runs = tmp_path / "runs"
    shutil.copytree(places.alone / "data", runs / "data")
    many = ("--methods", "none", "--seeds", "0,1,2,3,4,5,6", "--max-parallel", "3")
    slurm_jobs.submit_here(cluster, runs, *many, **HELD)
    waiting = slurm_jobs.queued(cluster, runs)
    arrays = sorted({name.partition("_")[0] for name in waiting}, key=int)
    assert waiting == sorted(slurm_jobs.submitted(runs), key=waiting.index)
    assert len(waiting) == 7
    assert [sum(name.startswith(array) for name in waiting) for array in arrays] == [6, 1]
    shown = cluster.call("scontrol", "show", "job", arrays[0])
    assert "ArrayTaskThrottle=2" in shown
    cluster.call("scancel", *arrays)
    slurm_jobs.ended(cluster, runs)


def test_two_submitters_at_once_submit_once_and_a_killed_one_is_made_up_for(
    cluster, places, tmp_path
):
    runs = tmp_path / "runs"
    shutil.copytree(places.alone / "data", runs / "data")
    both = [slurm_jobs.start(cluster, runs, "--methods", "kd", **HELD) for _ in range(2)]
    outputs = ["".join(process.communicate(timeout=240)) for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sorted("Nothing to submit" in text for text in outputs) == [False, True], outputs
    (group,) = slurm_jobs.groups(runs)
    ids = slurm_jobs.queued(cluster, runs)
    assert sorted(ids) == sorted(job["job"] for job in group["jobs"])

    # As if the submitter had been killed after sbatch and before it could note the answer:
    path = runs / "groups" / group["name"] / "group.json"
    forgotten = group | {"jobs": [job | {"job": None} for job in group["jobs"]]}
    path.write_text(json.dumps(forgotten))
    for last in runs.glob("*/*/*/*/job.json"):
        last.write_text(json.dumps(json.loads(last.read_text()) | {"job": None}))
    assert "Nothing to submit" in slurm_jobs.submit_here(cluster, runs, "--methods", "kd", **HELD)
    assert slurm_jobs.queued(cluster, runs) == ids
    assert json.loads(path.read_text()) == group
    cluster.call("scancel", *ids)
    slurm_jobs.ended(cluster, runs)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"partition": "nowhere"}, "partition specified: nowhere"),
        ({"cpus": 64}, "It requests --cpus-per-task=64"),
    ],
)
def test_what_the_cluster_would_refuse_is_reported_and_nothing_submitted(
    cluster, places, tmp_path, changes, reason
):
    runs = tmp_path / "runs"
    shutil.copytree(places.alone / "data", runs / "data")
    kd = ("--methods", "kd")
    assert reason in slurm_jobs.submit_here(cluster, runs, *kd, code=3, **changes)
    assert not slurm_jobs.groups(runs)
    if "partition" in changes:  # --dry-run asks the cluster, too
        output = slurm_jobs.submit_here(cluster, runs, *kd, "--dry-run", code=3, **changes)
        assert reason in output


def test_a_missing_gpu_is_a_failure_not_a_slow_run(cluster, places, tmp_path):
    """The cluster hands out a GPU that torch does not see."""
    runs = tmp_path / "runs"
    shutil.copytree(places.alone / "data", runs / "data")
    slurm_jobs.submit_here(cluster, runs, "--methods", "none", gpus=1)
    slurm_jobs.ended(cluster, runs)
    (failure,) = runs.glob("synthetic/none/*/*/failure.json")
    assert json.loads(failure.read_text())["spec"]["device"] == "cuda"
    assert "torch finds none here" in json.loads(failure.read_text())["message"]

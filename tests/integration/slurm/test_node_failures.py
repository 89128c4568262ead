"""Grids that a cluster disturbs: a lost node, a teacher's preemption, a full disk, a bad moment.

They have a cluster of their own, because a node of it fails, and all wait side by side.
"""

import json
import shutil
import subprocess
from types import SimpleNamespace

import pytest

from slurm.testbed import ClusterSettings, temporary_cluster
from tests.support import run_folders, slurm_jobs, tiny_grid
from tests.support.slurm_queue import submit

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(900)]
OFTEN = ("--checkpoint-every", "1")
LONG = ("--methods", "none", "--set", "recipe.epochs=80", *OFTEN)
TAUGHT = ("--methods", "kd", "--set", "teacher_recipe.epochs=40", *OFTEN)
DYING = """
import os, signal
from pathlib import Path
from methods import Method

MARK, rename = Path({mark!r}), os.replace

def replace(source, target):
    if Path(target).name == "record.json" and "dying-Dying" in str(target) and not MARK.exists():
        MARK.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    rename(source, target)

os.replace = replace

class Dying(Method):
    name = label = "dying"
    paper = None

    def forward(self, student, teacher, labels):
        return student.pooled.square().mean()
"""


@pytest.fixture(scope="module")
def own(slurm_installed, tmp_path_factory):
    """A cluster that these tests may break: n2 fails, on n3 a teacher is preempted."""
    folder = tmp_path_factory.mktemp("own")
    with temporary_cluster(folder, settings=ClusterSettings(nodes=3, job_age=900)) as running:
        yield running


@pytest.fixture(scope="module")
def disk(slurm_installed, tmp_path_factory):
    """A disk of 40 MB."""
    folder = tmp_path_factory.mktemp("disk")
    mount = ["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", str(folder)]
    subprocess.run(mount, check=True, capture_output=True)
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture(scope="module")
def places(own, disk, tmp_path_factory):
    """The disturbed runs by name; all are submitted and disturbed before the first test."""
    home = tmp_path_factory.mktemp("disturbed")
    place = SimpleNamespace(
        lost=home / "lost",
        taught=home / "taught",
        dying=home / "dying",
        full=disk / "full",
        alone=home / "alone",
        late=home / "late",
    )
    key = run_folders.waiting(place.late)
    job = submit(own, "sleep 300", "--time=1", "--exclude=n2,n3")
    run_folders.submitted(place.late, [(job, [key])])
    slurm_jobs.submit_here(own, place.lost, *LONG, exclude="n1,n3")
    for runs in (place.alone, place.taught, place.dying, place.full):
        shutil.copytree(place.lost / "data", runs / "data")
    slurm_jobs.training(place.lost)
    own.stop_node("n2")

    references = [slurm_jobs.start_alone(place.alone, *grid) for grid in (LONG, TAUGHT)]
    slurm_jobs.submit_here(own, place.taught, *TAUGHT, exclude="n1,n2")
    slurm_jobs.training(place.taught)
    options = ["--partition=urgent", "--exclusive", "--nodelist=n3", "--output=/dev/null"]
    own.call("sbatch", *options, "--wrap=sleep 3")
    waiting = lambda: state_of(own, place.taught, "/resnet18/") == "requeued"  # noqa: E731
    slurm_jobs.until(waiting)
    place.waited = rows_of(own, place.taught)

    code = place.code = home / "code"
    code.mkdir()
    (code / "dying.py").write_text(DYING.format(mark=str(home / "mark")))
    slurm_jobs.submit(own, place.dying, "--methods", "dying:Dying", path=code, exclude="n2,n3")
    slurm_jobs.submit_here(own, place.full, *LONG, exclude="n2,n3")
    slurm_jobs.training(place.full)
    fill(place.full / "filler")
    own.start_node("n2")
    for reference in references:
        slurm_jobs.finish(reference)
    yield place
    own.call("scancel", "--me")


def fill(path):
    """Leave no byte free on a disk."""
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return


def rows_of(cluster, runs):
    return json.loads(slurm_jobs.kdreid(cluster, "status", "--runs", runs, "--json").stdout)


def state_of(cluster, runs, word):
    """The state of the one run that has a word in its key."""
    (row,) = [row for row in rows_of(cluster, runs) if word in row["key"]]
    return row["state"]


def assert_as_alone(place, runs, count):
    keys = slurm_jobs.records(runs)
    assert len(keys) == count
    for key in keys:
        tiny_grid.assert_same_run(key, place.alone, runs)


def test_a_lost_nodes_job_goes_on_from_its_checkpoint(own, places):
    slurm_jobs.ended(own, places.lost)
    log = slurm_jobs.logs(places.lost)
    assert "=== attempt 2 of job" in log
    assert "Stopped as requested" not in log  # nobody asked
    assert_as_alone(places, places.lost, 1)
    assert len(slurm_jobs.submitted(places.lost)) == 1


def test_students_wait_through_their_teachers_preemption(own, places):
    teacher, *others = sorted(places.waited, key=lambda row: "/resnet18/" not in row["key"])
    assert "until " in teacher["detail"] and teacher["step"] > 4
    assert [row["state"] for row in others] == ["queued", "queued"]
    assert all("after its teacher" in row["detail"] for row in others)
    slurm_jobs.ended(own, places.taught)
    assert "Stopped as requested" in slurm_jobs.logs(places.taught)
    assert_as_alone(places, places.taught, 3)
    assert len(slurm_jobs.submitted(places.taught)) == 2


def test_a_kill_while_the_result_is_written_leaves_no_half_of_it(own, places):
    slurm_jobs.ended(own, places.dying)
    (row,) = [row for row in rows_of(own, places.dying) if row["state"] != "done"]
    assert row["state"] == "failed"
    failures = slurm_jobs.kdreid(own, "failures", "--runs", places.dying).stdout
    assert "killed: 1 run" in failures and "The worker ended with signal 9" in failures
    assert "/dying-Dying/" in row["key"] and len(slurm_jobs.records(places.dying)) == 2
    assert list((places.dying / row["key"]).glob(".record.json.*.tmp"))
    words = (*slurm_jobs.retry_arguments(places.dying), "--methods", "dying:Dying")
    again = slurm_jobs.kdreid_process(own, *words, path=places.code)
    assert again.returncode == 0, again.stderr
    slurm_jobs.ended(own, places.dying)
    assert len(slurm_jobs.records(places.dying)) == 3
    assert not list((places.dying / row["key"]).glob("*.tmp"))


def test_a_full_disk_is_named_and_nothing_is_lost(own, places):
    slurm_jobs.ended(own, places.full)
    failures = slurm_jobs.kdreid(own, "failures", "--runs", places.full)
    assert failures.returncode == 1 and "disk-full: 1 run" in failures.stdout
    assert f"Make room in {places.full}, then kdreid retry --only disk-full" in failures.stdout
    (places.full / "filler").unlink()
    words = slurm_jobs.retry_arguments(places.full)
    again = slurm_jobs.kdreid(own, *words, "--only", "disk-full")
    assert again.returncode == 0, again.stderr
    slurm_jobs.ended(own, places.full)
    assert_as_alone(places, places.full, 1)


def test_a_job_that_its_time_limit_ends_is_recognised(own, places):
    (row,) = slurm_jobs.until(
        lambda: [r for r in rows_of(own, places.late) if r["state"] == "failed"]
    )
    assert "TIMEOUT" in row["detail"]
    assert "time-limit: 1 run" in slurm_jobs.kdreid(own, "failures", "--runs", places.late).stdout

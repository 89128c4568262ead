"""The local pool: the cluster's workers on this machine, real ones in real processes."""

import json
import shutil
import signal
import subprocess
import time

import pytest

from harness.core.errors import SetupError
from harness.core.files import read_json
from harness.execution.cluster.local_pool import LocalPool, _Worker, make_slots
from harness.execution.cluster.profile import Profile
from harness.execution.cluster.submission import ClusterJob, Submission
from harness.execution.cluster.submit import SubmitOptions
from harness.runs.layout import FAILURE
from harness.runs.origin import code_digests
from slurm.resources import Resources
from tests.support import forks, run_folders, slurm_jobs, tiny_grid
from tests.support.run_folders import change

GRID = (
    "--methods",
    "kd",
    "--seeds",
    "0,1",
    "--set",
    "recipe.epochs=16",
    "--set",
    "teacher_recipe.epochs=2",
)


def start(runs, *arguments):
    """Start the main command with a pool of workers on one core each."""
    profile = runs.parent / "pool.yaml"
    profile.write_text("kind: local\ncpus: 1\ngpus: 0\n")
    grid = ["--study", str(tiny_grid.STUDY), "--runs", str(runs), "--cluster", str(profile)]
    environment = {"PYTHONPATH": str(tiny_grid.ROOT)}  # of its workers, which are no forks
    return forks.start(["-m", "harness.run", *grid, *arguments], env=environment)


def finish(process):
    stdout, stderr = process.communicate(timeout=250)
    return process.returncode, stdout + stderr


def done(runs):
    return sorted(p.parent.relative_to(runs).as_posix() for p in runs.glob("*/*/*/*/record.json"))


def leases(runs):
    return [path for path in runs.rglob("lease") if path.is_file()]


def test_interrupted_and_started_again_it_ends_with_the_bits_of_one_process(tmp_path):
    runs, alone = tmp_path / "runs", tmp_path / "alone"
    both = [start(runs, *GRID) for _ in range(2)]
    while all(process.poll() is None for process in both):
        time.sleep(0.1)
    (pool,) = [process for process in both if process.poll() is None]
    code, output = finish(next(process for process in both if process is not pool))
    assert code == 4, output  # the other has the runs, and continues them
    assert "waits in the pool" in output
    while not list(runs.glob("synthetic/kd/*/*/progress.json")):
        assert pool.poll() is None, finish(pool)
        time.sleep(0.05)
    pool.send_signal(signal.SIGINT)
    code, output = finish(pool)
    assert code == 130, output
    assert "Run the same command again" in output
    assert leases(runs) == []
    assert len(done(runs)) == 1
    code, output = finish(start(runs, *GRID))
    assert code == 0, output
    assert "5 of 5 runs are done." in output
    assert leases(runs) == []

    shutil.copytree(runs / "data", alone / "data")
    slurm_jobs.finish(slurm_jobs.start_alone(alone, *GRID))
    assert done(alone) == done(runs)
    for key in done(runs):
        tiny_grid.assert_same_run(key, alone, runs)


def test_runs_of_other_code_are_trained_again(with_teacher):
    arguments = ("--methods", "kd")
    code, output = finish(start(with_teacher, *arguments))
    assert code == 0, output
    for path in with_teacher.glob("*/*/*/*/record.json"):
        change(path, code={**code_digests(), "models": "x"})
    code, output = finish(start(with_teacher, *arguments))
    assert code == 0 and "3 runs were done before by other code (models code differs)" in output
    code, output = finish(start(with_teacher, *arguments, "--again"))
    assert code == 0, output
    for key in done(with_teacher):
        record = json.loads((with_teacher / key / "record.json").read_text())
        assert record["code"] == code_digests()
        assert (with_teacher / key / "replaced" / "1" / "model.pt").exists()


def test_a_teacher_that_fails_blocks_its_students_and_the_log_is_named(tmp_path):
    runs = tmp_path / "runs"
    arguments = ("--methods", "kd", "--set", "teacher_recipe.lr=1e30")
    code, output = finish(start(runs, *arguments))
    assert code == 1, output
    assert "blocked: its teacher synthetic/none/resnet18" in output
    (group,) = runs.glob("groups/*/group.json")
    teacher, student = json.loads(group.read_text())["jobs"]
    assert student["job"] is None
    log = group.parent / "logs" / f"{teacher['job']}_0_log.err"
    assert str(log) in output
    assert "diverged" in log.read_text()
    code, output = finish(start(runs, *arguments))
    assert code == 1
    assert "diverged before and would diverge again; --retry-diverged trains it anyway" in output
    assert [key.split("/")[2] for key in done(runs)] == ["cnn5"]  # which needs no teacher


def options(**changes):
    return SubmitOptions("x", Profile.model_validate({"kind": "local", **changes}))


def test_slots_are_gpus_or_cores(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,5,7")
    named = [slot["CUDA_VISIBLE_DEVICES"] for slot in make_slots([Resources(gpus=1)], options())]
    assert named == ["2", "5", "7"]
    two = make_slots([Resources(gpus=2)], options())
    assert [slot["CUDA_VISIBLE_DEVICES"] for slot in two] == ["2,5"]
    shared = make_slots([Resources(gpus=1)], options(slots_per_gpu=2))
    assert [slot["CUDA_VISIBLE_DEVICES"] for slot in shared] == ["2", "5", "7"] * 2
    assert len(make_slots([Resources(gpus=1)], options(max_parallel=2))) == 2

    monkeypatch.setattr("harness.execution.cluster.local_pool.local_core_count", lambda: 8)
    cores = make_slots([Resources(cpus=3)], options())
    assert cores == [{"CUDA_VISIBLE_DEVICES": ""}] * 2


def test_more_than_this_machine_has_is_refused(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setattr("harness.execution.cluster.local_pool.local_gpu_count", lambda: 0)
    with pytest.raises(SetupError, match="requests 1 GPU"):
        make_slots([Resources(gpus=1)], options())
    with pytest.raises(SetupError, match="requests 5000 cores"):
        make_slots([Resources(cpus=5000)], options())


def test_a_worker_that_dies_without_a_word_leaves_a_failure(tmp_path):
    """Killed by the system for its memory, or by a library that crashes."""
    keys = [run_folders.waiting(tmp_path, seed) for seed in (0, 1)]
    run_folders.failed(tmp_path, 1, message="what the worker itself wrote")
    job = ClusterJob(1, tuple(keys), Resources(), job="local-1")
    submission = Submission("20260101-000000-abcd", "test", "local", "c", "", [job], created=0)
    lines = []
    pool = LocalPool(submission, {}, tmp_path, [], lines.append)
    process = subprocess.Popen(["sleep", "60"])
    pool._workers[1] = _Worker(job, process, {})
    process.kill()
    process.wait()
    pool._collect_finished()
    assert "job 1 failed: its worker ended with signal 9" in lines[0]
    failures = [read_json(tmp_path / key / FAILURE) for key in keys]
    assert failures[0]["kind"] == "error" and "ended with signal 9; see" in failures[0]["message"]
    assert failures[1]["message"] == "what the worker itself wrote"
    assert pool.failed.keys() == {*keys} and pool.slots == [{}]


def test_a_damaged_teacher_exits_with_3(with_teacher):
    plan = tiny_grid.grid(with_teacher, "kd")
    path = with_teacher / plan.cohorts[0][0].key / "model.pt"
    path.write_bytes(path.read_bytes()[:-200])
    code, output = finish(start(with_teacher, "--methods", "kd"))
    assert code == 3, output
    assert f"{path} is damaged" in output
    assert "2 of 3 runs are done." in output

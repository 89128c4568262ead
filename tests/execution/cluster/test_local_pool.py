"""The local pool: the cluster's workers on this machine, real ones in real processes."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from harness.core.errors import SetupError
from harness.execution.cluster.local_pool import make_slots
from harness.execution.cluster.profile import Profile
from harness.execution.cluster.submit import SubmitOptions
from slurm.resources import Resources
from tests.support import slurm_jobs, tiny_grid

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
    return subprocess.Popen(
        [sys.executable, "-m", "harness.run", *grid, *arguments],
        cwd=tiny_grid.ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(tiny_grid.ROOT)},
    )


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

"""From submission to a cancelled grid by the command line, and the doctor, on a real cluster."""

import json
import time

import pytest

from harness.core.lease import inspect_lease
from harness.execution.cluster.cancel import _find_jobs
from harness.execution.cluster.run_status import RunStatus
from harness.runs.states import RunState
from tests.support import run_folders, tiny_grid
from tests.support.slurm_jobs import kdreid
from tests.support.slurm_queue import submit, turn_to

pytestmark = pytest.mark.slurm
PROFILE = "time: 20\ngpus: {gpus}\ncpus: 1\nmemory: 1500M\n"


@pytest.fixture
def profile(tmp_path):
    path = tmp_path / "test.yaml"
    path.write_text(PROFILE.format(gpus=0))
    return path


def rows_of(cluster, runs):
    return json.loads(kdreid(cluster, "status", "--runs", runs, "--json").stdout)


def until(cluster, runs, condition, seconds=150):
    limit = time.monotonic() + seconds
    while not condition(rows := rows_of(cluster, runs)):
        assert time.monotonic() < limit, rows
        time.sleep(0.5)
    return rows


def test_a_grid_is_watched_diagnosed_and_cancelled(cluster, tmp_path, profile):
    """One student diverges at once, which is reported while the others still train."""
    runs = tmp_path / "runs"
    submitted = kdreid(
        cluster,
        "run",
        "--study",
        tiny_grid.STUDY,
        "--methods",
        "kd,sp",
        "--runs",
        runs,
        "--set",
        "recipe.epochs=2000",
        "--set",
        "sp.weight=1e38",
        "--cluster",
        profile,
    )
    assert submitted.returncode == 0, submitted.stderr
    rows = until(
        cluster,
        runs,
        lambda rows: (
            sum(row["state"] == "running" for row in rows) == 2
            and all(row["seconds_left"] for row in rows if row["state"] == "running")
        ),
    )
    (failed,) = [row for row in rows if row["state"] == "failed"]
    assert "/sp/" in failed["key"] and failed["detail"].startswith("diverged:")
    failures = kdreid(cluster, "failures", "--runs", runs)
    assert failures.returncode == 1 and "diverged: 1 run" in failures.stdout
    assert "WorkerFailedError" not in failures.stdout
    running = next(row for row in rows if row["state"] == "running")
    logs = kdreid(cluster, "logs", running["id"], "--runs", runs)
    assert "=== attempt 1 of job" in logs.stdout and "submitit INFO" not in logs.stdout
    stopped = kdreid(cluster, "cancel", running["number"], "--runs", runs)
    assert stopped.returncode == 0, stopped.stdout + stopped.stderr
    assert "share a job or process" in stopped.stdout and "Stopped 2 runs" in stopped.stdout
    assert cluster.call("squeue", "--noheader", "--states=pending,running,completing") == ""
    after = {row["key"]: row for row in rows_of(cluster, runs)}
    assert after[running["key"]]["state"] == "interrupted"
    assert "was cancelled" in after[running["key"]]["detail"]
    assert inspect_lease(runs / running["key"]) is None
    assert after[running["key"]]["step"] >= running["step"]
    again = kdreid(
        cluster,
        "retry",
        failed["id"],
        "--cluster",
        profile,
        "--runs",
        runs,
        "--set",
        "cluster.time=5",
        "--with",
        "sp.weight=3000",
        "--with",
        "recipe.epochs=3",
    )
    assert again.returncode == 0 and "1 runs in 1 jobs" in again.stderr, again.stderr
    rows = until(cluster, runs, lambda rows: sum(row["state"] == "done" for row in rows) == 2)
    assert next(row for row in rows if "/sp/" in row["key"] and row["state"] == "done")
    assert next(row for row in rows if row["key"] == failed["key"])["state"] == "failed"


def test_the_doctor_writes_from_a_compute_node(cluster, tmp_path, profile, monkeypatch):
    turn_to(monkeypatch, cluster)
    runs = tmp_path / "runs"
    doctor = kdreid(
        cluster, "doctor", "--cluster", profile, "--runs", runs, "--data-root", tmp_path
    )
    assert doctor.returncode == 0, doctor.stdout + doctor.stderr
    for text in (
        "version 2",
        "accounting: none",
        "MaxArraySize: 6",
        "REQUEUE",
        "shared disk: ",
        "read here",
        "All checks passed.",
    ):
        assert text in doctor.stdout, text
    assert list(runs.iterdir()) == []  # it cleans up after itself


def test_the_doctor_finds_problems(cluster, tmp_path, profile):
    profile.write_text(PROFILE.format(gpus=1))
    missing = tmp_path / "nowhere"
    doctor = kdreid(
        cluster,
        "doctor",
        "--cluster",
        profile,
        "--runs",
        tmp_path,
        "--json",
        "--data-root",
        missing,
    )
    assert doctor.returncode == 3
    failed = {r["what"]: r["words"] for r in json.loads(doctor.stdout) if r["good"] is False}
    assert f"{missing} does not exist there" in failed["data root"]
    import torch

    if not torch.cuda.is_available():  # Slurm gives a GPU here that torch cannot see
        assert "CUDA_VISIBLE_DEVICES=" in failed["GPU"]
    doctor = kdreid(
        cluster,
        "doctor",
        "--cluster",
        profile,
        "--runs",
        tmp_path,
        "--wait",
        0,
        "--set",
        "cluster.partition=nix",
    )
    assert doctor.returncode == 3
    assert "nix does not exist; the cluster has gpu, short, urgent" in doctor.stdout
    assert kdreid(cluster, "doctor", "--cluster", "nix", "--runs", tmp_path).returncode == 2


def test_a_job_of_another_name_is_never_cancelled(cluster, tmp_path, monkeypatch):
    """A file in a run's folder may name any job of this user."""
    turn_to(monkeypatch, cluster)
    key = run_folders.waiting(tmp_path)
    ours, other = (
        submit(cluster, "sleep 300"),
        submit(cluster, "sleep 300", "--job-name=other"),
    )
    for job, found in ((ours, (ours,)), (other, ())):
        run_folders.submitted(tmp_path, [(job, [key])])
        row = RunStatus(1, key, RunState.STARTING, group="20260101-000000-abcd", job=job)
        assert _find_jobs([row]) == found
    cluster.call("scancel", ours, other)

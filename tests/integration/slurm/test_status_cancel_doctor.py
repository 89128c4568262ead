"""From submission to a cancelled grid, as a user looks at it; and the doctor, on a real cluster."""

import json
import time

import pytest

from harness.core.lease import inspect_lease
from tests.support import tiny_grid
from tests.support.slurm_jobs import kdreid
from tests.support.slurm_queue import turn_to

pytestmark = pytest.mark.slurm
PROFILE = "time: 20\ngpus: {gpus}\ncpus: 1\nmemory: 1500M\n"


@pytest.fixture
def profile(tmp_path):
    path = tmp_path / "test.yaml"
    path.write_text(PROFILE.format(gpus=0))
    return path


def rows_of(cluster, runs):
    return json.loads(kdreid(cluster, "status", "--runs", runs, "--json").stdout)


def until(cluster, runs, holds, seconds=150):
    limit = time.monotonic() + seconds
    while not holds(rows := rows_of(cluster, runs)):
        assert time.monotonic() < limit, rows
        time.sleep(2)
    return rows


def test_a_grid_is_watched_understood_and_cancelled(cluster, tmp_path, profile):
    """One student diverges at once, which is told while the others still train."""
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
    told = kdreid(cluster, "failures", "--runs", runs)
    assert told.returncode == 1 and "diverged: 1 run" in told.stdout
    assert "WorkerFailedError" not in told.stdout
    going = next(row for row in rows if row["state"] == "running")
    logs = kdreid(cluster, "logs", going["id"], "--runs", runs)
    assert "=== attempt 1 of job" in logs.stdout and "submitit INFO" not in logs.stdout
    stopped = kdreid(cluster, "cancel", going["number"], "--runs", runs)
    assert stopped.returncode == 0, stopped.stdout + stopped.stderr
    assert "share a job or process" in stopped.stdout and "Stopped: 2" in stopped.stdout
    assert cluster.call("squeue", "--noheader", "--states=pending,running,completing") == ""
    after = {row["key"]: row for row in rows_of(cluster, runs)}
    assert after[going["key"]]["state"] == "interrupted"
    assert "was cancelled" in after[going["key"]]["detail"]
    assert inspect_lease(runs / going["key"]) is None
    assert after[going["key"]]["step"] >= going["step"]
    again = kdreid(
        cluster,
        "retry",
        failed["id"],
        "--runs",
        runs,
        "--set",
        "cluster.time=5",
        "--with",
        "sp.weight=3000",
        "--with",
        "recipe.epochs=3",
    )
    assert again.returncode == 0 and "1 runs in 1 jobs submitted" in again.stderr, again.stderr
    rows = until(cluster, runs, lambda rows: sum(row["state"] == "done" for row in rows) == 2)
    assert next(row for row in rows if "/sp/" in row["key"] and row["state"] == "done")
    assert next(row for row in rows if row["key"] == failed["key"])["state"] == "failed"


def test_the_doctor_writes_from_a_compute_node(cluster, tmp_path, profile, monkeypatch):
    turn_to(monkeypatch, cluster)
    runs = tmp_path / "runs"
    found = kdreid(cluster, "doctor", "--cluster", profile, "--runs", runs, "--data-root", tmp_path)
    assert found.returncode == 0, found.stdout + found.stderr
    for words in (
        "version 2",
        "accounting: none",
        "MaxArraySize: 6",
        "REQUEUE",
        "shared disk: ",
        "read here",
        "Nothing is wrong.",
    ):
        assert words in found.stdout, words
    assert list(runs.iterdir()) == []  # it cleans up after itself


def test_the_doctor_finds_what_is_wrong(cluster, tmp_path, profile):
    profile.write_text(PROFILE.format(gpus=1))
    missing = tmp_path / "nowhere"
    found = kdreid(
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
    assert found.returncode == 3
    wrong = {one["what"]: one["words"] for one in json.loads(found.stdout) if one["good"] is False}
    assert f"{missing} is not there" in wrong["data root"]
    import torch

    if not torch.cuda.is_available():  # Slurm gives a GPU here that torch cannot see
        assert "CUDA_VISIBLE_DEVICES=" in wrong["GPU"]
    found = kdreid(
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
    assert found.returncode == 3
    assert "there is no nix; there are gpu, short, urgent" in found.stdout
    assert kdreid(cluster, "doctor", "--cluster", "nix", "--runs", tmp_path).returncode == 2

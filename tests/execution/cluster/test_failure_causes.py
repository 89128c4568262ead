"""Causes of failures from real messages, and how `kdreid failures` prints them."""

import json
from dataclasses import replace

import pytest

from harness.core.errors import UsageError
from harness.execution.cluster.failure_causes import CAUSES, FailureCause, cause_of
from harness.execution.cluster.failures import failed_runs, show_failures
from harness.execution.cluster.status import read_status
from tests.support import run_folders

FAILURES = [
    ("gpu-memory", "memory", "Out of memory: CUDA out of memory. Tried to allocate 2.00 GiB.", ""),
    ("host-memory", "memory", "Out of memory: ", "MemoryError"),
    ("host-memory", "error", "RuntimeError: DefaultCPUAllocator: can't allocate memory: you", ""),
    ("diverged", "diverged", "The loss is not finite at step 3: triplet nan.", ""),
    ("time-limit", "time limit", "No step was made between two time limits.", ""),
    ("disk-full", "disk", "[Errno 28] No space left on device: 'checkpoint.pt'", ""),
    ("disk-full", "disk", "a cannot be written (No inodes left on the disk of b): remove c", ""),
    ("missing-data", "disk", "[Errno 2] No such file or directory: '0001_c1.jpg'", ""),
    ("missing-data", "setup", "The data root data does not exist on this machine.", ""),
    ("import-error", "error", "ModuleNotFoundError: No module named 'scipy'", ""),
    ("import-error", "error", "m", "Traceback ...\nImportError: libcudart.so.12"),
    ("blocked", "blocked", "its teacher failed", ""),
    ("error", "error", "ZeroDivisionError: a bug", "Traceback"),
]


@pytest.mark.parametrize(("cause", "kind", "message", "trace"), FAILURES)
def test_a_failure_file_shows_its_cause(tmp_path, cause, kind, message, trace):
    run_folders.failed(tmp_path, kind=kind, message=message, trace=trace)
    (row,) = read_status(tmp_path).rows
    assert cause_of(row) == cause in CAUSES


def test_a_killed_worker_is_recognised_by_its_jobs_log(tmp_path):
    """Slurm knows only that the job failed: the job outlives its worker and writes the signal."""
    run_folders.failed(tmp_path)
    (row,) = read_status(tmp_path).rows
    row = replace(row, failure={}, detail="job 10 ended as FAILED, exit code 1 on n1")
    assert (
        cause_of(row, "step 8\nThe worker ended with signal 9; see the end of its log.") == "killed"
    )
    oom = "slurmstepd: error: Detected 1 oom-kill event(s)\nThe worker ended with signal 9; see"
    assert cause_of(row, oom) == "host-memory"


def test_failures_are_grouped_by_cause_with_the_next_command(tmp_path):
    for seed in range(3):
        run_folders.failed(tmp_path, seed, kind="diverged", message="not finite")
    run_folders.failed(
        tmp_path, 3, message="ZeroDivisionError", trace="Traceback\n  line\nZeroDivisionE"
    )
    run_folders.done(tmp_path, 4)
    lines = []
    assert show_failures([], [], tmp_path, lines.append, as_json=False) == 1
    text = "\n".join(lines)
    assert "diverged: 3 runs" in text and "error: 1 run," in text and "| ZeroDivisionE" in text
    assert f"kdreid retry --only diverged --runs {tmp_path} --with recipe.lr=0.01" in text
    assert text.endswith("Failed: 4.")
    assert [failure.cause for failure in failed_runs(tmp_path, causes=["error"])] == ["error"]
    rows = []
    show_failures([], ["error"], tmp_path, rows.append, as_json=True)
    (row,) = json.loads(rows[0])
    assert row["cause"] == "error" and row["tail"][-1] == "ZeroDivisionE"


def test_no_failure_is_exit_code_0_and_an_unknown_cause_is_refused(tmp_path):
    run_folders.done(tmp_path)
    assert show_failures([], [], tmp_path, lambda _: None, as_json=False) == 0
    with pytest.raises(UsageError, match="Did you mean 'gpu-memory'"):
        failed_runs(tmp_path, causes=["gpumemory"])


def test_every_cause_has_its_advice_and_the_value_that_only_accepts():
    assert list(CAUSES) == list(FailureCause)
    assert set(FailureCause) == {
        *("gpu-memory", "host-memory", "killed", "diverged", "time-limit", "node-failure"),
        *("disk-full", "missing-data", "import-error", "blocked", "lost", "unreadable", "error"),
    }

"""States of runs from their folders alone; tests/integration/slurm has a real queue."""

import os
import subprocess
import sys
import time

import pytest

from harness.core.errors import ExitCode, SetupError
from harness.core.files import write_json
from harness.core.lease import try_acquire
from harness.execution.cluster.status import exit_code, read_status
from harness.runs.layout import FAILURE, GROUPS, PROGRESS
from harness.runs.spec import SCORING_VERSION
from tests.support import run_folders, tiny_grid


def states(runs):
    return {row.key: row.state for row in read_status(runs).rows}


def the_row(runs, key):
    return next(row for row in read_status(runs).rows if row.key == key)


def test_states_without_any_submission(tmp_path):
    expected = {
        run_folders.done(tmp_path, 0): "done",
        run_folders.waiting(tmp_path, 1): "waiting",
        run_folders.failed(tmp_path, 2): "failed",
        run_folders.interrupted(tmp_path, 3): "interrupted",
    }
    assert states(tmp_path) == expected
    assert the_row(tmp_path, run_folders.spec(3).key).detail == "step 5/10"
    assert [row.number for row in read_status(tmp_path).rows] == [1, 2, 3, 4]


def test_a_living_lease_is_a_running_run_with_its_remaining_time(tmp_path):
    key = run_folders.waiting(tmp_path)
    with try_acquire(tmp_path / key):
        row = the_row(tmp_path, key)
        assert (row.state, row.detail) == ("starting", f"on {os.uname().nodename}")
        now = time.time()
        write_json(
            tmp_path / key / PROGRESS,
            {"step": 30, "steps": 90, "time": now, "since": now - 20, "from_step": 10},
        )
        row = the_row(tmp_path, key)
        assert row.state == "running" and row.detail.startswith("step 30/90, 60 s left")
        assert row.seconds_left == pytest.approx(60, abs=2)
    assert states(tmp_path)[key] == "waiting"


def test_progress_of_an_earlier_attempt_is_not_taken_for_this_one(tmp_path):
    key = run_folders.interrupted(tmp_path)
    with try_acquire(tmp_path / key):
        row = the_row(tmp_path, key)
    assert row.state == "starting" and row.detail.endswith("from step 5/10")


def test_a_failure_before_this_attempt_or_submission_does_not_count(tmp_path):
    key = run_folders.failed(tmp_path)
    run_folders.change(tmp_path / key / FAILURE, time=time.time() - 7200)
    with try_acquire(tmp_path / key):
        assert states(tmp_path)[key] == "starting"
    assert states(tmp_path)[key] == "failed"
    run_folders.submitted(tmp_path, [(None, [key])], kind="local")
    with try_acquire(tmp_path / GROUPS / "20260101-000000-abcd"):
        assert states(tmp_path)[key] == "queued"


def test_runs_behind_a_failed_teacher_are_blocked_and_need_no_waiting(tmp_path):
    run_folders.done(tmp_path, 9)
    teacher = run_folders.spec(0)
    run_folders.failed(tmp_path, 0, kind="diverged")
    student = run_folders.waiting(tmp_path, 1, method="kd", teachers=(teacher,))
    row = the_row(tmp_path, student)
    assert row.state == "blocked" and teacher.key[-8:] in row.detail
    assert exit_code(read_status(tmp_path).rows) == ExitCode.FAILED
    run_folders.waiting(tmp_path, 2)
    assert exit_code(read_status(tmp_path).rows) == ExitCode.INCOMPLETE


def test_all_done_is_exit_code_0(tmp_path):
    run_folders.done(tmp_path)
    assert exit_code(read_status(tmp_path).rows) == ExitCode.DONE
    assert SCORING_VERSION  # a run that was scored by an older version is done, too


def test_a_pool_that_ended_leaves_its_runs_waiting(tmp_path):
    key = run_folders.waiting(tmp_path)
    run_folders.submitted(tmp_path, [("local-1", [key])], kind="local")
    assert the_row(tmp_path, key).detail == "its pool has ended"


def test_nothing_is_concluded_while_slurm_does_not_answer(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    key = run_folders.waiting(tmp_path)
    run_folders.submitted(tmp_path, [("17", [key])])
    report = read_status(tmp_path)
    assert report.rows[0].state == "unknown" and "squeue" in report.problems[0]
    assert exit_code(report.rows) == ExitCode.INCOMPLETE


def test_a_job_that_was_never_handed_over_is_waiting(tmp_path):
    key = run_folders.waiting(tmp_path)
    run_folders.submitted(tmp_path, [(None, [key])])
    row = the_row(tmp_path, key)
    assert row.state == "waiting" and "not handed over; submit it again" in row.detail


def test_reading_states_changes_nothing_and_needs_no_torch(tmp_path):
    key = run_folders.waiting(tmp_path, 1)
    (
        run_folders.done(tmp_path, 2),
        run_folders.failed(tmp_path, 3),
        run_folders.interrupted(tmp_path, 4),
    )
    run_folders.submitted(tmp_path, [("local-1", [key])], kind="local")
    lease = try_acquire(tmp_path / run_folders.spec(4).key)
    run_folders.change(lease.path, machine="elsewhere")  # whose process cannot be looked up here
    lease._stop.set()
    before = run_folders.everything(tmp_path)
    code = (
        "import sys, pathlib\nfrom harness.execution.cluster.status import read_status\n"
        "from harness.cli.app import app\n"
        f"for _ in range(2): read_status(pathlib.Path({str(tmp_path)!r}))\n"
        "sys.exit('torch' in sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=tiny_grid.ROOT, check=False)
    assert ended.returncode == 0
    assert run_folders.everything(tmp_path) == before


def test_the_states_of_a_thousand_runs_take_a_moment(tmp_path):
    for seed in range(1000):
        (run_folders.waiting, run_folders.done)[seed % 2](tmp_path, seed)
    began = time.monotonic()
    assert len(read_status(tmp_path).rows) == 1000
    assert time.monotonic() - began < 5


def test_a_missing_runs_folder_is_an_error(tmp_path):
    with pytest.raises(SetupError, match="There is no runs folder"):
        read_status(tmp_path / "nowhere")

"""State of a run from its folder alone, and that `kdreid status` starts from the same."""

import json
import os
import time

import pytest

from harness.core.errors import ExitCode
from harness.core.files import write_json
from harness.core.lease import LEASE, try_acquire
from harness.execution.cluster.status import exit_code, read_status
from harness.runs.folder_state import failed_state, inspect_run_folder, local_state
from harness.runs.layout import FAILURE, JOB, PROGRESS, RECORD, SPEC
from harness.runs.states import RunState
from tests.support import run_folders
from tests.support.unprivileged import as_nobody


def state_in_status(runs, key):
    return next(row.state for row in read_status(runs).rows if row.key == key)


@pytest.mark.parametrize(
    ("make", "state"),
    [
        (run_folders.done, RunState.DONE),
        (run_folders.waiting, RunState.WAITING),
        (run_folders.failed, RunState.FAILED),
        (run_folders.interrupted, RunState.INTERRUPTED),
        (lambda runs: run_folders.failed(runs, kind="blocked"), RunState.BLOCKED),
    ],
)
def test_an_idle_folder(tmp_path, make, state):
    key = make(tmp_path)
    assert local_state(tmp_path / key) is state
    assert state_in_status(tmp_path, key) is state


def test_a_finished_run_shows_the_warnings_of_its_record(tmp_path):
    key = run_folders.done(tmp_path)
    record = json.loads((tmp_path / key / RECORD).read_text())
    for warnings, detail in ((["One.", "Two."], "warning: One. warning: Two."), ("damaged", "")):
        write_json(tmp_path / key / RECORD, record | {"warnings": warnings})
        (row,) = read_status(tmp_path).rows
        assert (row.state, row.detail) == (RunState.DONE, detail)


def test_a_lease_dated_a_day_ahead_is_none_of_a_living_process(tmp_path):
    key = run_folders.interrupted(tmp_path)
    lease = tmp_path / key / LEASE
    write_json(lease, {"token": "t", "machine": "elsewhere", "host": "n", "process": 4})
    os.utime(lease, (time.time() + 86400,) * 2)
    assert local_state(tmp_path / key) is RunState.INTERRUPTED
    assert state_in_status(tmp_path, key) is RunState.INTERRUPTED


def test_a_folder_that_does_not_exist_is_waiting(tmp_path):
    assert local_state(tmp_path / "nowhere") is RunState.WAITING


def test_a_held_run_starts_until_it_reports_a_step(tmp_path):
    key = run_folders.interrupted(tmp_path)  # with the progress of an earlier attempt
    with try_acquire(tmp_path / key):
        assert local_state(tmp_path / key) is RunState.STARTING
        assert state_in_status(tmp_path, key) is RunState.STARTING
        write_json(tmp_path / key / PROGRESS, {"step": 6, "steps": 10, "time": time.time()})
        assert local_state(tmp_path / key) is RunState.RUNNING
        assert state_in_status(tmp_path, key) is RunState.RUNNING


def test_a_failure_within_the_present_attempt_counts_while_its_cohort_trains(tmp_path):
    """The process holds all its runs until the last of them has ended."""
    key = run_folders.waiting(tmp_path)
    with try_acquire(tmp_path / key):
        run_folders.failed(tmp_path)
        assert local_state(tmp_path / key) is RunState.FAILED
        assert state_in_status(tmp_path, key) is RunState.FAILED


def test_progress_after_a_failure_is_a_second_try_of_the_same_process(tmp_path):
    key = run_folders.waiting(tmp_path)
    with try_acquire(tmp_path / key):
        run_folders.failed(tmp_path, kind="memory")
        write_json(tmp_path / key / PROGRESS, {"step": 1, "steps": 10, "time": time.time() + 1})
        assert local_state(tmp_path / key) is RunState.RUNNING


def test_a_failure_before_the_present_attempt_does_not_count(tmp_path):
    key = run_folders.failed(tmp_path)
    run_folders.change(tmp_path / key / FAILURE, time=time.time() - 7200)
    with try_acquire(tmp_path / key):
        assert local_state(tmp_path / key) is RunState.STARTING
    assert local_state(tmp_path / key) is RunState.FAILED


def test_a_failure_before_the_submission_does_not_count_but_is_returned(tmp_path):
    key = run_folders.failed(tmp_path)
    folder = inspect_run_folder(tmp_path / key, submitted=time.time() + 60)
    assert folder.state is RunState.WAITING
    assert folder.failure["kind"] == "error"


@pytest.mark.parametrize("name", [RECORD, FAILURE, SPEC, JOB])
def test_a_damaged_file_makes_a_run_unreadable(tmp_path, name):
    """It may be done, or have diverged: nothing tells, and nothing is concluded."""
    key = run_folders.failed(tmp_path, kind="blocked")
    (tmp_path / key / name).write_text('{"kind": ')
    row = next(row for row in read_status(tmp_path).rows if row.key == key)
    assert row.state is RunState.UNREADABLE and row.state.is_failure
    assert str(tmp_path / key / name) in row.detail
    if name in (RECORD, FAILURE):
        folder = inspect_run_folder(tmp_path / key)
        assert folder.state is RunState.UNREADABLE and folder.problem == row.detail
    assert exit_code([row]) == ExitCode.ENVIRONMENT


def test_a_folder_of_another_user_is_unreadable(public_path):
    key = run_folders.done(public_path)
    for path in (public_path / key / RECORD, public_path / key):
        path.chmod(0o600)
        with as_nobody():
            folder = inspect_run_folder(public_path / key)
        assert folder.state is RunState.UNREADABLE
        assert f"{path} belongs to {path.owner()}" in folder.problem


def test_a_damaged_progress_is_only_unknown(tmp_path):
    """Its process writes it again after the next step, and nothing depends on it."""
    key = run_folders.interrupted(tmp_path)
    (tmp_path / key / PROGRESS).write_text('{"step": ')
    assert inspect_run_folder(tmp_path / key).state is RunState.INTERRUPTED


def test_reading_a_folder_writes_nothing(tmp_path):
    key = run_folders.interrupted(tmp_path)
    lease = try_acquire(tmp_path / key)
    lease._stop.set()
    run_folders.change(lease.path, machine="elsewhere")
    before = run_folders.everything(tmp_path)
    assert local_state(tmp_path / key) is RunState.STARTING
    assert run_folders.everything(tmp_path) == before


@pytest.mark.parametrize(("kind", "state"), [("blocked", "blocked"), ("memory", "failed")])
def test_failed_state(kind, state):
    assert failed_state({"kind": kind}) == state

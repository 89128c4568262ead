"""States of submitted runs by what the queue reports; the real queue is in tests/integration."""

import time

import pytest

from harness.core.lease import LeaseInfo
from harness.execution.cluster.run_status import RunStatus
from harness.execution.cluster.state_from_queue import state_from_queue
from harness.runs.folder_state import RunFolder
from harness.runs.states import RunState
from harness.runs.submissions import RunSubmission
from slurm.job import SlurmJob
from slurm.queue import QueueSnapshot

NOW = 1_000_000.0
SUBMISSION = RunSubmission("20260101-000000-abcd", 1, "12", "gpu", submitted=NOW - 3600)
FRESH = RunSubmission("20260101-000000-abcd", 1, "12", "gpu", submitted=NOW - 5)
EMPTY = RunFolder(RunState.WAITING)
CHECKPOINT = RunFolder(RunState.INTERRUPTED, has_checkpoint=True)
FAILURE = RunFolder(
    RunState.WAITING, failure={"kind": "error", "message": "a bug", "attempt": 1, "time": 0}
)


def state(job, folder=EMPTY, submission=SUBMISSION, step=5, **queue):
    row = RunStatus(1, "synthetic/kd/a/b", folder.state, step=step, steps=10, job=submission.job)
    jobs = {} if job is None else {"12": job}
    row = state_from_queue(row, folder, submission, QueueSnapshot(jobs, **queue), NOW)
    return row.state, row.detail


def job(name, **fields):
    return SlurmJob("12", name, **fields)


def test_without_an_answer_nothing_is_concluded():
    expected = RunState.UNKNOWN, "Slurm does not answer about job 12"
    for folder in (EMPTY, CHECKPOINT, FAILURE):
        assert state(None, folder, complete=False) == expected


def test_a_job_that_is_not_listed_is_new_or_has_failed_or_is_lost():
    assert state(None, submission=FRESH) == (RunState.QUEUED, "job 12, submitted just now")
    assert state(None, FAILURE) == (RunState.FAILED, "error: a bug (attempt 1)")
    assert state(None) == (
        RunState.LOST,
        "job 12 disappeared at step 5/10 without a record or an error",
    )
    assert state(None, step=None) == (
        RunState.LOST,
        "job 12 disappeared without a record or an error",
    )


def test_an_active_job_is_starting_until_its_worker_had_the_lease():
    running = job("RUNNING", node="n1", begin=NOW - 100)
    assert state(running) == (RunState.STARTING, "job 12 on n1")
    for age, expected in ((200, RunState.STARTING), (70, RunState.RUNNING)):
        lease = LeaseInfo({}, NOW - 300, age, False)
        actual, detail = state(running, RunFolder(RunState.WAITING, lease))
        assert actual is expected
        assert ("no sign of life for 70 s" in detail) == (expected is RunState.RUNNING)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"reason": "Dependency"}, (RunState.QUEUED, "job 12, after its teacher")),
        ({"reason": ""}, (RunState.QUEUED, "job 12, pending")),
        ({"reason": "Resources"}, (RunState.QUEUED, "job 12, Resources")),
        (
            {"reason": "JobHeldUser"},
            (RunState.QUEUED, "job 12, held; release it with scontrol release 12"),
        ),
        (
            {"reason": "DependencyNeverSatisfied"},
            (RunState.BLOCKED, "job 12: its teacher failed"),
        ),
        (
            {"reason": "Priority", "restarts": 1},
            (RunState.REQUEUED, "job 12 (Priority), step 5/10"),
        ),
    ],
)
def test_a_pending_job_is_queued_blocked_or_requeued(fields, expected):
    assert state(job("PENDING", **fields)) == expected


def test_a_requeued_job_that_slurm_holds_back_has_a_time():
    begin = NOW + 90
    clock = time.strftime("%H:%M", time.localtime(begin))
    requeued = job("PENDING", reason="BeginTime", restarts=1, begin=begin)
    assert state(requeued) == (RunState.REQUEUED, f"job 12, until {clock}, step 5/10")


@pytest.mark.parametrize(
    ("finished", "folder", "expected"),
    [
        (job("COMPLETED"), EMPTY, (RunState.LOST, "job 12 completed but left no record")),
        (job("CANCELLED"), EMPTY, (RunState.WAITING, "job 12 was cancelled")),
        (
            job("PREEMPTED"),
            CHECKPOINT,
            (RunState.INTERRUPTED, "step 5/10, job 12 was preempted"),
        ),
        (
            job("TIMEOUT", node="n1"),
            CHECKPOINT,
            (RunState.FAILED, "job 12 ended as TIMEOUT on n1"),
        ),
        (
            job("FAILED", exit_code=3),
            EMPTY,
            (RunState.FAILED, "job 12 ended as FAILED, exit code 3"),
        ),
        (job("FAILED", signal=9), EMPTY, (RunState.FAILED, "job 12 ended as FAILED, signal 9")),
    ],
)
def test_a_finished_job_without_a_record_is_explained(finished, folder, expected):
    assert state(finished, folder) == expected

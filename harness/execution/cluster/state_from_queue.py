"""Derive the state of a submitted run that no process holds from its job in the queue."""

from __future__ import annotations

import time
from dataclasses import replace

from harness.execution.cluster.run_status import RunStatus
from harness.runs.folder_state import RunFolder, failed_state
from harness.runs.progress import format_duration
from harness.runs.states import RunState
from harness.runs.submissions import RunSubmission
from slurm.job import SlurmJob
from slurm.queue import QueueSnapshot

UNLISTED_SECONDS = 60.0  # after its submission in which squeue may not list a job yet
CANCELLED = ("CANCELLED", "PREEMPTED", "REVOKED")


def state_from_queue(
    row: RunStatus, folder: RunFolder, submission: RunSubmission, queue: QueueSnapshot, now: float
) -> RunStatus:
    """Return the row of a run whose last submission went to Slurm, with state and detail.

    Args:
        row: The row so far.
        folder: The run's folder.
        submission: The run's last submission, which has a Slurm id.
        queue: The queue's jobs, by these ids.
        now: Unix time.
    """
    job = queue.jobs.get(submission.slurm_id or "")
    if job is None:
        return _without_job(row, folder, submission, queue, now)
    row = replace(row, slurm=job)
    if job.is_active:
        return _active(row, folder, job, now)
    if job.is_pending:
        return _pending(row, job, now)
    return _finished(row, folder, job)


def mark_idle(row: RunStatus, folder: RunFolder, reason: str) -> RunStatus:
    """Return the row of a run that nothing will start: interrupted at a checkpoint, or waiting."""
    if not folder.has_checkpoint:
        return replace(row, state=RunState.WAITING, detail=reason)
    step = f"step {row.step or '?'}/{row.steps or '?'}"
    return replace(row, state=RunState.INTERRUPTED, detail=", ".join(filter(None, (step, reason))))


def mark_failed(row: RunStatus, folder: RunFolder) -> RunStatus:
    """Return the row of a run with the failure that its folder contains."""
    failure = folder.failure or {}
    detail = f"{failure.get('kind')}: {failure.get('message')} (attempt {failure.get('attempt')})"
    return replace(row, state=failed_state(failure), detail=detail, failure=failure)


def _without_job(
    row: RunStatus, folder: RunFolder, submission: RunSubmission, queue: QueueSnapshot, now: float
) -> RunStatus:
    """Decide what it means that Slurm does not list the run's job.

    Without an answer from squeue it means nothing. Otherwise the job has ended, since squeue lists
    every job that may still run, and has been forgotten: after MinJobAge without accounting.
    """
    if not queue.complete:
        detail = f"Slurm does not answer about job {row.job}"
        return replace(row, state=RunState.UNKNOWN, detail=detail)
    if now - submission.submitted < UNLISTED_SECONDS:
        return replace(row, state=RunState.QUEUED, detail=f"job {row.job}, submitted just now")
    if folder.failure:  # of an earlier attempt, but nothing later explains the end of the job
        return mark_failed(row, folder)
    place = f" at {row.reached_step}" if row.step else ""
    detail = f"job {row.job} disappeared{place} without a record or an error"
    return replace(row, state=RunState.LOST, detail=detail)


def _active(row: RunStatus, folder: RunFolder, job: SlurmJob, now: float) -> RunStatus:
    """Describe a job that has its allocation, but whose worker does not hold the run.

    If its worker has not begun yet, the run has no lease, or a dead one that was last renewed
    before the job started. A dead lease renewed since is the worker's own: the worker gives no
    more sign of life, but only Slurm knows whether the job has ended.
    """
    lease = folder.lease
    if lease is None or (job.begin and now - lease.age < job.begin):
        return replace(row, state=RunState.STARTING, detail=f"job {row.job} on {job.node}")
    silence = format_duration(max(0.0, lease.age))
    detail = f"job {row.job} on {job.node}, no sign of life for {silence}"
    return replace(row, state=RunState.RUNNING, detail=detail)


def _pending(row: RunStatus, job: SlurmJob, now: float) -> RunStatus:
    """Describe a job in the queue: blocked, requeued or queued."""
    if job.reason.startswith("DependencyNeverSatisfied"):
        return replace(row, state=RunState.BLOCKED, detail=f"job {row.job}: its teacher failed")
    if job.restarts:
        step = f", {row.reached_step}" if row.step else ""
        # Slurm holds a requeued job back for two minutes, which must not be taken for a stuck job.
        if job.begin is not None and job.begin > now and job.reason == "BeginTime":
            clock = time.strftime("%H:%M", time.localtime(job.begin))
            detail = f"job {row.job}, until {clock}{step}"
            return replace(row, state=RunState.REQUEUED, detail=detail, until=job.begin)
        detail = f"job {row.job} ({job.reason}){step}"
        return replace(row, state=RunState.REQUEUED, detail=detail)
    if job.reason.startswith("JobHeld"):
        reason = f"held; release it with scontrol release {row.job}"
    else:
        reason = {"Dependency": "after its teacher", "": "pending"}.get(job.reason, job.reason)
    return replace(row, state=RunState.QUEUED, detail=f"job {row.job}, {reason}")


def _finished(row: RunStatus, folder: RunFolder, job: SlurmJob) -> RunStatus:
    """Describe a job that has ended without leaving a record or a current failure."""
    if job.state == "COMPLETED":
        return replace(
            row, state=RunState.LOST, detail=f"job {row.job} completed but left no record"
        )
    if job.state in CANCELLED:
        return mark_idle(row, folder, f"job {row.job} was {job.state.lower()}")
    status = f", signal {job.signal}" if job.signal else ""
    status = f", exit code {job.exit_code}" if job.exit_code else status
    node = f" on {job.node}" if job.node else ""
    detail = f"job {row.job} ended as {job.state}{status}{node}"
    return replace(row, state=RunState.FAILED, detail=detail)

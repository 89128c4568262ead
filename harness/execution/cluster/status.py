"""Read the state of every run from its folder, and from the queue where the folder is not enough.

The sources, most trusted first:

1. the record: the run is done, whatever state its job is in;
2. a failure that ended the last attempt;
3. a living lease: a process trains the run, on whatever machine;
4. the job of the last submission, in Slurm's queue or in a local pool;
5. what an earlier attempt left: a checkpoint or nothing.

A submitted run that 1 to 3 do not decide, and whose job Slurm no longer lists, is lost. While Slurm
does not answer, nothing is concluded and such a run is unknown. Reading writes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from harness.core.errors import ExitCode, FileError
from harness.execution.cluster.recovery import find_unrecorded_jobs
from harness.execution.cluster.run_status import RunStatus
from harness.execution.cluster.state_from_queue import mark_failed, mark_idle, state_from_queue
from harness.runs.folder_state import RunFolder, inspect_run_folder
from harness.runs.groups import job_name_prefix
from harness.runs.lookup import list_run_keys, short_id
from harness.runs.progress import estimate_remaining, format_duration
from harness.runs.record import read_teacher_keys
from harness.runs.states import RunState
from harness.runs.submissions import RunSubmission, last_submission
from slurm.queue import QueueSnapshot, query_jobs


@dataclass(frozen=True, slots=True)
class StatusReport:
    """The state of every run, and the problems met while reading them."""

    rows: tuple[RunStatus, ...]
    problems: tuple[str, ...] = ()  # of the queue
    unlisted: tuple[str, ...] = ()  # folders whose runs cannot be listed, one sentence each


@dataclass(frozen=True, slots=True)
class _Run:
    """A run's folder together with its last submission."""

    folder: RunFolder
    submission: RunSubmission | None = None
    teachers: tuple[str, ...] = ()  # keys
    in_pool: bool = False  # whether a living local pool has it

    @property
    def has_process(self) -> bool:
        """True if a living process holds the run."""
        return self.folder.lease is not None and self.folder.lease.is_alive

    @property
    def is_done(self) -> bool:
        """True if the run has its record."""
        return self.folder.state is RunState.DONE


def read_status(runs: Path) -> StatusReport:
    """Read the state of every run below `runs`.

    Raises:
        SetupError: The folder does not exist.
    """
    unlisted: list[str] = []
    keys = list_run_keys(runs, unlisted)
    by_key = {key: _read_run(runs, key) for key in keys}
    unfinished = {
        key: run.submission for key, run in by_key.items() if run.submission and not run.is_done
    }
    for key, job_id in find_unrecorded_jobs(runs, unfinished).items():
        by_key[key] = replace(by_key[key], submission=replace(unfinished[key], job=job_id))
    # One query for all jobs, and none for the runs whose folders are enough.
    submissions = [
        run.submission
        for run in by_key.values()
        if run.submission and not run.is_done and not run.has_process
    ]
    prefixes = {last.slurm_id: job_name_prefix(last.group) for last in submissions if last.slurm_id}
    queue, now = query_jobs(prefixes, prefixes), time.time()
    rows = {
        key: _derive_row(number, key, by_key[key], queue, now)
        for number, key in enumerate(keys, start=1)
    }
    return StatusReport(tuple(_block_students(rows, by_key)), queue.problems, tuple(unlisted))


def exit_code(rows: Iterable[RunStatus]) -> int:
    """Return 0 if all runs are done, 3 if files cannot be read, 4 if some may finish, else 1."""
    states = {row.state for row in rows}
    if RunState.UNREADABLE in states:
        return ExitCode.ENVIRONMENT
    if states <= {RunState.DONE}:
        return ExitCode.DONE
    is_settled = all(state is RunState.DONE or state.is_failure for state in states)
    return ExitCode.FAILED if is_settled else ExitCode.INCOMPLETE


def _read_run(runs: Path, key: str) -> _Run:
    try:
        submission = last_submission(runs, key)
        folder = inspect_run_folder(runs / key, submission.submitted if submission else 0.0)
        if folder.state in (RunState.DONE, RunState.UNREADABLE):
            return _Run(folder)
        teachers = read_teacher_keys(runs / key)
    except FileError as error:
        return _Run(RunFolder(RunState.UNREADABLE, problem=str(error)))
    return _Run(
        folder,
        submission,
        teachers,
        submission is not None and submission.slurm_id is None and submission.is_pool_alive(runs),
    )


def _derive_row(number: int, key: str, run: _Run, queue: QueueSnapshot, now: float) -> RunStatus:
    """Derive a run's state from the first of the sources above that decides it."""
    folder, submission = run.folder, run.submission
    row = RunStatus(
        number,
        key,
        folder.state,
        step=folder.progress.get("step"),
        steps=folder.progress.get("steps"),
        group=submission.group if submission else None,
        job=submission.job if submission else None,
        cluster=submission.cluster if submission else None,
    )
    if run.is_done or row.state is RunState.UNREADABLE:
        warnings = (f"warning: {warning}" for warning in folder.warnings)
        return replace(row, detail=" ".join([*filter(None, [folder.problem]), *warnings]))
    if row.state in (RunState.FAILED, RunState.BLOCKED):
        return mark_failed(row, folder)
    if run.has_process:
        return _describe_attempt(row, folder, now)
    if submission is None:
        return mark_idle(row, folder, "")
    if submission.slurm_id is None:
        return _state_from_pool(row, run, submission)
    return state_from_queue(row, folder, submission, queue, now)


def _describe_attempt(row: RunStatus, folder: RunFolder, now: float) -> RunStatus:
    """Describe where a process trains the run, how far it is, and how long it still takes."""
    host = str(folder.lease.holder.get("host", "")) if folder.lease else ""
    if row.state is RunState.STARTING:
        step = f" from {row.reached_step}" if row.step else ""
        return replace(row, detail=f"on {host}{step}")
    seconds = estimate_remaining(folder.progress, now)
    remaining = f", {format_duration(seconds)} left" if seconds else ""
    detail = f"step {row.step}/{row.steps}{remaining}, on {host}"
    return replace(row, detail=detail, seconds_left=seconds)


def _state_from_pool(row: RunStatus, run: _Run, submission: RunSubmission) -> RunStatus:
    """Derive the state of a run that was submitted to a local pool, or whose submission failed."""
    if not run.in_pool:
        reason = "its pool has ended" if submission.is_local else "not handed over; submit it again"
        return mark_idle(row, run.folder, reason)
    if submission.is_local:
        detail = f"{row.job}, in the pool {submission.group}"
        return replace(row, state=RunState.STARTING, detail=detail)
    return replace(row, state=RunState.QUEUED, detail=f"in the pool {submission.group}")


def _block_students(rows: Mapping[str, RunStatus], runs: Mapping[str, _Run]) -> Sequence[RunStatus]:
    """Return the rows in order, with idle students of teachers that will not finish as blocked."""

    @cache
    def with_teachers(key: str) -> RunStatus:
        row = rows[key]
        if row.state not in (RunState.WAITING, RunState.INTERRUPTED):
            return row
        for teacher in runs[key].teachers:
            if teacher in rows and with_teachers(teacher).state.is_failure:
                detail = f"its teacher {short_id(teacher)} is {with_teachers(teacher).state}"
                return replace(row, state=RunState.BLOCKED, detail=detail)
        return row

    return [with_teachers(key) for key in rows]

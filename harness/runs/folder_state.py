"""State of a run as its own folder describes it, without the queue and without other runs.

`local_state` is all that a command on one machine needs. `kdreid status` starts from the same
`inspect_run_folder` and adds what the queue reports and which teachers failed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.core.errors import FileError
from harness.core.files import file_exists, read_json
from harness.core.lease import LeaseInfo, inspect_lease
from harness.runs.groups import is_time
from harness.runs.layout import CHECKPOINT, FAILURE, PROGRESS
from harness.runs.record import failure_kind, failure_time, find_record
from harness.runs.states import FailureKind, RunState


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Contents of a run's folder that decide its state."""

    state: RunState  # done, running, starting, failed, blocked, interrupted, waiting, unreadable
    lease: LeaseInfo | None = None
    failure: dict[str, Any] | None = None  # also one of an earlier attempt
    progress: dict[str, Any] = field(default_factory=dict)
    has_checkpoint: bool = False
    problem: str = ""  # of an unreadable folder: the file, what is wrong with it, what to do
    warnings: tuple[str, ...] = ()  # in the record of a run that is done


def inspect_run_folder(folder: Path, submitted: float = 0.0) -> RunFolder:
    """Read a run's folder without writing to it.

    Args:
        folder: The run's folder; it need not exist.
        submitted: Unix time of the run's last submission. An older failure does not count.
    """
    try:
        if (record := find_record(folder)) is not None:
            return RunFolder(RunState.DONE, warnings=_read_warnings(record))
        failure, has_checkpoint = read_json(folder / FAILURE), file_exists(folder / CHECKPOINT)
    except FileError as error:
        return RunFolder(RunState.UNREADABLE, problem=str(error))
    lease, progress = inspect_lease(folder), _read_progress(folder)
    since = lease.since if lease is not None and lease.is_alive else None
    if failure is not None and _is_current(failure, progress, since, submitted):
        state = failed_state(failure)
    elif since is not None:
        state = _attempt_state(progress, since)
    else:
        state = RunState.INTERRUPTED if has_checkpoint else RunState.WAITING
    return RunFolder(state, lease, failure, progress, has_checkpoint)


def local_state(folder: Path) -> RunState:
    """Return the state of a run as far as its folder shows it."""
    return inspect_run_folder(folder).state


def failed_state(failure: dict[str, Any]) -> RunState:
    """Return the state that a failure, as read from `failure.json`, leaves a run in."""
    is_blocked = failure_kind(failure) is FailureKind.BLOCKED
    return RunState.BLOCKED if is_blocked else RunState.FAILED


def _read_warnings(record: dict[str, Any]) -> tuple[str, ...]:
    warnings = record.get("warnings")
    return tuple(map(str, warnings)) if isinstance(warnings, list) else ()


def _read_progress(folder: Path) -> dict[str, Any]:
    """Return a run's last reported step; empty if it cannot be read, as nothing depends on it."""
    try:
        progress = read_json(folder / PROGRESS) or {}
    except FileError:
        return {}
    return progress if all(map(is_time, progress.values())) else {}  # of numbers alone


def _is_current(
    failure: dict[str, Any], progress: dict[str, Any], since: float | None, submitted: float
) -> bool:
    """Return whether a failure ended the last attempt, not one before it.

    While a process holds the run, its attempt began at `since`. It may also train the run again at
    once after a failure (alone, if memory was short): progress newer than the failure shows that.
    """
    attempt = 0.0 if since is None else max(since, float(progress.get("time", 0)))
    return failure_time(failure) >= max(submitted, attempt)


def _attempt_state(progress: dict[str, Any], since: float) -> RunState:
    """Return RUNNING once the present attempt has reported a step, and STARTING before."""
    reported = "step" in progress and float(progress.get("time", 0)) >= since
    return RunState.RUNNING if reported else RunState.STARTING

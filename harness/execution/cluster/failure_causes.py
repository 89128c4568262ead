"""Determine why a run failed: from its failure file, from Slurm's state, from its log's text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from harness.execution.cluster.run_status import RunStatus
from harness.runs.record import failure_kind
from harness.runs.states import FailureKind, RunState


class FailureCause(StrEnum):
    """Cause by which `kdreid failures` groups runs; the values are accepted by `--only`.

    It is finer than the `FailureKind` that a run stores, because the log and Slurm know more.
    """

    GPU_MEMORY = "gpu-memory"
    HOST_MEMORY = "host-memory"
    KILLED = "killed"
    DIVERGED = "diverged"
    TIME_LIMIT = "time-limit"
    NODE_FAILURE = "node-failure"
    DISK_FULL = "disk-full"
    MISSING_DATA = "missing-data"
    IMPORT_ERROR = "import-error"
    BLOCKED = "blocked"
    LOST = "lost"
    UNREADABLE = "unreadable"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Cause:
    """A cause of failures, and what to do about it.

    Placeholders in the fix: `{command}` is the beginning of a `kdreid retry` command, `{runs}` the
    runs folder, `{half}` half the images of each identity, `{slower}` half the learning rate.
    """

    description: str
    fix: str


CAUSES: dict[FailureCause, Cause] = {
    FailureCause.GPU_MEMORY: Cause(
        "out of GPU memory",
        "Smaller batches fit, but make other runs: {command} --with recipe.images_each={half}",
    ),
    FailureCause.HOST_MEMORY: Cause("out of host memory", "Request more memory, then {command}"),
    FailureCause.KILLED: Cause(
        "killed by SIGKILL, often for host memory", "Request more memory, then {command}"
    ),
    FailureCause.DIVERGED: Cause(
        "the loss or the weights were not finite",
        "The same run would diverge again. Another learning rate makes another run: "
        "{command} --with recipe.lr={slower}",
    ),
    FailureCause.TIME_LIMIT: Cause(
        "reached its time limit without progress since its start",
        "Request more time, then {command}",
    ),
    FailureCause.NODE_FAILURE: Cause("the node failed", "Continue from the checkpoint: {command}"),
    FailureCause.DISK_FULL: Cause(
        "no space left on the disk", "Make room in {runs}, then {command}"
    ),
    FailureCause.MISSING_DATA: Cause(
        "data or weights were missing",
        "Check them with kdreid data check and kdreid doctor, then {command}",
    ),
    FailureCause.IMPORT_ERROR: Cause(
        "a module could not be imported",
        "Install it in the environment of the jobs, then {command}",
    ),
    FailureCause.BLOCKED: Cause("the teacher failed", "Retry the teacher first, then {command}"),
    FailureCause.LOST: Cause(
        "its job disappeared without a record or an error",
        "Continue from the checkpoint, if there is one: {command}",
    ),
    FailureCause.UNREADABLE: Cause(
        "files of the run are damaged or cannot be read",
        "Repair each file as its line states; until then the run is neither trained nor replaced.",
    ),
    FailureCause.ERROR: Cause("an error in the program", "See the end of the log, then {command}"),
}

_BY_SLURM_STATE = {
    "OUT_OF_MEMORY": FailureCause.HOST_MEMORY,
    "TIMEOUT": FailureCause.TIME_LIMIT,
    "DEADLINE": FailureCause.TIME_LIMIT,
    "NODE_FAIL": FailureCause.NODE_FAILURE,
    "BOOT_FAIL": FailureCause.NODE_FAILURE,
}
_BY_KIND = {
    FailureKind.DIVERGED: FailureCause.DIVERGED,
    FailureKind.BLOCKED: FailureCause.BLOCKED,
    FailureKind.TIME_LIMIT: FailureCause.TIME_LIMIT,
    FailureKind.NODE_FAILURE: FailureCause.NODE_FAILURE,
}
# The first pattern that matches decides: what causes an error comes before what merely follows it.
_BY_TEXT = (
    (FailureCause.GPU_MEMORY, r"CUDA out of memory|OutOfMemoryError|CUBLAS_STATUS_ALLOC_FAILED"),
    (FailureCause.TIME_LIMIT, r"DUE TO TIME LIMIT"),
    (
        FailureCause.NODE_FAILURE,
        r"DUE TO NODE FAILURE|uncorrectable ECC|device-side .*lost|fell off the bus",
    ),
    (
        FailureCause.DISK_FULL,
        r"No (space|inodes) left on|Disk quota exceeded|Errno 28\b|Errno 122\b",
    ),
    (
        FailureCause.HOST_MEMORY,
        r"oom[-_ ]?kill|Out Of Memory|MemoryError|Cannot allocate memory|std::bad_alloc"
        r"|DefaultCPUAllocator: can't allocate",
    ),
    (FailureCause.IMPORT_ERROR, r"ModuleNotFoundError|ImportError"),
    (
        FailureCause.MISSING_DATA,
        r"FileNotFoundError|data root|No ImageNet weights|Errno 2\b|fingerprint",
    ),
    (FailureCause.DIVERGED, r"not finite"),
    (FailureCause.KILLED, r"The worker ended with signal 9\b"),  # as `WorkerJob` writes
)


def cause_of(row: RunStatus, log: str = "") -> FailureCause:
    """Return the cause of a failed, blocked or lost run.

    Args:
        row: The run.
        log: End of the run's log. It counts only if neither the run's failure file nor Slurm's
            state is clear, because a log also contains errors that were survived.
    """
    if row.state is RunState.BLOCKED:
        return FailureCause.BLOCKED
    if row.state is RunState.UNREADABLE:
        return FailureCause.UNREADABLE
    return (
        _from_failure(row.failure) or _from_slurm(row) or _from_text(log) or _from_exit_status(row)
    )


def _from_failure(failure: Mapping[str, Any]) -> FailureCause | None:
    """Return the cause of a failure as read from `failure.json`; None without one."""
    if not failure:
        return None
    kind, message = failure_kind(failure), str(failure.get("message", ""))
    if kind in _BY_KIND:
        return _BY_KIND[kind]
    if kind is FailureKind.MEMORY:
        return (
            FailureCause.GPU_MEMORY if re.search(r"CUDA|GPU", message) else FailureCause.HOST_MEMORY
        )
    return (
        _from_text(message) or _from_text(str(failure.get("traceback", ""))) or FailureCause.ERROR
    )


def _from_slurm(row: RunStatus) -> FailureCause | None:
    return _BY_SLURM_STATE.get(row.slurm.state) if row.slurm else None


def _from_text(text: str) -> FailureCause | None:
    return next((cause for cause, pattern in _BY_TEXT if re.search(pattern, text)), None)


def _from_exit_status(row: RunStatus) -> FailureCause:
    if row.state is RunState.LOST:
        return FailureCause.LOST
    if row.slurm and (row.slurm.signal == 9 or row.slurm.exit_code == 137):
        return FailureCause.KILLED
    return FailureCause.ERROR

"""Determine why a run failed: from its failure file, from Slurm's state, from its log's text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.execution.cluster.run_status import RunStatus
from harness.runs.record import failure_kind
from harness.runs.states import FailureKind, RunState


@dataclass(frozen=True, slots=True)
class Cause:
    """A cause of failures, and what to do about it.

    Placeholders in the fix: `{command}` is the beginning of a `kdreid retry` command, `{runs}` the
    runs folder, `{half}` half the images of each identity, `{slower}` half the learning rate.
    """

    description: str
    fix: str


CAUSES: dict[str, Cause] = {
    "gpu-memory": Cause(
        "out of GPU memory",
        "Smaller batches fit, but make other runs: {command} --with recipe.images_each={half}",
    ),
    "host-memory": Cause("out of host memory", "Request more memory, then {command}"),
    "killed": Cause(
        "killed by SIGKILL, often for host memory", "Request more memory, then {command}"
    ),
    "diverged": Cause(
        "the loss or the weights were not finite",
        "The same run would diverge again. Another learning rate makes another run: "
        "{command} --with recipe.lr={slower}",
    ),
    "time-limit": Cause(
        "reached its time limit without progress since its start",
        "Request more time, then {command}",
    ),
    "node-failure": Cause("the node failed", "Continue from the checkpoint: {command}"),
    "disk-full": Cause("no space left on the disk", "Make room in {runs}, then {command}"),
    "missing-data": Cause(
        "data or weights were missing",
        "Check them with kdreid data check and kdreid doctor, then {command}",
    ),
    "import-error": Cause(
        "a module could not be imported",
        "Install it in the environment of the jobs, then {command}",
    ),
    "blocked": Cause("the teacher failed", "Retry the teacher first, then {command}"),
    "lost": Cause(
        "its job disappeared without a record or an error",
        "Continue from the checkpoint, if there is one: {command}",
    ),
    "error": Cause("an error in the program", "See the end of the log, then {command}"),
}

_BY_SLURM_STATE = {
    "OUT_OF_MEMORY": "host-memory",
    "TIMEOUT": "time-limit",
    "DEADLINE": "time-limit",
    "NODE_FAIL": "node-failure",
    "BOOT_FAIL": "node-failure",
}
_BY_KIND = {
    FailureKind.DIVERGED: "diverged",
    FailureKind.BLOCKED: "blocked",
    FailureKind.TIME_LIMIT: "time-limit",
    FailureKind.NODE_FAILURE: "node-failure",
}
# The first pattern that matches decides: what causes an error comes before what merely follows it.
_BY_TEXT = (
    ("gpu-memory", r"CUDA out of memory|OutOfMemoryError|CUBLAS_STATUS_ALLOC_FAILED"),
    ("time-limit", r"DUE TO TIME LIMIT"),
    ("node-failure", r"DUE TO NODE FAILURE|uncorrectable ECC|device-side .*lost|fell off the bus"),
    ("disk-full", r"No space left on device|Disk quota exceeded|Errno 28\b|Errno 122\b"),
    (
        "host-memory",
        r"oom[-_ ]?kill|Out Of Memory|MemoryError|Cannot allocate memory|std::bad_alloc"
        r"|DefaultCPUAllocator: can't allocate",
    ),
    ("import-error", r"ModuleNotFoundError|ImportError"),
    ("missing-data", r"FileNotFoundError|data root|No ImageNet weights|Errno 2\b|fingerprint"),
    ("diverged", r"not finite"),
    ("killed", r"The worker ended with signal 9\b"),  # as `WorkerJob` writes
)


def cause_of(row: RunStatus, log: str = "") -> str:
    """Return the cause, one of `CAUSES`, of a failed, blocked or lost run.

    Args:
        row: The run.
        log: End of the run's log. It counts only if neither the run's failure file nor Slurm's
            state is clear, because a log also contains errors that were survived.
    """
    if row.state is RunState.BLOCKED:
        return "blocked"
    return (
        _from_failure(row.failure) or _from_slurm(row) or _from_text(log) or _from_exit_status(row)
    )


def _from_failure(failure: Mapping[str, Any]) -> str | None:
    """Return the cause of a failure as read from `failure.json`; None without one."""
    if not failure:
        return None
    kind, message = failure_kind(failure), str(failure.get("message", ""))
    if kind in _BY_KIND:
        return _BY_KIND[kind]
    if kind is FailureKind.MEMORY:
        return "gpu-memory" if re.search(r"CUDA|GPU", message) else "host-memory"
    return _from_text(message) or _from_text(str(failure.get("traceback", ""))) or "error"


def _from_slurm(row: RunStatus) -> str | None:
    return _BY_SLURM_STATE.get(row.slurm.state) if row.slurm else None


def _from_text(text: str) -> str | None:
    return next((cause for cause, pattern in _BY_TEXT if re.search(pattern, text)), None)


def _from_exit_status(row: RunStatus) -> str:
    if row.state is RunState.LOST:
        return "lost"
    if row.slurm and (row.slurm.signal == 9 or row.slurm.exit_code == 137):
        return "killed"
    return "error"

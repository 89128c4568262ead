"""Why a run failed, in one word: from its own account, from Slurm's state, from its log's words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from harness.execution.cluster.status import RunStatus

# Every cause, and what to do about it; {command} is the retry's beginning. Nothing else is a cause.
CAUSES: dict[str, tuple[str, str]] = {
    "gpu-memory": (
        "out of GPU memory",
        "Smaller batches fit, but make other runs: {command} --with recipe.images_each={half}",
    ),
    "host-memory": ("out of host memory", "Ask for more memory, then {command}"),
    "killed": ("killed by SIGKILL, often for host memory", "Ask for more memory, then {command}"),
    "diverged": (
        "the loss or the weights were no longer numbers",
        "The same run would diverge again. Another rate makes another run: "
        "{command} --with recipe.lr={slower}",
    ),
    "time-limit": (
        "stopped by the time limit without having made progress since",
        "Ask for a longer time, then {command}",
    ),
    "node-failure": ("the node failed", "It goes on from its checkpoint: {command}"),
    "disk-full": ("no space left on the disk", "Make room in {runs}, then {command}"),
    "missing-data": (
        "data or weights were not where they should be",
        "Check with kdreid data check and kdreid doctor, then {command}",
    ),
    "import-error": (
        "a module could not be imported",
        "Install it in the environment of the jobs, then {command}",
    ),
    "blocked": (
        "the teacher failed",
        "Retry the teacher first; then {command}",
    ),
    "lost": (
        "the job is gone and left no word",
        "It goes on from its checkpoint, if there is one: {command}",
    ),
    "error": ("an error in the program", "The log's end says where; then {command}"),
}

_SLURM = {
    "OUT_OF_MEMORY": "host-memory",
    "TIMEOUT": "time-limit",
    "DEADLINE": "time-limit",
    "NODE_FAIL": "node-failure",
    "BOOT_FAIL": "node-failure",
}
_KINDS = {
    "diverged": "diverged",
    "blocked": "blocked",
    "time limit": "time-limit",
    "time-limit": "time-limit",
    "node failure": "node-failure",
}
_WORDS = (
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
    ("killed", r"The worker ended with signal 9\b"),  # what a job says of its worker
)


def cause_of(row: RunStatus, log: str = "") -> str:
    """One of `CAUSES` for a run that stands as failed, blocked or lost.

    `log` is the end of its log; it counts only where neither the run nor Slurm is clear.
    """
    if row.state == "blocked":
        return "blocked"
    own = (
        row.failure if row.failure and row.detail.startswith(f"{row.failure.get('kind')}:") else {}
    )
    return _told(own) or _by_slurm(row) or _by_words(log) or _at_last(row)


def _told(failure: Mapping[str, Any]) -> str | None:
    """From failure.json."""
    kind, message = str(failure.get("kind", "")), str(failure.get("message", ""))
    if not failure:
        return None
    if kind in _KINDS:
        return _KINDS[kind]
    if kind == "memory":
        return "gpu-memory" if re.search(r"CUDA|GPU", message) else "host-memory"
    return _by_words(message) or _by_words(str(failure.get("traceback", ""))) or "error"


def _by_slurm(row: RunStatus) -> str | None:
    return _SLURM.get(row.slurm.state) if row.slurm else None


def _by_words(text: str) -> str | None:
    return next((cause for cause, pattern in _WORDS if re.search(pattern, text)), None)


def _at_last(row: RunStatus) -> str:
    if row.state == "lost":
        return "lost"
    if row.slurm and (row.slurm.signal == 9 or row.slurm.exit_code == 137):
        return "killed"
    return "error"

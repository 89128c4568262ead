"""States of a run and kinds of failure, as commands print them and files store them."""

from __future__ import annotations

from enum import StrEnum


class RunState(StrEnum):
    """State of a run; the values are printed by `kdreid status` and accepted by `--state`."""

    DONE = "done"  # its record is written
    RUNNING = "running"  # a living process trains it
    STARTING = "starting"  # a living process or a job has it and has not reported a step yet
    QUEUED = "queued"  # submitted for the first time
    REQUEUED = "requeued"  # back in the queue after a time limit or a preemption
    WAITING = "waiting"  # planned, neither started nor submitted
    INTERRUPTED = "interrupted"  # stopped; it continues from its checkpoint
    UNKNOWN = "unknown"  # submitted to a queue that does not answer
    BLOCKED = "blocked"  # its teacher failed
    FAILED = "failed"
    LOST = "lost"  # its job disappeared without a record or a failure
    UNREADABLE = "unreadable"  # its files are damaged, or cannot be read

    @property
    def is_failure(self) -> bool:
        """True if the run stays unfinished unless the user does something."""
        return self in (RunState.BLOCKED, RunState.FAILED, RunState.LOST, RunState.UNREADABLE)

    @property
    def is_active(self) -> bool:
        """True if the run has a process or a job, or may have one."""
        return self in (
            RunState.RUNNING,
            RunState.STARTING,
            RunState.QUEUED,
            RunState.REQUEUED,
            RunState.UNKNOWN,
        )


class FailureKind(StrEnum):
    """Reason for which a run ended without a record; the values are stored in `failure.json`."""

    DIVERGED = "diverged"  # a loss or a weight was not finite
    MEMORY = "memory"  # of the GPU or the host
    DISK = "disk"  # any error of the operating system
    SETUP = "setup"  # data, weights, code or a device were missing or not those planned
    TIME_LIMIT = "time limit"  # two attempts in a row without a training step
    NODE_FAILURE = "node failure"
    BLOCKED = "blocked"  # the teacher failed
    LOST = "lost"  # another process took the run over; never stored
    ERROR = "error"  # any other exception

    @property
    def is_retried(self) -> bool:
        """True if the same command trains such a run again; a diverged one would diverge again."""
        return self is not FailureKind.DIVERGED

    @classmethod
    def _missing_(cls, value: object) -> FailureKind:
        """Read other spellings (`time-limit`) and take a kind of another version as an error."""
        words = str(value).replace("-", " ").replace("_", " ").lower()
        return next((kind for kind in cls if kind.value == words), cls.ERROR)

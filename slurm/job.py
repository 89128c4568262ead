"""A Slurm job, as Slurm's commands report it."""

from __future__ import annotations

from dataclasses import dataclass

PENDING = frozenset({"PENDING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "SPECIAL_EXIT"})
ACTIVE = frozenset(
    {
        "RUNNING",
        "COMPLETING",
        "CONFIGURING",
        "SUSPENDED",
        "STOPPED",
        "SIGNALING",
        "STAGE_OUT",
        "RESIZING",
    }
)


@dataclass(frozen=True, slots=True)
class SlurmJob:
    """A job, or an element of an array, in the state that Slurm reported last."""

    id: str  # as sbatch prints it; for an element of an array 12_3
    state: str  # Slurm's word: PENDING, RUNNING, COMPLETED, FAILED, TIMEOUT ...
    reason: str = ""  # Slurm's word for why it waits or failed
    begin: float | None = None  # Unix time: when it started, or may start at the earliest
    exit_code: int = 0
    signal: int = 0  # that ended it
    node: str = ""
    restarts: int = 0  # how often it was requeued
    source: str = "squeue"  # the command that reported it
    name: str = ""

    @property
    def is_pending(self) -> bool:
        """True if the job may still start, or start again."""
        return self.state in PENDING

    @property
    def is_active(self) -> bool:
        """True if the job holds an allocation."""
        return self.state in ACTIVE

    @property
    def is_finished(self) -> bool:
        """True if the job will not run again by itself."""
        return not self.is_pending and not self.is_active

"""Turn the errors of one run into a failure of that run, so that its cohort continues."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass

import torch

from harness.core.errors import KDReIDError, RunInterrupted, SetupError, UnwritableFileError
from harness.core.lease import Lease, LeaseLostError
from harness.runs.states import FailureKind


class DivergedError(Exception):
    """Error for a loss or a weight that is not finite."""


class TeacherUnusableError(SetupError):
    """Error for a teacher that is done, or should be, and whose network cannot be loaded."""


@dataclass(frozen=True, slots=True)
class RunFailure:
    """Reason for which a run left its cohort.

    Attributes:
        kind: Kind of the failure.
        message: One sentence for the user.
        trace: Traceback; empty where it would not help.
    """

    kind: FailureKind
    message: str
    trace: str


def capture_failure(work: Callable[[], object]) -> RunFailure | None:
    """Do a piece of work that belongs to one run, and return its failure instead of raising it.

    Raises:
        RunInterrupted: A stop was requested, which concerns the whole process.
    """
    try:
        work()
    except RunInterrupted:
        raise
    except Exception as error:
        return describe_failure(error)
    return None


def describe_failure(error: Exception) -> RunFailure:
    """Return the failure that an error is, with its traceback where it would help."""
    trace = "".join(traceback.format_exception(error))
    match error:
        case DivergedError():
            return RunFailure(FailureKind.DIVERGED, str(error), "")
        case LeaseLostError():
            return RunFailure(FailureKind.LOST, str(error), "")
        case KDReIDError():
            is_full = isinstance(error, UnwritableFileError)
            return RunFailure(FailureKind.DISK if is_full else FailureKind.SETUP, str(error), "")
        case torch.OutOfMemoryError() | MemoryError():
            return RunFailure(FailureKind.MEMORY, f"Out of memory: {error}", trace)
        case OSError():
            return RunFailure(FailureKind.DISK, f"{error}", trace)
    return RunFailure(FailureKind.ERROR, f"{type(error).__name__}: {error}", trace)


def blame_takeover(failure: RunFailure, lease: Lease) -> RunFailure:
    """Return the failure of a run, or that it is lost if another process has it by now.

    Errors follow from the loss: the new holder removes the temporary files of the old one.
    """
    try:
        lease.check()
    except LeaseLostError as error:
        return RunFailure(FailureKind.LOST, str(error), "")
    except OSError:  # the disk's error is what failed
        pass
    return failure

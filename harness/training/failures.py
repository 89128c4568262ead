"""Turn the errors of one run into a failure of that run, so that its cohort continues."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass

import torch

from harness.core.errors import RunInterrupted
from harness.core.lease import LeaseLostError
from harness.runs.states import FailureKind


class DivergedError(Exception):
    """Error for a loss or a weight that is not finite."""


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
    except DivergedError as error:
        return RunFailure(FailureKind.DIVERGED, str(error), "")
    except LeaseLostError as error:
        return RunFailure(FailureKind.LOST, str(error), "")
    except (torch.OutOfMemoryError, MemoryError) as error:
        return RunFailure(FailureKind.MEMORY, f"Out of memory: {error}", traceback.format_exc())
    except OSError as error:
        return RunFailure(FailureKind.DISK, f"{error}", traceback.format_exc())
    except Exception as error:
        message = f"{type(error).__name__}: {error}"
        return RunFailure(FailureKind.ERROR, message, traceback.format_exc())
    return None

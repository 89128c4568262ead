"""Errors that end a command with one sentence, and the exit codes of every command.

KDReIDError                       1
├── UsageError                    2, also a ValueError
├── SetupError                    3
├── SlurmError                    3
├── RunInterrupted              130
└── LeaseLostError                1  (harness.core.lease)
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of the commands and of a worker."""

    DONE = 0
    FAILED = 1  # some runs failed
    USAGE = 2  # the request is wrong
    ENVIRONMENT = 3  # data, weights, a device or the cluster is missing
    INCOMPLETE = 4  # some runs are still queued, running or missing
    REQUEUE = 75  # of a worker: everything is saved, start it again
    INTERRUPTED = 130


class KDReIDError(Exception):
    """Base of all errors that are printed as one sentence instead of a traceback."""

    exit_code = ExitCode.FAILED


class UsageError(KDReIDError, ValueError):
    """The request is wrong: an unknown name, an impossible value, a misspelt key."""

    exit_code = ExitCode.USAGE


class SetupError(KDReIDError):
    """The request is valid but this machine lacks data, weights, a device or a writable folder."""

    exit_code = ExitCode.ENVIRONMENT


class SlurmError(KDReIDError):
    """The cluster refuses a request or does not answer, or Slurm is not installed here."""

    exit_code = ExitCode.ENVIRONMENT


class RunInterrupted(KDReIDError):  # noqa: N818  (like KeyboardInterrupt, no mistake)
    """The user or the system asked to stop; everything up to this step is on disk."""

    exit_code = ExitCode.INTERRUPTED


def did_you_mean(word: str, allowed: Iterable[str]) -> str:
    """Return the end of a message about an unknown `word`: the nearest allowed one, then all."""
    words = list(allowed)
    close = get_close_matches(word, words, n=1)
    guess = f" Did you mean {close[0]!r}?" if close else ""
    return f"{guess} Known: {', '.join(words)}."

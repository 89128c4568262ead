"""Errors that end a command with a message instead of a traceback, and all exit codes.

KDReIDError                       1
├── UsageError                    2, also a ValueError
├── SetupError                    3
│   └── FileError                 3
│       ├── UnreadableFileError   3
│       ├── DamagedFileError      3
│       └── UnwritableFileError   3, also an OSError
├── SlurmError                    3
├── RunInterrupted              130
└── LeaseLostError                1  (harness.core.lease)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from enum import IntEnum
from pathlib import Path


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
    """Base of all errors that are printed as a message instead of a traceback.

    Args:
        problems: What is wrong and what to do about it; one text for each problem.
    """

    exit_code = ExitCode.FAILED

    def __init__(self, *problems: str) -> None:
        super().__init__(*problems)
        self.problems = problems

    def __str__(self) -> str:
        if len(self.problems) < 2:
            return "".join(self.problems)
        return "\n".join([f"{len(self.problems)} problems:", *(f"- {p}" for p in self.problems)])


class UsageError(KDReIDError, ValueError):
    """Error for a wrong request: an unknown name, an impossible value, a misspelt key."""

    exit_code = ExitCode.USAGE


class SetupError(KDReIDError):
    """Error for a valid request that lacks data, weights, a device or a writable folder."""

    exit_code = ExitCode.ENVIRONMENT


class FileError(SetupError):
    """Error for a file that is there and cannot be used.

    Args:
        path: The file.
        message: One sentence that names it and the next step.
        reason: What is wrong, as a clause that calls the file `it`, for other sentences about it.
    """

    def __init__(self, path: Path, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.path, self.reason = path, reason


class UnreadableFileError(FileError):
    """Error for a file that cannot be read: no permission, a disk that fails, a pipe."""


class DamagedFileError(FileError):
    """Error for a file that can be read and does not contain what it should."""


class UnwritableFileError(FileError, OSError):
    """Error for a file or folder that cannot be written: a full disk, no permission.

    It is an OSError with the same number, so that code that goes on without the file still does.

    Args:
        path: The file.
        message: One sentence that names it and the next step.
        error: The error of the operating system.
        reason: Why it cannot be written, as a clause.
    """

    def __init__(self, path: Path, message: str, error: OSError, reason: str = "") -> None:
        super().__init__(path, message, reason)
        self.errno, self.strerror = error.errno, error.strerror


class SlurmError(KDReIDError):
    """Error for a cluster that refuses a request or does not answer, or for a missing Slurm."""

    exit_code = ExitCode.ENVIRONMENT


class RunInterrupted(KDReIDError):  # noqa: N818  (named like KeyboardInterrupt)
    """End of a command whose stop was requested; all progress is on disk."""

    exit_code = ExitCode.INTERRUPTED


class ErrorCollector:
    """Errors of a request and its surroundings, collected to be reported together."""

    def __init__(self) -> None:
        self._usage: list[str] = []
        self._setup: list[str] = []

    @property
    def is_empty(self) -> bool:
        """True if no error was collected."""
        return not (self._usage or self._setup)

    @contextmanager
    def collect(self) -> Iterator[None]:
        """Keep a UsageError or SetupError raised within the block, and continue after it."""
        try:
            yield
        except UsageError as error:
            self._usage += error.problems
        except SetupError as error:
            self._setup += error.problems

    def raise_if_any(self) -> None:
        """Raise one error with all problems, each once.

        Raises:
            UsageError: A part of the request is wrong.
            SetupError: The request is valid, but something is missing.
        """
        problems = dict.fromkeys([*self._usage, *self._setup])
        if self._usage:
            raise UsageError(*problems)
        if self._setup:
            raise SetupError(*problems)


def suggest(word: str, allowed: Iterable[str], *, count: int = 1, similarity: float = 0.6) -> str:
    """Return " Did you mean ...?" with the allowed words most like `word`; empty if none is.

    Args:
        word: What was given. Upper and lower case are not distinguished.
        allowed: Words that are valid in its place.
        count: Largest number of suggestions.
        similarity: Least similarity of a suggestion, from 0 to 1 (equal).
    """
    by_lower = {name.casefold(): str(name) for name in reversed(list(allowed))}  # the first wins
    matches = get_close_matches(word.casefold(), by_lower, n=count, cutoff=similarity)
    similar = [by_lower[name] for name in matches]
    return f" Did you mean {' or '.join(map(repr, similar))}?" if similar else ""


def did_you_mean(word: str, allowed: Iterable[str]) -> str:
    """Return the end of a message about an unknown `word`: the most similar one, then all."""
    names = list(allowed)
    return f"{suggest(word, names)} Known: {', '.join(names)}."

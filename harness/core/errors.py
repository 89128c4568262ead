"""What can go wrong before or between runs, each with the exit code it ends the command with."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

DONE, FAILED, USAGE, ENVIRONMENT, INCOMPLETE, INTERRUPTED = 0, 1, 2, 3, 4, 130
REQUEUE = 75  # of a worker: everything is saved, start it again


class HarnessError(Exception):
    """One clear sentence for the user instead of a traceback."""

    exit_code = FAILED


class UsageError(HarnessError, ValueError):
    """The request is wrong: an unknown name, an impossible value, a misspelt key."""

    exit_code = USAGE


class SetupError(HarnessError):
    """The request is fine but this machine lacks something: data, weights, a writable folder."""

    exit_code = ENVIRONMENT


class InterruptedRunError(HarnessError):
    """The user or the system asked to stop; everything reached so far is on disk."""

    exit_code = INTERRUPTED


def nearest(word: str, allowed: Iterable[str]) -> str:
    """Finish a message about an unknown `word`: the nearest allowed one, then all of them."""
    words = list(allowed)
    close = get_close_matches(word, words, n=1)
    guess = f" Did you mean {close[0]!r}?" if close else ""
    return f"{guess} Known: {', '.join(words)}."


class SlurmError(Exception):
    """This machine or cluster lacks something, or did not answer; the command ends with 3."""

    exit_code = 3

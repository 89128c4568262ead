"""Damage one file at random, run a command in this process, and tell what became of the damage.

What a command does with a damaged file is one of six things. It names the file and goes on (said),
it ends with exit code 2 or 3 and a sentence (refused), or it does as if the file were whole: with
the same numbers (silently equal), or with others (silently other), which never may happen; nor may
a traceback, nor a wait of ten seconds without a line about what is waited for (hang).
"""

import random
import re
import signal
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.damages import damaged, damages
from tests.support.command_line import invoke

PROCESSOR_SECONDS, CLOCK_SECONDS = 10.0, 120.0  # a busy machine gives a process a part of the time
SAID, REFUSED, EQUAL = "said", "refused", "silently equal"
OTHER, TRACEBACK, HANG = "silently other", "traceback", "hang"
VERDICTS = (SAID, REFUSED, EQUAL, OTHER, TRACEBACK, HANG)


class HangError(BaseException):
    """The time is over; no handler of exceptions catches it."""


@dataclass
class Called:
    """What a command printed, and how it ended."""

    code: int
    output: str
    errors: str
    failure: str = ""  # an exception that a user would see as a traceback, or HANG


def run_command(*arguments):
    """Run a command in this process; a hang once it has used too much time."""

    def stop(*_):
        raise HangError

    timers = {signal.SIGPROF: signal.ITIMER_PROF, signal.SIGALRM: signal.ITIMER_REAL}
    former = {number: signal.signal(number, stop) for number in timers}
    signal.setitimer(signal.ITIMER_PROF, PROCESSOR_SECONDS)
    signal.setitimer(signal.ITIMER_REAL, CLOCK_SECONDS)
    try:
        done = invoke(*arguments)
        return Called(done.returncode, done.stdout, done.stderr)
    except HangError:
        return Called(-1, "", "", HANG)
    except Exception as error:
        return Called(-1, "", "", f"{type(error).__name__}: {error}")
    finally:
        for number, timer in timers.items():
            signal.setitimer(timer, 0)
            signal.signal(number, former[number])


def names_file(called, usual, path):
    """Whether what was printed besides the usual names the file, or the run that it belongs to."""
    usual_lines = {*usual.output.splitlines(), *usual.errors.splitlines()}
    lines = [*called.output.splitlines(), *called.errors.splitlines()]
    new = " ".join(line for line in lines if line not in usual_lines)
    words = {path.name, path.parent.name, path.stem if path.stem.isdecimal() else path.name}
    return any(word in new for word in words)


def numbers(text):
    """Every score in what was printed: numbers with two decimals, as tables have them."""
    return Counter(re.findall(r"-?\d+\.\d\d\b", text))


def judge(called, usual, path):
    """What became of a damaged file."""
    if called.failure:
        return HANG if called.failure == HANG else TRACEBACK
    if "Traceback (most recent call last)" in called.errors:
        return TRACEBACK
    if called.code in (2, 3) and called.code != usual.code and called.errors:
        return REFUSED
    if names_file(called, usual, path):
        return SAID
    is_equal = numbers(called.output) == numbers(usual.output)
    return EQUAL if is_equal and called.code == usual.code else OTHER


@dataclass
class Case:
    """One damage, one command, what became of it."""

    path: Path
    damage: str
    command: str
    verdict: str
    called: Called

    def __str__(self):
        called = self.called
        return (
            f"{self.verdict}: {self.path} {self.damage}; kdreid {self.command}\n"
            f"  exit code {called.code} {called.failure}\n  {called.output[-800:]}\n"
            f"  {called.errors[-800:]}"
        )


def examine(files, commands, count, seed=0):
    """Yield cases: every file in turn, its damage and the command at random.

    Args:
        files: Files below the runs folder.
        commands: Commands as tuples of words by a file's name; "" for the other files.
        count: Number of cases.
        seed: Another seed, other damages.
    """
    usual = {command: run_command(*command) for several in commands.values() for command in several}
    for called in usual.values():
        assert not called.failure, called
    for number in range(count):
        source = random.Random(f"{seed}-{number}")
        path = files[number % len(files)]
        damage = source.choice(damages(path))
        command = source.choice(commands.get(path.name, commands[""]))
        with damaged(path, damage, source, [file for file in files if file != path]):
            called = run_command(*command)
        verdict = judge(called, usual[command], path)
        yield Case(path, damage.__name__, " ".join(map(str, command)), verdict, called)


def assert_good(cases):
    """Print the counts of cases, and fail with those that must not be."""
    counts, bad = Counter(), []
    for case in cases:
        counts[case.verdict] += 1
        if case.verdict in (OTHER, TRACEBACK, HANG):
            bad.append(str(case))
            sys.stdout.write(f"{case}\n")
    summary = ", ".join(f"{counts[name]} {name}" for name in VERDICTS)
    sys.stdout.write(f"{counts.total()} cases: {summary}\n")
    assert not bad, "\n".join([f"{len(bad)} of {counts.total()}", *bad])

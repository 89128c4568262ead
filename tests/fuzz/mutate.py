"""Damage one file at random, run a command in this process, and count what became of the damage."""

import random
import signal
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.damages import damaged, damages
from tests.fuzz.verdicts import BAD, HANG, VERDICTS, Called, judge
from tests.support.command_line import invoke

PROCESSOR_SECONDS, CLOCK_SECONDS = 10.0, 60.0  # a busy machine gives a process a part of the time


class HangError(BaseException):
    """The time is over; no handler of exceptions catches it."""


@contextmanager
def time_limit():
    """Raise HangError within the block once it has used too much time."""

    def stop(*_):
        raise HangError

    timers = {signal.SIGPROF: signal.ITIMER_PROF, signal.SIGALRM: signal.ITIMER_REAL}
    former = {number: signal.signal(number, stop) for number in timers}
    signal.setitimer(signal.ITIMER_PROF, PROCESSOR_SECONDS)
    signal.setitimer(signal.ITIMER_REAL, CLOCK_SECONDS)
    try:
        yield
    finally:
        for number, timer in timers.items():
            signal.setitimer(timer, 0)
            signal.signal(number, former[number])


def watched(call):
    """What a function prints that returns a CompletedProcess; a hang once it took too long."""
    try:
        with time_limit():
            done = call()
    except HangError:
        return Called(-1, "", "", HANG)
    except Exception as error:
        return Called(-1, "", "", f"{type(error).__name__}: {error}")
    return Called(done.returncode, done.stdout, done.stderr)


def run_command(*arguments):
    """Run a command in this process."""
    return watched(lambda: invoke(*arguments))


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


def examine(files, commands, count, seed=0, call: Callable[..., Called] = run_command):
    """Yield cases: every file in turn, its damage and the command at random.

    Args:
        files: Files below the runs folder.
        commands: Returns the commands, tuples of words, of which one is chosen for a file.
        count: Number of cases.
        seed: Another seed, other damages.
        call: Runs a command.
    """
    usual = {}
    for number in range(count):
        source = random.Random(f"{seed}-{number}")
        path = files[number % len(files)]
        command = source.choice(commands(path))
        if command not in usual:  # every file is whole
            usual[command] = call(*command)
            assert not usual[command].failure, usual[command]
        damage = source.choice(damages(path))
        with damaged(path, damage, source, [file for file in files if file != path]):
            called = call(*command)
        verdict = judge(called, usual[command], path, command[0])
        yield Case(path, damage.__name__, " ".join(map(str, command)), verdict, called)


def assert_good(cases):
    """Print the counts of cases, and fail with those that must not be."""
    counts, bad = Counter(), []
    for case in cases:
        counts[case.verdict] += 1
        if case.verdict in BAD:
            bad.append(str(case))
            sys.stdout.write(f"{case}\n")
    summary = ", ".join(f"{counts[name]} {name}" for name in VERDICTS)
    sys.stdout.write(f"{counts.total()} cases: {summary}\n")
    assert not bad, "\n".join([f"{len(bad)} of {counts.total()}", *bad])

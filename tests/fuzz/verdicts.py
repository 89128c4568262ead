"""Tell what became of a damaged file from what a command prints with it and without the damage.

What a command does with a damaged file is one of seven things. It says so and goes on (said): a
line that is not printed otherwise has the file's name, or the run's and a word for a damage. It
says so and ends with exit code 2 or 3 (refused). It prints exactly what it prints of the whole file
(silently equal), or what the file now holds where that is permitted, for the reasons that PERMITTED
has (shown). Anything else that it prints is another result without a word (silently other), which
never may happen; nor may a traceback, nor a wait without a line about what is waited for (hang).
"""

import re
from collections import Counter
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from harness.runs.layout import CONSISTENCY, CURVE, FAILURE, PROGRESS, RECORD, TRAINING_COST

SAID, REFUSED, EQUAL, SHOWN = "said", "refused", "silently equal", "shown"
OTHER, TRACEBACK, HANG = "silently other", "traceback", "hang"
VERDICTS = (SAID, REFUSED, EQUAL, SHOWN, OTHER, TRACEBACK, HANG)
BAD = (OTHER, TRACEBACK, HANG)
PROBLEMS = re.compile(
    r"\b(ignored|damaged|unreadable|missing|cannot be (read|used)|not complete|do not agree|"
    r"was made by another version)\b"
)


@dataclass
class Called:
    """What a command printed, and how it ended."""

    code: int
    output: str
    errors: str
    failure: str = ""  # an exception that a user would see as a traceback, or HANG

    @property
    def lines(self):
        return [*self.output.splitlines(), *self.errors.splitlines()]


@dataclass(frozen=True)
class Permitted:
    """A change of what is printed that needs no word about the file."""

    file: str  # pattern of its name
    command: str
    lines: str  # pattern of each line that is printed only with the damage or only without it
    reason: str


PERMITTED = (
    Permitted("*_log.*", "logs", ".*", "A log is any text: it is printed as it stands."),
    Permitted(
        PROGRESS,
        "status",
        r".* (interrupted|waiting) .*",
        "Nothing depends on the last reported step, which is written anew every few seconds: "
        "another one is printed as it stands, and one that cannot be read as `?`.",
    ),
    Permitted(
        CURVE,
        "diff",
        r"  (\w+ differs from step|equal at all) .*",
        "A curve has no digest, and no score or table depends on it: a changed digit is the "
        "difference between two curves that `diff` is asked for.",
    ),
    *(
        Permitted(
            name,
            "figures",
            ".*",
            "The file has no digest, and no score or table depends on it: numbers that can be read "
            "are drawn as they stand, and a measurement of other weights is not drawn.",
        )
        for name in (CURVE, CONSISTENCY, Path(TRAINING_COST).name)
    ),
    Permitted(
        RECORD,
        "plan",
        r"(  |In all )about .* from .*",
        "The times of a plan are estimated from those in records, as many as have any.",
    ),
    Permitted(
        RECORD,
        "diff",
        r"(code|data|teacher|environment)(: the same)?|  (?!\S+ (mAP|R1) |(status|steps) ).*",
        "A record has no digest: what it says of its code and machine is printed as it stands. Its "
        "scores are checked by those of the queries; `diff` loads no network, and whatever does "
        "checks its digest.",
    ),
    Permitted(
        FAILURE,
        "*",
        ".*",
        "A failure is a message and its kind: another one that can be read is printed.",
    ),
)


def changed_lines(called, usual):
    """The lines that are printed more often in the first than in the second."""
    left, changed = Counter(usual.lines), []
    for line in called.lines:
        if left[line]:
            left[line] -= 1
        else:
            changed.append(line)
    return changed


def speaks_of(line, path):
    """Whether a line is about the file: it has its name, or the run's and a word for a damage."""
    if re.search(rf"(?<![\w.]){re.escape(path.name)}(?!\.?\w)", line):
        return True
    return path.parent.name in line and bool(PROBLEMS.search(line))


def is_permitted(called, usual, path, command):
    """Whether a command may print these other lines without a word about the file."""
    lines = [*changed_lines(called, usual), *changed_lines(usual, called)]
    return called.code == usual.code and any(
        fnmatch(path.name, case.file)
        and fnmatch(command, case.command)
        and all(re.fullmatch(case.lines, line) for line in lines)
        for case in PERMITTED
    )


def judge(called, usual, path, command):
    """What became of a damaged file.

    Args:
        called: What the command printed of it.
        usual: What it prints while the file is whole.
        path: The file.
        command: The command's name.
    """
    if called.failure:
        return HANG if called.failure == HANG else TRACEBACK
    if "Traceback (most recent call last)" in called.errors:
        return TRACEBACK
    if any(speaks_of(line, path) for line in changed_lines(called, usual)):
        return REFUSED if called.code in (2, 3) and called.code != usual.code else SAID
    if called == usual:
        return EQUAL
    return SHOWN if is_permitted(called, usual, path, command) else OTHER

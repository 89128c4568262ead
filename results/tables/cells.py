"""From the runs of one row to what its cells say; an empty cell always says why it is empty."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from results.comparable import Setting

NO_RUN = "-"
UNDISTILLED = ("none", "Student")  # the plain student's method and label in every table
Place = tuple[str, str]  # of a line in its table: the method and the label


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table: what is read, and what it was made from."""

    text: str  # what every format shows
    runs: tuple[str, ...] = ()  # keys of the runs it was made from
    group: Literal["", "best", "second"] = ""  # bold, underlined
    detail: str = ""  # more, for whoever asks: an interval, the seeds, unequal protocols
    value: float | None = None  # to sort by; what has none comes last


def plain(text: str) -> Cell:
    """A cell that no run stands behind."""
    return Cell(text)


@dataclass(frozen=True, slots=True)
class Line:
    """The runs of one row: one method with one set of options, seed by seed."""

    method: str
    label: str
    runs: pd.DataFrame

    @property
    def place(self) -> Place:
        """What tells it from the other lines of its table."""
        return self.method, self.label

    @property
    def done(self) -> pd.DataFrame:
        """The runs that have scores."""
        return self.runs[self.runs["status"] == "done"]

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of all its runs, finished or not."""
        return _keys(self.runs)

    @property
    def failed(self) -> pd.DataFrame:
        """The runs that ended without."""
        return self.runs[self.runs["status"] == "failed"]


def lines(setting: Setting, method: str, label: str = "") -> list[Line]:
    """One line per set of options of `method`, the defaults first; a line without runs if none ran.

    Runs of one method whose code differs are no repetitions of each other: each code has its line.
    """
    runs = setting.students[setting.students["method"] == method]
    if runs.empty:
        return [Line(method, label or method, runs)]
    name = label or str(runs["label"].iloc[(runs["status"] != "done").argmin()])
    return list(_by_options(runs, method, name))


def _by_options(runs: pd.DataFrame, method: str, name: str) -> Iterator[Line]:
    for options, same in runs.groupby("options", sort=True):
        versions = same.groupby("version", sort=True)
        for version, group in versions:
            code = f"code {version}" if len(versions) > 1 else ""
            added = ", ".join(filter(None, (str(options), code)))
            yield Line(method, f"{name} ({added})" if added else name, group)


def row_label(line: Line) -> Cell:
    """What the row is called."""
    return Cell(line.label, line.keys)


def score(line: Line, column: str) -> Cell:
    """Percent: the value of one seed, mean ± standard deviation (ddof 1) of more."""
    if line.done.empty:
        return Cell(failures(line) or NO_RUN, line.keys)
    values = 100 * line.done[column].astype(float)
    mean, detail = float(values.mean()), _by_seed(values, line.done["seed"])
    text = f"{mean:.2f}" if len(values) == 1 else f"{mean:.2f} ± {values.std(ddof=1):.2f}"
    return Cell(text, _keys(line.done), detail=detail, value=mean)


def seeds(line: Line, expected: int) -> Cell:
    """How many seeds the line's scores are of, and of how many if that is fewer than `expected`."""
    if line.runs.empty:
        return Cell(NO_RUN)
    count = len(line.done)
    text = f"{count}/{expected} seeds" if count < expected else str(count)
    if count:
        text = ", ".join(filter(None, (text, failures(line))))
    return Cell(text, line.keys, value=float(count))


def gain(line: Line, student: Line | None) -> Cell:
    """Mean over seeds of mAP minus the undistilled student's of the same seed, in points."""
    if student is None or line.done.empty:
        return Cell(NO_RUN)
    ours, theirs = (part.done.set_index("seed")["mAP"].astype(float) for part in (line, student))
    differences = (100 * (ours - theirs)).dropna()
    if differences.empty:
        return Cell(NO_RUN)
    mean = float(differences.mean())
    text = f"{mean:+.2f}"
    if len(differences) < len(ours):
        text = f"{text} ({len(differences)} of {len(ours)})"
    used = [part.done[part.done["seed"].isin(differences.index)] for part in (line, student)]
    return Cell(text, (*_keys(used[0]), *_keys(used[1])), value=mean)


def wanted_seeds(setting: Setting) -> frozenset[int]:
    """The seeds of a complete row: all that any distilled student was given."""
    taught = setting.students[setting.students["teacher_key"] != ""]
    return frozenset(map(int, (setting.students if taught.empty else taught)["seed"]))


def expected_seeds(setting: Setting) -> int:
    """How many seeds a complete row has."""
    return len(wanted_seeds(setting))


def undistilled(setting: Setting) -> Line | None:
    """The plain student to measure gains against; None if there is none, or more than one."""
    found = lines(setting, *UNDISTILLED)
    return found[0] if len(found) == 1 and not found[0].done.empty else None


def teacher_lines(setting: Setting) -> list[tuple[Line, str]]:
    """One line per teacher, with its network."""
    found = []
    for number, (key, network) in enumerate(setting.teachers, 1):
        label = "Teacher" if len(setting.teachers) == 1 else f"Teacher {number}"
        runs = setting.teacher_runs[setting.teacher_runs["key"] == key]
        found.append((Line("teacher", label, runs), network))
    return found or [(Line("teacher", "Teacher", setting.teacher_runs.iloc[:0]), "")]


def _keys(runs: pd.DataFrame) -> tuple[str, ...]:
    return tuple(map(str, runs["key"]))


def _by_seed(values: pd.Series, numbers: pd.Series) -> str:
    pairs = zip(numbers, values, strict=True)
    return ", ".join(f"seed {number}: {value:.2f}" for number, value in pairs)


def failures(line: Line) -> str:
    """How the line's failed runs failed; empty if none did."""
    kinds = ", ".join(sorted(set(line.failed["failure"])))
    return f"failed: {kinds}" if kinds else ""

"""Rows of a table: the runs of one method and setting, averaged over seeds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from results.comparable import ComparisonGroup

BASELINE = ("none", "Student")  # the plain student's method and label in every table
RowId = tuple[str, str]  # of a line in its table: the method and the label


@dataclass(frozen=True, slots=True)
class TableRow:
    """The runs of one row: one method with one set of options, seed by seed."""

    method: str
    label: str
    runs: pd.DataFrame

    @property
    def place(self) -> RowId:
        """What tells it from the other lines of its table."""
        return self.method, self.label

    @property
    def done(self) -> pd.DataFrame:
        """The runs that have scores."""
        return self.runs[self.runs["status"] == "done"]

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of all its runs, finished or not."""
        return run_keys(self.runs)

    @property
    def failed(self) -> pd.DataFrame:
        """The runs that ended without."""
        return self.runs[self.runs["status"] == "failed"]


def table_rows(setting: ComparisonGroup, method: str, label: str = "") -> list[TableRow]:
    """One line per set of options of `method`, the defaults first; a line without runs if none ran.

    Runs of one method whose code differs are no repetitions of each other: each code has its line.
    """
    runs = setting.students[setting.students["method"] == method]
    if runs.empty:
        return [TableRow(method, label or method, runs)]
    name = label or str(runs["label"].iloc[(runs["status"] != "done").argmin()])
    return list(_by_options(runs, method, name))


def _by_options(runs: pd.DataFrame, method: str, name: str) -> Iterator[TableRow]:
    for options, same in runs.groupby("options", sort=True):
        versions = same.groupby("version", sort=True)
        for version, group in versions:
            code = f"code {version}" if len(versions) > 1 else ""
            added = ", ".join(filter(None, (str(options), code)))
            yield TableRow(method, f"{name} ({added})" if added else name, group)


def complete_seeds(setting: ComparisonGroup) -> frozenset[int]:
    """The seeds of a complete row: all that any distilled student was given."""
    taught = setting.students[setting.students["teacher_key"] != ""]
    return frozenset(map(int, (setting.students if taught.empty else taught)["seed"]))


def expected_seeds(setting: ComparisonGroup) -> int:
    """How many seeds a complete row has."""
    return len(complete_seeds(setting))


def baseline_row(setting: ComparisonGroup) -> TableRow | None:
    """The plain student to measure gains against; None if there is none, or more than one."""
    found = table_rows(setting, *BASELINE)
    return found[0] if len(found) == 1 and not found[0].done.empty else None


def teacher_rows(setting: ComparisonGroup) -> list[tuple[TableRow, str]]:
    """One line per teacher, with its network."""
    found = []
    for number, (key, network) in enumerate(setting.teachers, 1):
        label = "Teacher" if len(setting.teachers) == 1 else f"Teacher {number}"
        runs = setting.teacher_runs[setting.teacher_runs["key"] == key]
        found.append((TableRow("teacher", label, runs), network))
    return found or [(TableRow("teacher", "Teacher", setting.teacher_runs.iloc[:0]), "")]


def run_keys(runs: pd.DataFrame) -> tuple[str, ...]:
    """Return the keys of these runs, in their order."""
    return tuple(map(str, runs["key"]))

"""Rows of a table: the runs of one method with one set of options, one run for each seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from results.comparable import ComparisonGroup

RowId = tuple[str, str]  # a row's method and label
BASELINE: RowId = ("none", "Student")  # the undistilled student
NO_RUN = "-"  # printed in place of a number that no run provides


@dataclass(frozen=True, eq=False)
class TableRow:
    """The runs of one row."""

    method: str
    label: str
    runs: pd.DataFrame  # rows of `collect_runs`

    @property
    def row_id(self) -> RowId:
        """Method and label, which no other row of the table has."""
        return self.method, self.label

    @cached_property
    def done(self) -> pd.DataFrame:
        """Rows of the runs that have scores."""
        return self.runs[self.runs["status"] == "done"]

    @cached_property
    def failed(self) -> pd.DataFrame:
        """Rows of the runs that failed."""
        return self.runs[self.runs["status"] == "failed"]

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of all runs, finished or failed."""
        return run_keys(self.runs)

    def describe_failures(self) -> str:
        """Return the kinds of failure, as "failed: memory"; empty if no run failed."""
        kinds = ", ".join(sorted(set(self.failed["failure"])))
        return f"failed: {kinds}" if kinds else ""


def run_keys(runs: pd.DataFrame) -> tuple[str, ...]:
    """Return the keys of these runs, in their order."""
    return tuple(map(str, runs["key"]))


def methods_in_order(group: ComparisonGroup) -> list[str]:
    """Return the methods of the group's students in the order of tables, the baseline first."""
    students = group.students.sort_values(["order", "method"])
    distilled = students[students["method"] != BASELINE[0]]
    return [BASELINE[0], *dict.fromkeys(map(str, distilled["method"]))]


def table_rows(group: ComparisonGroup, method: str, label: str = "") -> list[TableRow]:
    """Return one row for each set of options that `method` ran with, the defaults first.

    Runs of one method whose code differs do not repeat each other: each code has a row. Without any
    run there is one row without runs.

    Args:
        group: The group of the students.
        method: Name of the method.
        label: Name of the rows; by default the label in the method's records.
    """
    runs = group.students[group.students["method"] == method]
    if runs.empty:
        return [TableRow(method, label or method, runs)]
    if not label:
        first_done = (runs["status"] != "done").argmin()  # the first run if none is done
        label = str(runs["label"].iloc[first_done])
    return list(_rows_by_options(runs, method, label))


def _rows_by_options(runs: pd.DataFrame, method: str, label: str) -> Iterator[TableRow]:
    for options, with_options in runs.groupby("options", sort=True):
        versions = with_options.groupby("version", sort=True)
        for version, repetitions in versions:
            code = f"code {version}" if len(versions) > 1 else ""
            suffix = ", ".join(filter(None, (str(options), code)))
            yield TableRow(method, f"{label} ({suffix})" if suffix else label, repetitions)


def complete_seeds(group: ComparisonGroup) -> frozenset[int]:
    """Return the seeds of a complete row: those of any distilled student.

    In a group without distilled students they are those of any student.
    """
    distilled = group.students[group.students["teacher_key"] != ""]
    return frozenset(map(int, (group.students if distilled.empty else distilled)["seed"]))


def expected_seeds(group: ComparisonGroup) -> int:
    """Return the number of seeds of a complete row."""
    return len(complete_seeds(group))


def baseline_row(group: ComparisonGroup) -> TableRow | None:
    """Return the undistilled student.

    None if it has no scores, or several rows because of different code or options.
    """
    rows = table_rows(group, *BASELINE)
    return rows[0] if len(rows) == 1 and not rows[0].done.empty else None


def teacher_rows(group: ComparisonGroup) -> list[tuple[TableRow, str]]:
    """Return one row for each teacher, with its network; none if the group has no teacher.

    With teachers of each seed a row has the teachers of all seeds.
    """
    by_seed = [teachers for _, teachers in group.teachers_by_seed] or [group.teachers]
    rows = []
    for number, (_, network) in enumerate(group.teachers):
        label = "Teacher" if len(group.teachers) == 1 else f"Teacher {number + 1}"
        keys = [teachers[number][0] for teachers in by_seed]
        runs = group.teacher_runs[group.teacher_runs["key"].isin(keys)]
        rows.append((TableRow("teacher", label, runs), network))
    return rows

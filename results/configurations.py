"""One configuration of each method: the row that is compared, and the others, which are variants.

A folder may hold a method with its defaults, with the options of a study, and with every point of
a sweep. Only one of them is compared with other methods: a method that was tried in nine variants
would otherwise have nine chances to win, and every further row makes all tests stricter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from results.comparable import ComparisonGroup
from results.lines import BASELINE, RowId, TableRow, methods_in_order, table_rows

Options = Mapping[str, Mapping[str, object]]  # by method and name


@dataclass(frozen=True, slots=True)
class TableChoice:
    """What a report compares.

    Attributes:
        against: Method whose row gains are measured from and tested against.
        options: By method the options of the configuration that is compared, such as those of a
            study; a method without an entry is compared with its defaults.
    """

    against: str = BASELINE[0]
    options: Options = field(default_factory=dict)


DEFAULT_CHOICE = TableChoice()


def rows_by_method(group: ComparisonGroup) -> dict[str, list[TableRow]]:
    """Return all rows of the baseline and of every method that ran, in the order of tables."""
    return {
        method: table_rows(group, method, BASELINE[1] if method == BASELINE[0] else "")
        for method in methods_in_order(group)
    }


def compared_rows(group: ComparisonGroup, choice: TableChoice = DEFAULT_CHOICE) -> list[TableRow]:
    """Return the row of each method that is compared, the baseline first."""
    return [
        choose_configuration(rows, choice.options.get(method, {}))
        for method, rows in rows_by_method(group).items()
    ]


def variant_rows(
    group: ComparisonGroup, choice: TableChoice = DEFAULT_CHOICE
) -> list[tuple[TableRow, list[TableRow]]]:
    """Return the compared row of each method that ran in several configurations, and the others."""
    result = []
    for method, rows in rows_by_method(group).items():
        chosen = choose_configuration(rows, choice.options.get(method, {}))
        others = [row for row in rows if row.row_id != chosen.row_id]
        if others:
            result.append((chosen, others))
    return result


def choose_configuration(
    rows: Sequence[TableRow], options: Mapping[str, object] | None = None
) -> TableRow:
    """Return the row of a method that is compared with other methods.

    It is the one with the given options, otherwise the one with the defaults, otherwise the one
    with the most finished seeds; of several the first that has the most finished seeds.

    Args:
        rows: All rows of the method, at least one.
        options: Options of the row that is preferred, by name.
    """
    wanted = ", ".join(f"{name}={value}" for name, value in sorted((options or {}).items()))

    def order(row: TableRow) -> tuple[bool, bool, int]:
        given = "" if row.runs.empty else str(row.runs["options"].iloc[0])
        return given != wanted, given != "", -row.done["seed"].nunique()

    finished = [row for row in rows if not row.done.empty]
    return min(finished or rows, key=order)


def reference_row(rows: Sequence[TableRow], choice: TableChoice = DEFAULT_CHOICE) -> RowId | None:
    """Return the row that others are tested against; None if it has no finished run."""
    return next(
        (row.row_id for row in rows if row.method == choice.against and not row.done.empty), None
    )

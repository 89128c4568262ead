"""Footnotes on runs of one table that different code, versions or devices made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from harness.core.text import printable
from harness.runs.origin import join_names
from results.comparable import different_origins
from results.tables.cells import Cell


def origin_notes(
    runs: pd.DataFrame, rows: Sequence[Sequence[Cell]], place: str = ""
) -> Iterator[str]:
    """Yield a note if runs that a table compares were not made by the same.

    Args:
        runs: Rows of `collect_runs` that are compared with each other.
        rows: The table's rows; runs without a cell do not count.
        place: The part of the table that compares them, such as "on msmt17"; all of it if empty.
    """
    shown = {key for row in rows for cell in row for key in cell.runs}
    origins = {
        str(key): origin
        for key, origin in zip(runs["key"], runs["origin"], strict=True)
        if key in shown
    }
    values = different_origins(origins.values())
    if not values:
        return
    mixed = [
        row[0].text
        for row in rows
        if different_origins(origins[key] for key in row[0].runs if key in origins)
    ]
    yield (
        f"The runs {place or 'of this table'} were not all made by the same: they differ in "
        f"{_describe(values)}. Any difference between two rows may come from that, gains, letters "
        f"and bold included.{_describe_mixed(mixed)}"
    )


def _describe(values: Mapping[str, Sequence[str]]) -> str:
    code = tuple(name for name in values if name.endswith(" code"))
    others = [
        f"{name} ({', '.join(map(printable, several))})"
        for name, several in values.items()
        if name not in code
    ]
    return ", ".join([*([join_names(code)] if code else ()), *others])


def _describe_mixed(labels: Sequence[str]) -> str:
    if not labels:
        return ""
    return f" Means over seeds that were not made alike: {', '.join(dict.fromkeys(labels))}."

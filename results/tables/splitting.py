"""Wide and tall tables cut so that they fit a terminal or a printed page."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from results.tables.table import Table


def split_columns(table: Table, width: float, gap: float) -> list[Table]:
    """The table in parts of at most `width` characters side by side, the first column in each.

    `gap` is the space between two columns, in characters. An R1 stays beside its mAP. A column that
    does not fit beside the first one even alone stands there all the same.
    """
    widths = [
        max(map(len, (heading, *(row[number].text for row in table.rows))))
        for number, heading in enumerate(table.columns)
    ]
    parts: list[list[int]] = [[0]]
    used = 0.0
    for together in _pairs(table.columns):
        needed = sum(widths[number] + gap for number in together)
        if len(parts[-1]) > 1 and widths[0] + used + needed > width:
            parts.append([0])
            used = 0.0
        parts[-1] += together
        used += needed
    if len(parts) == 1:
        return [table]
    return [
        replace(
            table,
            columns=tuple(table.columns[number] for number in part),
            rows=tuple(tuple(row[number] for number in part) for row in table.rows),
        )
        for part in parts
    ]


def _pairs(headings: Sequence[str]) -> Iterator[list[int]]:
    """The columns after the first, an R1 together with the mAP that it follows."""
    together: list[int] = []
    for number, heading in enumerate(headings[1:], 1):
        if together and not ("R1" in heading and "mAP" in headings[number - 1]):
            yield together
            together = []
        together.append(number)
    if together:
        yield together


def paginate(heights: list[float], height: float) -> Iterator[range]:
    """Consecutive pieces of the given heights in as few pages as hold them, each in `range`."""
    first, used = 0, 0.0
    for number, needed in enumerate(heights):
        if number > first and used + needed > height:
            yield range(first, number)
            first, used = number, 0.0
        used += needed
    yield range(first, len(heights))


def count_lines(text: str, width: int) -> int:
    """How many lines a text of that many characters a line takes."""
    return max(1, math.ceil(len(text) / width))

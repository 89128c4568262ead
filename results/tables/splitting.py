"""Split wide and tall tables so that they fit a terminal or a printed page."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from results.tables.table import Table


def split_columns(table: Table, width: float, gap: float) -> list[Table]:
    """Return the table in parts of at most `width`, each with the first column.

    An R1 stays next to its mAP. Columns that do not fit next to the first one even alone are in a
    part of their own, which is then wider.

    Args:
        table: The table.
        width: Largest width of a part, in characters.
        gap: Space between two columns, in characters.
    """
    widths = [
        max(map(len, (heading, *(row[number].text for row in table.rows))))
        for number, heading in enumerate(table.columns)
    ]
    parts: list[list[int]] = [[0]]
    used = 0.0
    for block in _column_blocks(table.columns):
        needed = sum(widths[number] + gap for number in block)
        if len(parts[-1]) > 1 and widths[0] + used + needed > width:
            parts.append([0])
            used = 0.0
        parts[-1] += block
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


def paginate(heights: list[float], page_height: float) -> Iterator[range]:
    """Yield the pieces of each page as a range; pieces are consecutive.

    A piece that is higher than a page is alone on its page.

    Args:
        heights: Heights of the pieces, in any unit.
        page_height: Height of a page in the same unit.
    """
    first, used = 0, 0.0
    for number, height in enumerate(heights):
        if number > first and used + height > page_height:
            yield range(first, number)
            first, used = number, 0.0
        used += height
    yield range(first, len(heights))


def count_lines(text: str, width: int) -> int:
    """Return the number of lines of at most `width` characters that a text takes, at least 1."""
    return max(1, math.ceil(len(text) / width))


def _column_blocks(headings: Sequence[str]) -> Iterator[list[int]]:
    """Yield the columns after the first, an R1 together with the mAP before it."""
    block: list[int] = []
    for number, heading in enumerate(headings[1:], 1):
        if block and not ("R1" in heading and "mAP" in headings[number - 1]):
            yield block
            block = []
        block.append(number)
    if block:
        yield block

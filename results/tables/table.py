"""A table of cells, and the parts that several tables share."""

from __future__ import annotations

from dataclasses import dataclass

from results.comparable import ComparisonGroup
from results.lines import TableRow
from results.tables.cells import Cell, score_cell

# Datasets as their authors write them; others are printed under the name of their configuration.
DATASET_NAMES = {
    "market1501": "Market-1501",
    "dukemtmc": "DukeMTMC-reID",
    "msmt17": "MSMT17",
    "veri776": "VeRi-776",
    "vehicleid": "VehicleID",
    "synthetic": "generated images",
}


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells; a cell is empty if its column does not apply to its row.

    Attributes:
        name: Name of its files.
        title: What it compares, in a few words.
        columns: Headings.
        rows: The cells of each row.
        caption: What a reader needs to read it: a few short sentences, printed below it.
        footnotes: Everything else about its numbers, printed once in a report's notes.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    caption: tuple[str, ...]
    footnotes: tuple[str, ...] = ()


def score_cells(row: TableRow, group: ComparisonGroup) -> tuple[Cell, ...]:
    """Return the cells of every score that the group's tables show."""
    return tuple(score_cell(row, column) for column in group.score_columns)


def score_heading(column: str, group: ComparisonGroup) -> str:
    """Return the heading of a score column: "Test800 mAP (partial)" for "test800 mAP"."""
    several = len(group.evaluations) > 1
    heading = column[0].upper() + column[1:] if several else column
    return f"{heading} ({group.data_note})" if group.data_note else heading


def qualify_title(title: str, group: ComparisonGroup) -> str:
    """Return the title with the group's data flags and distinguishing settings in brackets."""
    flags = [f"{group.data_note} data"] if group.data_note else []
    qualifiers = "; ".join([*flags, *group.distinguishing_fields])
    return f"{title} ({qualifiers})" if qualifiers else title

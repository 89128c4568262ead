"""Tables as the page shows them: columns that are shown first, cells, names of rows."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from results.page.details import join_run_numbers
from results.page.extra_columns import ExtraColumn
from results.tables.cells import Cell
from results.tables.formats import TEXT_COLUMNS
from results.tables.latex import escape_latex
from results.tables.table import Table

LONG_TEXT = 30  # characters; longer cells are wrapped
# Columns that become a line below the title if all rows have the same text in them.
FOLDABLE = ("Teacher", "Student", "Network", "Seeds", "Datasets")
NETWORKS = ("Teacher", "Student", "Network")  # of FOLDABLE; rows of teachers do not count
_SIMPLE = re.compile(r"[\w .,;:+/()=±\[\]*-]*", re.ASCII)  # the page's script makes LaTeX of it


@dataclass(frozen=True, slots=True)
class PageColumn:
    """A column as the page shows it.

    Attributes:
        heading: Its heading.
        latex: The heading as LaTeX; empty if the page's script can make it.
        alignment: "left" or "right".
        is_shown: Whether it is shown at first.
        is_extra: Whether only the page has it.
    """

    heading: str
    latex: str
    alignment: str
    is_shown: bool
    is_extra: bool


@dataclass(frozen=True, slots=True)
class PageCell:
    """A cell as the page shows it.

    Attributes:
        text: Its text.
        latex: The text as LaTeX; empty if the page's script can make it.
        place: "best", "second" or empty, see `Mark`.
        is_tied: Whether a dagger follows.
        detail: Text of its tooltip.
        value: Number to sort by; empty without one.
        runs: Numbers of its runs, such as "0 3".
    """

    text: str
    latex: str
    place: str
    is_tied: bool
    detail: str
    value: str
    runs: str

    @property
    def is_long(self) -> bool:
        """True if the text is wrapped."""
        return len(self.text) > LONG_TEXT


@dataclass(frozen=True, slots=True)
class PageRow:
    """A row, with its name in links and the datasets of its runs, separated by spaces."""

    anchor: str
    cells: tuple[PageCell, ...]
    datasets: str


@dataclass(frozen=True, slots=True)
class PageSection:
    """A table, with what all its rows have in common and the datasets of its runs."""

    table: Table
    columns: tuple[PageColumn, ...]
    rows: tuple[PageRow, ...]
    constants: tuple[str, ...]
    datasets: str


def page_section(
    table: Table, numbers: Mapping[str, int], extras: Sequence[ExtraColumn] = ()
) -> PageSection:
    """Return a table as the page shows it.

    Args:
        table: The table.
        numbers: Numbers of its runs by key, from `number_runs`.
        extras: Columns that are added, hidden at first.
    """
    constants = constant_columns(table)
    columns = [
        _page_column(heading, is_shown=heading not in constants, is_extra=False)
        for heading in table.columns
    ]
    columns += [_page_column(one.heading, is_shown=False, is_extra=True) for one in extras]
    anchors = row_anchors(table)
    rows = tuple(
        PageRow(
            anchor,
            tuple(
                _page_cell(cell, numbers)
                for cell in (*row, *(extra.cells[number] for extra in extras))
            ),
            _datasets(row),
        )
        for number, (anchor, row) in enumerate(zip(anchors, table.rows, strict=True))
    )
    datasets = " ".join(sorted({name for row in rows for name in row.datasets.split()}))
    texts = tuple(f"{heading}: {text}" for heading, text in constants.items())
    return PageSection(table, tuple(columns), rows, texts, datasets)


def constant_columns(table: Table) -> dict[str, str]:
    """Return heading and text of every `FOLDABLE` column with one text in all rows that have one.

    The network of a teacher's row is named in the column of teachers, so it is not counted.
    """
    constants = {}
    for number, heading in enumerate(table.columns):
        if heading not in FOLDABLE or number == 0:
            continue
        is_network = heading in NETWORKS
        rows = (row for row in table.rows if not (is_network and _is_teacher(row)))
        texts = {row[number].text for row in rows} - {""}
        if len(texts) == 1 and (is_network or len(table.rows) > 1):
            constants[heading] = texts.pop()
    if "Teacher" not in constants and any(map(_is_teacher, table.rows)):
        constants.pop("Student", None)  # the only place of the teachers' networks
    return constants


def row_anchors(table: Table) -> list[str]:
    """Return a name for links to each row, "comparison-msmt17--pdrd"; no two are equal."""
    anchors: list[str] = []
    for row in table.rows:
        plain = unicodedata.normalize("NFKD", row[0].text).encode("ascii", "ignore").decode()
        word = re.sub(r"[^a-z0-9.=]+", "-", plain.lower()).strip("-") or "row"
        anchor, count = f"{table.name}--{word}", 1
        while anchor in anchors:
            count += 1
            anchor = f"{table.name}--{word}-{count}"
        anchors.append(anchor)
    return anchors


def _is_teacher(row: Sequence[Cell]) -> bool:
    return re.fullmatch(r"Teacher( \d+)?", row[0].text) is not None


def _page_column(heading: str, *, is_shown: bool, is_extra: bool) -> PageColumn:
    alignment = "left" if heading in TEXT_COLUMNS else "right"
    return PageColumn(heading, _latex(heading), alignment, is_shown, is_extra)


def _page_cell(cell: Cell, numbers: Mapping[str, int]) -> PageCell:
    value = ""
    if cell.value is not None and math.isfinite(cell.value):
        value = repr(float(cell.value))
    return PageCell(
        text=cell.text,
        latex=_latex(cell.text),
        place=cell.mark.place,
        is_tied=cell.mark.is_tied,
        detail=cell.detail,
        value=value,
        runs=join_run_numbers(cell.runs, numbers),
    )


def _latex(text: str) -> str:
    """Return a text as LaTeX; empty if it has only characters that the page's script knows."""
    return "" if _SIMPLE.fullmatch(text) and "_" not in text else escape_latex(text)


def _datasets(row: Sequence[Cell]) -> str:
    """Return the datasets of a row's runs, the first part of their keys."""
    return " ".join(sorted(set(_dataset_names(row))))


def _dataset_names(row: Sequence[Cell]) -> Iterator[str]:
    return (key.partition("/")[0] for cell in row for key in cell.runs)

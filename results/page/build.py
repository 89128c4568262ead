"""One `index.html` with every table, figure and fact of a report; it asks for no other file."""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined, Template

from results.page.details import named
from results.page.figures import EmbeddedFigure
from results.tables.cells import Cell
from results.tables.formats import TEXT_COLUMNS
from results.tables.table import DATASETS, Table

LONG = 30  # characters from which a text may be broken


@dataclass(frozen=True, slots=True)
class PageCell:
    """One cell as the page shows it."""

    text: str
    group: str
    detail: str
    value: str  # empty if there is none
    runs: str  # numbers, as in "0 3"

    @property
    def long(self) -> bool:
        """Whether its lines may be broken."""
        return len(self.text) > LONG


@dataclass(frozen=True, slots=True)
class Row:
    """One row, and the datasets that its runs are of."""

    cells: tuple[PageCell, ...]
    datasets: str


@dataclass(frozen=True, slots=True)
class Section:
    """One table."""

    table: Table
    rows: tuple[Row, ...]
    datasets: str
    sides: tuple[str, ...]  # of its columns: left or right


def page(
    tables: Sequence[Table],
    numbers: Mapping[str, int],
    behind: Mapping[str, Any],
    figures: Sequence[EmbeddedFigure] = (),
    problems: Sequence[str] = (),
) -> str:
    """The page as HTML.

    `numbers` are those of the runs by key and `behind` what stands behind them, as results/page/
    provenance.py makes them.
    """
    sections = [_section(table, numbers) for table in tables]
    names = sorted({name for section in sections for name in section.datasets.split()})
    script, style = _file("page.js"), _file("style.css")
    return _template().render(
        sections=sections,
        datasets=[(name, DATASETS.get(name, name)) for name in names],
        behind=behind,
        figures=[figure for figure in figures if not figure.ranked],
        ranked=[figure for figure in figures if figure.ranked],
        problems=problems,
        script=script,
        style=style,
        policy=(
            f"default-src 'none'; img-src data:; script-src '{_digest(script)}'; "
            f"style-src '{_digest(style)}'; base-uri 'none'; form-action 'none'"
        ),
    )


def _section(table: Table, numbers: Mapping[str, int]) -> Section:
    rows = tuple(
        Row(tuple(_page_cell(cell, numbers) for cell in row), _datasets(row)) for row in table.rows
    )
    found = " ".join(sorted({name for row in rows for name in row.datasets.split()}))
    sides = tuple("left" if column in TEXT_COLUMNS else "right" for column in table.columns)
    return Section(table, rows, found, sides)


def _page_cell(cell: Cell, numbers: Mapping[str, int]) -> PageCell:
    known = cell.value is not None and math.isfinite(cell.value)
    value = repr(float(cell.value)) if known and cell.value is not None else ""
    return PageCell(cell.text, cell.group, cell.detail, value, named(cell.runs, numbers))


def _datasets(row: Sequence[Cell]) -> str:
    """The first part of a run's key is its dataset."""
    return " ".join(sorted({key.partition("/")[0] for cell in row for key in cell.runs}))


@cache
def _template() -> Template:
    made = Environment(
        autoescape=True,
        loader=FunctionLoader(_file),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return made.get_template("page.html")


@cache
def _file(name: str) -> str:
    return (files("results.page") / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    """As a content security policy names a script or style that may run."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"

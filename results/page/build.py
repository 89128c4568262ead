"""One `index.html` with all tables, figures and provenance of a report; it loads no other file."""

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

from results.page.details import join_run_numbers
from results.page.figures import EmbeddedFigure
from results.tables.cells import Cell
from results.tables.formats import TEXT_COLUMNS
from results.tables.table import DATASET_NAMES, Table

LONG_TEXT = 30  # characters; longer cells are wrapped


@dataclass(frozen=True, slots=True)
class PageCell:
    """A cell as the page shows it.

    Attributes:
        text: Its text.
        place: "best", "second" or empty, see `Mark`.
        is_tied: Whether a dagger follows.
        detail: Text of its tooltip.
        value: Number to sort by; empty without one.
        runs: Numbers of its runs, such as "0 3".
    """

    text: str
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
    """A row, with the datasets of its runs, separated by spaces."""

    cells: tuple[PageCell, ...]
    datasets: str


@dataclass(frozen=True, slots=True)
class PageSection:
    """A table, with the datasets of its runs and the alignment of its columns, left or right."""

    table: Table
    rows: tuple[PageRow, ...]
    datasets: str
    alignments: tuple[str, ...]


def render_page(
    tables: Sequence[Table],
    numbers: Mapping[str, int],
    provenance: Mapping[str, Any],
    figures: Sequence[EmbeddedFigure] = (),
    problems: Sequence[str] = (),
) -> str:
    """Return the page as HTML.

    Args:
        tables: The tables.
        numbers: Numbers of all their runs by key, from `number_runs`.
        provenance: JSON values of `provenance_data`.
        figures: The figures, ranked lists among them.
        problems: Lines on files that were skipped and runs that failed.
    """
    sections = [_section(table, numbers) for table in tables]
    names = sorted({name for section in sections for name in section.datasets.split()})
    script, style = _file("page.js"), _file("style.css")
    return _template().render(
        sections=sections,
        datasets=[(name, DATASET_NAMES.get(name, name)) for name in names],
        provenance=provenance,
        figures=[figure for figure in figures if not figure.is_ranked_list],
        ranked_lists=[figure for figure in figures if figure.is_ranked_list],
        problems=problems,
        script=script,
        style=style,
        policy=(
            f"default-src 'none'; img-src data:; script-src '{_csp_source(script)}'; "
            f"style-src '{_csp_source(style)}'; base-uri 'none'; form-action 'none'"
        ),
    )


def _section(table: Table, numbers: Mapping[str, int]) -> PageSection:
    rows = tuple(
        PageRow(tuple(_page_cell(cell, numbers) for cell in row), _datasets(row))
        for row in table.rows
    )
    datasets = " ".join(sorted({name for row in rows for name in row.datasets.split()}))
    alignments = tuple("left" if column in TEXT_COLUMNS else "right" for column in table.columns)
    return PageSection(table, rows, datasets, alignments)


def _page_cell(cell: Cell, numbers: Mapping[str, int]) -> PageCell:
    value = ""
    if cell.value is not None and math.isfinite(cell.value):
        value = repr(float(cell.value))
    return PageCell(
        text=cell.text,
        place=cell.mark.place,
        is_tied=cell.mark.is_tied,
        detail=cell.detail,
        value=value,
        runs=join_run_numbers(cell.runs, numbers),
    )


def _datasets(row: Sequence[Cell]) -> str:
    """Return the datasets of a row's runs, the first part of their keys."""
    return " ".join(sorted({key.partition("/")[0] for cell in row for key in cell.runs}))


@cache
def _template() -> Template:
    environment = Environment(
        autoescape=True,
        loader=FunctionLoader(_file),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html")


@cache
def _file(name: str) -> str:
    return (files("results.page") / name).read_text(encoding="utf-8")


def _csp_source(text: str) -> str:
    """Return the hash by which a content security policy allows an inline script or style."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"

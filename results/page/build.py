"""One `index.html` with tables, figures and provenance of a report; it loads no other file."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from itertools import takewhile
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined, Template

from results.page.extra_columns import ExtraColumn
from results.page.figures import EmbeddedFigure
from results.page.notes import group_notes
from results.page.report_origin import ReportOrigin
from results.page.sections import page_section
from results.tables.table import DATASET_NAMES, Table

LEADERBOARD = "summary"  # beginning of its name
SCRIPTS = ("elements.js", "table.js", "columns.js", "dialog.js", "page.js")  # joined in this order


def render_page(
    tables: Sequence[Table],
    numbers: Mapping[str, int],
    provenance: Mapping[str, Any],
    figures: Sequence[EmbeddedFigure] = (),
    problems: Sequence[str] = (),
    *,
    extras: Mapping[str, Sequence[ExtraColumn]] | None = None,
    origin: ReportOrigin | None = None,
) -> str:
    """Return the page as HTML.

    The leaderboards come first, then the forest plots, the other tables and the other figures.

    Args:
        tables: The tables.
        numbers: Numbers of all their runs by key, from `number_runs`.
        provenance: JSON values of `provenance_data`.
        figures: The figures, ranked lists among them.
        problems: Lines on files that were skipped and runs that failed.
        extras: Columns that only the page has, by name of the table.
        origin: What made the report.
    """
    sections = [
        page_section(table, numbers, (extras or {}).get(table.name, ())) for table in tables
    ]
    names = sorted({name for section in sections for name in section.datasets.split()})
    is_first = list(takewhile(lambda table: table.name.startswith(LEADERBOARD), tables))
    notes = group_notes(tables)
    script, style = _script(), _file("style.css")
    return _template().render(
        leaderboards=sections[: len(is_first)],
        sections=sections[len(is_first) :],
        datasets=[(name, DATASET_NAMES.get(name, name)) for name in names],
        own_notes={one.tables[0].name: one.notes for one in notes if len(one.tables) == 1},
        shared_notes=[one for one in notes if len(one.tables) > 1],
        provenance=provenance,
        forest_plots=[figure for figure in figures if figure.is_forest_plot],
        figures=[one for one in figures if not (one.is_forest_plot or one.is_ranked_list)],
        ranked_lists=[figure for figure in figures if figure.is_ranked_list],
        problems=problems,
        origin=origin,
        script=script,
        style=style,
        policy=(
            f"default-src 'none'; img-src data:; script-src '{_csp_source(script)}'; "
            f"style-src '{_csp_source(style)}'; base-uri 'none'; form-action 'none'"
        ),
    )


def _script() -> str:
    """Return the page's script, a function so that none of its names is global."""
    body = "\n".join(map(_file, SCRIPTS))
    return f'"use strict";\n(() => {{\n{body}}})();\n'


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

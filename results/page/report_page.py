"""The page of a report, from its tables, its runs and what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from harness.runs.layout import REPORT
from results.page.build import render_page
from results.page.details import (
    ReproduceCallback,
    number_runs,
    provenance_data,
    training_seconds,
)
from results.page.extra_columns import extra_columns, read_latency
from results.page.figures import EmbeddedFigure
from results.page.report_origin import report_origin
from results.tables.table import Table


def report_page(
    tables: Sequence[Table],
    frame: pd.DataFrame,
    runs: Path,
    target: Path | None,
    figures: Sequence[EmbeddedFigure],
    problems: Sequence[str],
    reproduce: ReproduceCallback | None,
) -> str:
    """Return the page of a report as HTML.

    Args:
        tables: All tables.
        frame: Rows of `collect_runs` that they were made from.
        runs: The runs folder.
        target: Folder of the report, if it is not the one in the runs folder.
        figures: The figures, from `embed_figures`.
        problems: Lines on files that were skipped and runs that failed.
        reproduce: See `provenance_data`.
    """
    numbers = number_runs(tables)
    provenance = provenance_data(tables, runs, numbers, reproduce)
    latency = read_latency(runs / REPORT)  # measurements lie there, wherever the report goes
    return render_page(
        tables,
        numbers,
        provenance,
        figures,
        problems,
        extras=extra_columns(tables, frame, training_seconds(provenance), latency),
        origin=report_origin(runs, target),
    )

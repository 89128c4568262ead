"""mAP against the time of a training step: the cost of each method's gain.

`kdreid bench cost` measures the step of one run alone. The times in records are not used, because
the runs of a cohort share data and teacher.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from harness.core.errors import DamagedFileError, UnreadableFileError
from harness.core.files import read_json
from harness.runs.layout import TRAINING_COST
from results.comparable import ComparisonGroup, comparison_groups
from results.configurations import DEFAULT_CHOICE, TableChoice, compared_rows
from results.figures.chart import (
    Chart,
    Charts,
    MissingFigure,
    add_legend,
    add_note,
    figure_name,
    group_title,
    line_styles,
    make_panels,
)
from results.lines import TableRow

SEEDS = "mean over seeds; bars: standard deviation over seeds, if there are several"
TIMING_FIELDS = ("seconds", "least", "most", "steps")


def cost_charts(frame: pd.DataFrame, folder: Path, choice: TableChoice = DEFAULT_CHOICE) -> Charts:
    """Yield one figure per comparison group with two timed methods, or the reason for none.

    Args:
        frame: Rows of `collect_runs`.
        folder: The report's folder, which holds the measurement.
        choice: What is compared.
    """
    try:
        content = read_json(folder / TRAINING_COST)
        if content is None:
            yield MissingFigure("cost", "no training step was timed. Run kdreid bench cost.")
            return
        timings = {
            str(row["key"]): {name: float(row[name]) for name in TIMING_FIELDS}
            for row in content["rows"]
        }
        device = str(content["environment"]["device_name"])
    except UnreadableFileError as error:
        yield MissingFigure("cost", str(error))
        return
    except (DamagedFileError, ValueError, KeyError, TypeError):
        yield MissingFigure(
            "cost", f"{TRAINING_COST} is damaged. Run kdreid bench cost to write it again."
        )
        return
    is_missing = True
    for dataset in sorted(set(frame["dataset"])):
        groups = comparison_groups(frame, dataset)
        for group in groups:
            data = pd.DataFrame(_rows(compared_rows(group, choice), group, timings))
            if len(data) > 1:
                title = group_title("mAP and training cost", group)
                name = figure_name("cost", group, with_digest=len(groups) > 1)
                yield Chart(name, data, lambda rows, title=title: _draw(rows, title, device))  # type: ignore[misc]
                is_missing = False
    if is_missing:
        yield MissingFigure(
            "cost",
            "no two of the methods in a table were timed. Run kdreid bench cost to time them.",
        )


def _rows(
    table_rows: Sequence[TableRow], group: ComparisonGroup, timings: dict[str, dict[str, float]]
) -> Iterator[dict[str, Any]]:
    """Yield one mark for every table row of which a seed was timed."""
    for row in table_rows:
        timed = [timings[key] for key in row.done["key"] if key in timings]
        if timed:
            timing = timed[0]
            percent = 100 * row.done[group.score_columns[0]].astype(float)
            yield {
                "method": row.label,
                "milliseconds_a_step": 1e3 * timing["seconds"],
                "least": 1e3 * timing["least"],
                "most": 1e3 * timing["most"],
                "steps": int(timing["steps"]),
                "hours": timing["seconds"] * timing["steps"] / 3600,
                "mAP": float(percent.mean()),
                "sd": float(percent.std(ddof=1)) if len(percent) > 1 else None,
                "seeds": len(percent),
            }


def _draw(data: pd.DataFrame, title: str, device: str) -> Figure:
    figure, axes = make_panels(1, width=4.6, height=3.4)
    ax, styles = axes[0], line_styles(list(data["method"]))
    for _, row in data.iterrows():
        median = row["milliseconds_a_step"]
        ax.errorbar(
            median,
            row["mAP"],
            row["sd"] if row["seeds"] > 1 else 0.0,
            [[median - row["least"]], [row["most"] - median]],
            fmt="none",
            ecolor=styles.colours[row["method"]],
            elinewidth=0.8,
        )
    sns.scatterplot(
        data, x="milliseconds_a_step", y="mAP", s=36, ax=ax, zorder=3, **styles.for_points("method")
    )
    ax.set(xlabel="time of a training step (ms)", ylabel="mAP (%)")
    ax.set_xlim(left=0)
    if data["steps"].nunique() == 1:
        steps = float(data["steps"].iloc[0])
        factor = steps / 3.6e6  # hours of all steps for one millisecond a step
        top = ax.secondary_xaxis(
            "top",
            functions=(lambda x: np.asarray(x) * factor, lambda x: np.asarray(x) / factor),
        )
        top.set_xlabel(f"hours of the whole training ({steps:,.0f} steps)")
    figure.suptitle(title, fontsize=9)
    add_legend(figure, axes)
    several = (data["seeds"] > 1).any()
    add_note(
        figure,
        f"Time: median of a whole step of one run alone, including the teacher, on {device}; bars: "
        f"fastest and slowest step. mAP: {SEEDS if several else 'one seed, so without a bar'}.",
        columns=95,
    )
    return figure

"""Learning curves: the supervised loss of every run by training step, from its `curve.csv`.

The distillation loss is subtracted, because its scale depends on each method's weight.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from harness.core.errors import FileError
from harness.core.files import read_file
from harness.runs.layout import CURVE
from harness.runs.reader import MAX_CURVE_BYTES
from results.comparable import ComparisonGroup, comparison_groups
from results.configurations import rows_by_method
from results.figures.chart import (
    PALETTE,
    Chart,
    Charts,
    MissingFigure,
    add_note,
    figure_name,
    group_title,
)
from results.lines import BASELINE, TableRow, teacher_rows

TEACHER = "Teacher"  # label of its row


def learning_curve_charts(frame: pd.DataFrame) -> Charts:
    """Yield one figure per comparison group, or the reason why it is missing.

    Runs without a curve are skipped, and those whose curve cannot be read or is damaged are named.

    Args:
        frame: Rows of `collect_runs`.
    """
    for dataset in sorted(set(frame["dataset"])):
        groups = comparison_groups(frame, dataset)
        for group in groups:
            name = figure_name("learning", group, with_digest=len(groups) > 1)
            problems: list[str] = []
            curves = list(_curves(group, problems))
            if not curves:
                yield MissingFigure(
                    name, f"no run has a readable {CURVE}, which kdreid run writes."
                )
            else:
                title = group_title("Learning curves", group)
                data = pd.concat(curves)
                yield Chart(name, data, lambda rows, title=title: _draw(rows, title))  # type: ignore[misc]
            yield from (MissingFigure(name, text) for text in problems)


def _curves(group: ComparisonGroup, problems: list[str]) -> Iterator[pd.DataFrame]:
    """Yield the curve of every finished run, the teachers' first.

    Args:
        group: The runs.
        problems: Gets a sentence for each curve that cannot be read or is damaged.
    """
    table_rows: list[TableRow] = [row for row, _ in teacher_rows(group)]
    table_rows += (row for rows in rows_by_method(group).values() for row in rows)
    for row in table_rows:
        done = row.done
        for key, folder, seed in zip(done["key"], done["folder"], done["seed"], strict=True):
            path = Path(folder) / CURVE
            try:
                content = read_file(path, MAX_CURVE_BYTES)
                if content is None:
                    continue
                curve = pd.read_csv(io.BytesIO(content))
                if curve.empty or curve[["step", "lr", "loss"]].isna().any(axis=None):
                    raise ValueError("it is cut")
                distillation = curve.get("distillation", pd.Series(0.0, curve.index)).fillna(0.0)
                yield pd.DataFrame(
                    {
                        "method": row.label,
                        "seed": int(seed),
                        "run": key,
                        "step": curve["step"].astype(int),
                        "learning_rate": curve["lr"].astype(float),
                        "objective": (curve["loss"] - distillation).astype(float),
                        "distillation": distillation.astype(float),
                    }
                )
            except FileError as error:
                problems.append(str(error))
            except (KeyError, TypeError, ValueError):
                problems.append(f"{path} is damaged, so its run is not drawn.")


def _draw(data: pd.DataFrame, title: str) -> Figure:
    """Draw one panel per method, each with the plain student for comparison."""
    names = list(dict.fromkeys(data["method"]))
    baseline = data[data["method"] == BASELINE[1]]
    panel_names = [name for name in names if name != BASELINE[1]] or names
    columns = min(4, len(panel_names))
    rows = -(-len(panel_names) // columns)
    figure = Figure(figsize=(max(3.6, 1.9 * columns), 1.0 + 1.5 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, sharey=True, squeeze=False).flatten()
    colour = sns.color_palette(PALETTE)[0]
    for number, (ax, name) in enumerate(zip(grid, panel_names, strict=False)):
        if name != TEACHER and len(baseline):
            _draw_curve(ax, baseline, "0.55", "--")
        _draw_curve(ax, data[data["method"] == name], colour, "-")
        is_lowest = number + columns >= len(panel_names)
        ax.set(title=name, xlabel="training step" if is_lowest else "", ylabel="", yscale="log")
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.yaxis.set_major_formatter("{x:g}")
        ax.yaxis.set_minor_formatter("")
    for ax in grid[len(panel_names) :]:
        ax.remove()
    figure.suptitle(title, fontsize=9.5)
    figure.supylabel("loss without distillation", fontsize=8.5)
    text = "Blue, solid: the panel's method; grey, dashed: the plain student."
    if data.groupby("method")["seed"].nunique().max() > 1:
        text += " Lines: mean over seeds; bands: lowest to highest seed."
    add_note(figure, text, columns=28 * columns)
    return figure


def _draw_curve(ax: Axes, data: pd.DataFrame, colour: Any, style: str) -> None:
    """Draw the mean over seeds and a band from the lowest to the highest seed."""
    by_step = data.groupby("step")["objective"]
    mean, low, high = by_step.mean(), by_step.min(), by_step.max()
    ax.plot(mean.index, mean, color=colour, linestyle=style, linewidth=1.2)
    ax.fill_between(mean.index, low, high, color=colour, alpha=0.2, linewidth=0)

"""Learning curves: what every run's labels cost it, step by step, from its `curve.csv`.

The distillation loss is left out of the sum, as its scale is a matter of each method's weight.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from results.comparable import ComparisonGroup, comparison_groups
from results.figures.chart import (
    PALETTE,
    Chart,
    Charts,
    MissingFigure,
    figure_name,
    note,
    of_setting,
)
from results.lines import UNDISTILLED, TableRow, teacher_lines
from results.tables.table import members

FILE = "curve.csv"
TEACHER = "Teacher"


def charts(frame: pd.DataFrame) -> Charts:
    """One figure per setting that has students; a run without its curve is left out."""
    for dataset in sorted(set(frame["dataset"])):
        found = comparison_groups(frame, dataset)
        for setting in found:
            name = figure_name("learning", setting, several=len(found) > 1)
            curves = list(_curves(setting))
            if not curves:
                yield MissingFigure(name, f"no run has a readable {FILE}; kdreid run writes it.")
                continue
            title = of_setting("Learning curves", setting)
            rows = pd.concat(curves)
            yield Chart(name, rows, lambda data, title=title: _draw(data, title))  # type: ignore[misc]


def _curves(setting: ComparisonGroup) -> Iterator[pd.DataFrame]:
    teachers: list[TableRow] = [line for line, _ in teacher_lines(setting)]
    for line in [*teachers, *(line for lines in members(setting).values() for line in lines)]:
        done = line.done
        for key, folder, seed in zip(done["key"], done["folder"], done["seed"], strict=True):
            try:
                curve = pd.read_csv(Path(folder) / FILE)
                taught = curve.get("distillation", pd.Series(0.0, curve.index)).fillna(0.0)
                yield pd.DataFrame(
                    {
                        "method": line.label,
                        "seed": int(seed),
                        "run": key,
                        "step": curve["step"].astype(int),
                        "learning_rate": curve["lr"].astype(float),
                        "objective": (curve["loss"] - taught).astype(float),
                        "distillation": taught.astype(float),
                    }
                )
            except (OSError, KeyError, TypeError, ValueError):
                continue


def _draw(data: pd.DataFrame, title: str) -> Figure:
    """A panel per method, with the plain student in grey in each: a dozen lines in one are none."""
    names = list(dict.fromkeys(data["method"]))
    plain = data[data["method"] == UNDISTILLED[1]]
    shown = [name for name in names if name != UNDISTILLED[1]] or names
    across = min(4, len(shown))
    down = -(-len(shown) // across)
    figure = Figure(figsize=(max(3.6, 1.9 * across), 0.9 + 1.5 * down), layout="constrained")
    grid = figure.subplots(down, across, sharey=True, squeeze=False).flatten()
    colour = sns.color_palette(PALETTE)[0]
    for ax, name in zip(grid, shown, strict=False):
        if name != TEACHER and len(plain):
            _line(ax, plain, "0.55", "--")
        _line(ax, data[data["method"] == name], colour, "-")
        ax.set(title=name, xlabel="", ylabel="", yscale="log")
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.yaxis.set_major_formatter("{x:g}")
        ax.yaxis.set_minor_formatter("")
    for ax in grid[len(shown) :]:
        ax.remove()
    figure.suptitle(title, fontsize=9.5)
    figure.supylabel("loss without distillation", fontsize=8.5)
    text = "Blue: the panel's method; grey, dashed: the plain student. Horizontal: training step."
    if data.groupby("method")["seed"].nunique().max() > 1:
        text += " Lines: mean over seeds; bands: from the lowest to the highest seed."
    note(figure, text, columns=28 * across)
    return figure


def _line(ax: Axes, data: pd.DataFrame, colour: Any, style: str) -> None:
    """Mean over seeds, and the band from the lowest to the highest."""
    by_step = data.groupby("step")["objective"]
    mean, low, high = by_step.mean(), by_step.min(), by_step.max()
    ax.plot(mean.index, mean, color=colour, linestyle=style, linewidth=1.2)
    ax.fill_between(mean.index, low, high, color=colour, alpha=0.2, linewidth=0)

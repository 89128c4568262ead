"""mAP against the cost of training: what a method's gain is paid with.

The cost is that of a step of a run alone, as `kdreid bench cost` measures it. Times in records are
not used: runs in one cohort share data and teacher.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from results.comparable import ComparisonGroup, comparison_groups
from results.figures.chart import (
    Chart,
    Charts,
    MissingFigure,
    figure_name,
    legend,
    line_styles,
    note,
    of_setting,
    panels,
)
from results.tables.table import members

TOLD = ("seconds", "least", "most", "steps")
FILE = Path("measured") / "cost.json"  # below the report's folder


def charts(frame: pd.DataFrame, folder: Path) -> Charts:
    """One figure per setting of which two methods at least were timed."""
    try:
        content = json.loads((folder / FILE).read_bytes())
        times = {
            str(row["key"]): {name: float(row[name]) for name in TOLD} for row in content["rows"]
        }
        device = str(content["environment"]["device_name"])
    except FileNotFoundError:
        yield MissingFigure("cost", "no training step was timed; kdreid bench cost does it.")
        return
    except (OSError, ValueError, KeyError, TypeError):
        yield MissingFigure("cost", f"{FILE} is damaged; kdreid bench cost writes it anew.")
        return
    drawn = False
    for dataset in sorted(set(frame["dataset"])):
        found = comparison_groups(frame, dataset)
        for setting in found:
            data = pd.DataFrame(_rows(setting, times))
            if len(data) > 1:
                title = of_setting("Accuracy against cost", setting)
                name = figure_name("cost", setting, several=len(found) > 1)
                yield Chart(name, data, lambda rows, title=title: _draw(rows, title, device))  # type: ignore[misc]
                drawn = True
    if not drawn:
        yield MissingFigure(
            "cost", "the runs that were timed are gone; kdreid bench cost times others."
        )


def _rows(setting: ComparisonGroup, times: dict[str, dict[str, float]]) -> Iterator[dict[str, Any]]:
    """Every line one of whose seeds was timed."""
    for lines in members(setting).values():
        for line in lines:
            timed = [times[key] for key in line.done["key"] if key in times]
            if timed:
                told = timed[0]
                percent = 100 * line.done[setting.scored[0]].astype(float)
                yield {
                    "method": line.label,
                    "milliseconds_a_step": 1e3 * told["seconds"],
                    "least": 1e3 * told["least"],
                    "most": 1e3 * told["most"],
                    "steps": int(told["steps"]),
                    "hours": told["seconds"] * told["steps"] / 3600,
                    "mAP": float(percent.mean()),
                    "sd": float(percent.std(ddof=1)) if len(percent) > 1 else None,
                    "seeds": len(percent),
                }


def _draw(data: pd.DataFrame, title: str, device: str) -> Figure:
    figure, axes = panels(1, width=5.4, height=3.3)
    names = list(data["method"])
    colours, markers, _ = line_styles(names)
    for _, row in data.iterrows():
        middle = row["milliseconds_a_step"]
        axes[0].errorbar(
            middle,
            row["mAP"],
            row["sd"] if row["seeds"] > 1 else 0.0,
            [[middle - row["least"]], [row["most"] - middle]],
            fmt="none",
            ecolor=colours[row["method"]],
            elinewidth=0.8,
        )
    sns.scatterplot(
        data,
        x="milliseconds_a_step",
        y="mAP",
        hue="method",
        style="method",
        hue_order=names,
        style_order=names,
        palette=colours,
        markers=markers,
        s=42,
        ax=axes[0],
    )
    axes[0].set(xlabel="milliseconds a training step, alone", ylabel="mAP, %", title=title)
    axes[0].set_xlim(left=0)
    legend(figure, axes)
    note(
        figure,
        f"A whole step of one run alone, teacher included, on {device}: the median; bars: from the "
        "quickest to the slowest. mAP: mean over seeds; bars: standard deviation over seeds, where "
        "there are several.",
        columns=100,
    )
    return figure

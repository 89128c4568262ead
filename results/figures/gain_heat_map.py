"""Heat map of gains: methods by datasets, with the mean over them.

The numbers are those of the forest plot (`gains`), at a glance.
"""

from __future__ import annotations

import math

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from results.figures.chart import Chart, add_note, row_height, with_minus, wrap_label
from results.figures.gain_data import MEAN, ONE_SEED
from results.tables.cells import signed
from results.tables.significance import LEVEL_PERCENT, STAR

COLOURS = "PuOr_r"  # losses violet, gains orange: distinct with all common kinds of colour vision
MISSING_COLOUR = "0.9"
DARK = 0.7  # of the largest gain: darker cells have white text


def heat_map_chart(name: str, data: pd.DataFrame, title: str) -> Chart:
    """Return the heat map of a pair of networks.

    Args:
        name: Name of its files.
        data: Gains on several datasets; see `gain_data`.
        title: Its title, wrapped.
    """
    return Chart(name, data, lambda rows: _draw(rows, title))


def _draw(data: pd.DataFrame, title: str) -> Figure:
    """Draw a cell per method and dataset, the best method at the top."""
    methods = list(dict.fromkeys(data["method"]))
    datasets = [name for name in dict.fromkeys(data["dataset"]) if name != MEAN]
    columns = [*datasets, MEAN]
    marks = {(row["method"], row["dataset"]): row for _, row in data.iterrows()}
    values = np.array(
        [
            [marks[one, name]["gain"] if (one, name) in marks else math.nan for name in columns]
            for one in methods
        ]
    )
    largest = max(float(np.nanmax(np.abs(values))), 0.01)
    width = 1.5 + max(0.62 * len(columns), 2.4)
    labels = [wrap_label(name) for name in methods]
    height = 1.5 + max(1.2, row_height(labels, 0.23) * len(methods))
    figure = Figure(figsize=(width, height), layout="constrained")
    ax = figure.subplots()
    colours = mpl.colormaps[COLOURS].with_extremes(bad=MISSING_COLOUR)
    image = ax.imshow(values, cmap=colours, norm=Normalize(-largest, largest), aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        mark = marks.get((methods[row], columns[column]))
        text = "-" if mark is None else with_minus(signed(value)) + STAR * bool(mark["significant"])
        is_dark = abs(value) > DARK * largest
        colour = "white" if is_dark else "0.1"
        ax.text(column, row, text, ha="center", va="center", fontsize=7.5, color=colour)
    ax.axvline(len(datasets) - 0.5, color="white", linewidth=4)
    ax.set_yticks(range(len(methods)), labels)
    ax.set_xticks(range(len(columns)), columns, rotation=30, ha="right", rotation_mode="anchor")
    ax.tick_params(length=0, pad=2)
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    bar = figure.colorbar(image, ax=ax, fraction=0.05, pad=0.02)
    bar.set_label("gain in mAP (points)")
    bar.outline.set_visible(False)
    figure.suptitle(title, fontsize=9)
    add_note(figure, _note(data), columns=round(20 * width))
    return figure


def _note(data: pd.DataFrame) -> str:
    sentences = ["Mean: over these datasets; other datasets are not covered."]
    if data["low"].notna().any():
        sentences.append(
            f"{STAR}: significant at {LEVEL_PERCENT} % after Holm's method over the methods of a "
            "column."
        )
    elif (data["seeds"] == 1).all():
        sentences.append(ONE_SEED)
    if (data.groupby("method")["datasets"].max() < data["datasets"].max()).any():
        sentences.append("A mean counts the datasets that have a number.")
    return " ".join(sentences)

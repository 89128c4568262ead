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

from results.configurations import DEFAULT_CHOICE, TableChoice
from results.figures.chart import Chart, Charts, MissingFigure, add_note, with_minus, wrap_label
from results.figures.gains import MEAN, NO_PAIR, ONE_SEED, gain_data, reference_label
from results.figures.network_pairs import pair_name, pair_title
from results.tables.cells import signed
from results.tables.dataset_ranks import rank_across_datasets
from results.tables.significance import LEVEL_PERCENT, STAR

COLOURS = "PuOr_r"  # losses violet, gains orange: distinct with all common kinds of colour vision
MISSING_COLOUR = "0.9"
DARK = 0.7  # of the largest gain: darker cells have white text


def heat_map_charts(frame: pd.DataFrame, choice: TableChoice = DEFAULT_CHOICE) -> Charts:
    """Yield one figure per pair of networks with gains on two datasets, or why there is none.

    Args:
        frame: Rows of `collect_runs`.
        choice: What is compared.
    """
    rankings = rank_across_datasets(frame, choice)
    is_missing = True
    for ranking in rankings:
        data = gain_data(ranking)
        if len(data):
            name = pair_name("heatmap", ranking, several=len(rankings) > 1)
            title = pair_title(f"Gain in mAP over {reference_label(ranking)}", ranking)
            datasets = [one.name for one in ranking.rankings]
            yield Chart(
                name,
                data,
                lambda rows, title=title, datasets=datasets: _draw(rows, title, datasets),  # type: ignore[misc]
            )
            is_missing = False
    if is_missing:
        yield MissingFigure("heatmap", NO_PAIR)


def _draw(data: pd.DataFrame, title: str, datasets: list[str]) -> Figure:
    """Draw a cell per method and dataset, the best method at the top."""
    methods, columns = list(dict.fromkeys(data["method"])), [*datasets, MEAN]
    marks = {(row["method"], row["dataset"]): row for _, row in data.iterrows()}
    values = np.array(
        [
            [marks[one, name]["gain"] if (one, name) in marks else math.nan for name in columns]
            for one in methods
        ]
    )
    largest = max(float(np.nanmax(np.abs(values))), 0.01)
    width = 1.5 + max(0.62 * len(columns), 2.4)
    figure = Figure(figsize=(width, 1.5 + 0.23 * len(methods)), layout="constrained")
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
    ax.set_yticks(range(len(methods)), [wrap_label(name) for name in methods])
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

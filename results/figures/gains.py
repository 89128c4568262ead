"""Forest plots: the gain of every method with its interval, dataset by dataset."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from results.comparable import comparison_groups
from results.configurations import DEFAULT_CHOICE, TableChoice
from results.figures.chart import (
    Chart,
    Charts,
    MissingFigure,
    add_note,
    figure_name,
    group_title,
    line_styles,
    row_height,
    with_minus,
    wrap_label,
)
from results.figures.gain_data import MEAN, ONE_SEED, gain_data, reference_label
from results.figures.gain_heat_map import heat_map_chart
from results.figures.network_pairs import pair_name, pair_title
from results.tables.cells import signed
from results.tables.dataset_ranks import CrossDatasetRanking, rank_across_datasets, rank_dataset
from results.tables.significance import CONFIDENCE, LEVEL_PERCENT, STAR

NO_PAIR = (
    "no pair of networks has gains on two datasets. Run another dataset with the same networks: "
    "kdreid run --dataset NAME."
)
NO_GAIN = (
    "no method has a seed in common with the row that gains are measured from. Train the missing "
    "runs with kdreid run --dataset {dataset}."
)


def gain_charts(frame: pd.DataFrame, choice: TableChoice = DEFAULT_CHOICE) -> Charts:
    """Yield the gains over datasets and those of each comparison group, or why there are none.

    A pair of networks has a forest plot and a heat map, a group a forest plot.

    Args:
        frame: Rows of `collect_runs`.
        choice: What is compared.
    """
    rankings = rank_across_datasets(frame, choice)
    is_missing = True
    for ranking in rankings:
        data = gain_data(ranking)
        if len(data):
            several = len(rankings) > 1
            title = pair_title(f"Gain in mAP over {reference_label(ranking)}", ranking)
            name = pair_name("gains", ranking, several=several)
            yield Chart(name, data, lambda rows, title=title: _draw(rows, title))  # type: ignore[misc]
            name = pair_name("heatmap", ranking, several=several)
            yield heat_map_chart(name, data, title)
            is_missing = False
    if is_missing:
        yield from (MissingFigure(name, NO_PAIR) for name in ("gains", "heatmap"))
    known = {(one.group.dataset, one.group.digest): one for r in rankings for one in r.rankings}
    for dataset in sorted(set(frame["dataset"])):
        groups = comparison_groups(frame, dataset)
        for group in (one for one in groups if one.teachers):
            name = figure_name("gains", group, with_digest=len(groups) > 1)
            one = known.get((group.dataset, group.digest)) or rank_dataset(group, choice)
            ranking = CrossDatasetRanking(group.teacher, group.network, (one,), ())
            data = gain_data(ranking)
            if data.empty:
                yield MissingFigure(name, NO_GAIN.format(dataset=dataset))
                continue
            title = group_title(f"Gain in mAP over {reference_label(ranking)}", group)
            yield Chart(name, data, lambda rows, title=title: _draw(rows, title))  # type: ignore[misc]


def _draw(data: pd.DataFrame, title: str) -> Figure:
    """Draw one band per method with a mark per dataset, the best method at the top."""
    methods = list(dict.fromkeys(data["method"]))
    datasets = list(dict.fromkeys(data["dataset"]))
    named = [name for name in datasets if name != MEAN]
    labels = [wrap_label(name) for name in methods]
    band = row_height(labels, max(0.21, 0.095 * len(datasets) + 0.04))
    figure = Figure(figsize=(4.4, 1.25 + band * len(methods)), layout="constrained")
    ax = figure.subplots()
    ax.axvline(0, color="0.3", linewidth=0.9, zorder=1)
    for place in range(0, len(methods), 2):
        ax.axhspan(place - 0.5, place + 0.5, color="0.955", linewidth=0, zorder=0)
    styles = line_styles(named)
    order = [name for name in (MEAN, *named) if name in datasets]
    for number, name in enumerate(order):
        marks = data[data["dataset"] == name]
        offset = (number - (len(order) - 1) / 2) * 0.8 / len(order)
        places = [methods.index(method) + offset for method in marks["method"]]
        is_mean = name == MEAN
        colour = "0" if is_mean else styles.colours[name]
        _draw_marks(ax, marks, places, colour, "D" if is_mean else styles.markers[name])
        if name == order[0]:
            _print_numbers(ax, marks)
        else:
            _draw_stars(ax, marks, places, colour)
    ax.set_yticks(range(len(methods)), labels)
    ax.set_ylim(len(methods) - 0.5, -0.5)
    ax.grid(axis="y", visible=False)
    ax.set_xlabel("gain in mAP (points)")
    if len(order) > 1:
        ax.legend(
            loc="lower right",
            bbox_to_anchor=(1.0, 1.0),
            ncols=min(3, len(order)),
            fontsize=7.5,
            columnspacing=1.0,
            handletextpad=0.2,
        )
    figure.suptitle(title, fontsize=9)
    add_note(figure, " ".join(_note(data)), columns=92)
    return figure


def _draw_marks(
    ax: Axes, marks: pd.DataFrame, places: Sequence[float], colour: Any, marker: str
) -> None:
    """Draw the gains of one dataset, or their means, with intervals."""
    is_mean = (marks["dataset"] == MEAN).all()
    ax.plot(
        marks["gain"],
        places,
        marker,
        color=colour,
        markersize=4.2,
        markeredgewidth=0.4,
        markeredgecolor="white",
        zorder=3,
        label="mean" if is_mean else marks["dataset"].iloc[0],
    )
    ax.hlines(
        places,
        marks["low"],
        marks["high"],
        color=colour,
        linewidth=1.5 if is_mean else 1.0,
        zorder=2,
    )


def _draw_stars(ax: Axes, marks: pd.DataFrame, places: Sequence[float], colour: Any) -> None:
    """Draw a star behind every interval of a significant gain."""
    for (_, mark), place in zip(marks.iterrows(), places, strict=True):
        if mark["significant"]:
            ax.annotate(
                STAR,
                (mark["high"], place),
                xytext=(1.5, -1.8),
                textcoords="offset points",
                va="center",
                fontsize=7.5,
                color=colour,
            )


def _print_numbers(ax: Axes, marks: pd.DataFrame) -> None:
    """Print the gains to the right of the panel, with the number of datasets where it differs."""
    most = marks["datasets"].max()
    for place, (_, mark) in enumerate(marks.iterrows()):
        star = STAR if mark["significant"] else ""
        few = f" ({mark['datasets']} of {most})" if mark["datasets"] < most else ""
        ax.annotate(
            f"{with_minus(signed(mark['gain']))}{star}{few}",
            (1.0, place),
            xycoords=("axes fraction", "data"),
            xytext=(3, 0),
            textcoords="offset points",
            va="center",
            fontsize=7.5,
            annotation_clip=False,
        )


def _note(data: pd.DataFrame) -> Iterator[str]:
    is_tested = data["low"].notna()
    if (data["dataset"] == MEAN).any():
        yield "Black and numbers: mean over these datasets; other datasets are not covered."
    if not is_tested.any():
        yield ONE_SEED if (data["seeds"] == 1).all() else "Nothing was tested: no interval."
        return
    yield f"Bars: {CONFIDENCE} % interval of one gain."
    yield f"{STAR}: significant at {LEVEL_PERCENT} % after Holm's method over the methods."
    if not is_tested.all():
        yield "Marks without a bar were not tested."

"""Forest plots: the gain of every method with its interval, dataset by dataset.

Gains, intervals and stars are those of the tables, and so is the order, which is the leaderboard's.
"""

from __future__ import annotations

import math
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
    with_minus,
    wrap_label,
)
from results.figures.network_pairs import pair_name, pair_title
from results.lines import RowId
from results.statistics.paired_test import LEVEL, PairedDifference
from results.statistics.pairwise import compare_with
from results.tables.cells import mean_gain_cell, signed
from results.tables.dataset_ranks import (
    CrossDatasetRanking,
    DatasetRanking,
    rank_across_datasets,
    rank_dataset,
)
from results.tables.significance import CONFIDENCE, LEVEL_PERCENT, STAR
from results.tables.summary import leaderboard_order

MEAN = "mean"  # in place of a dataset's name
COLUMNS = ["dataset", "method", "gain", "low", "high", "p_holm", "significant", "seeds", "datasets"]
NO_PAIR = (
    "no pair of networks has gains on two datasets. Run another dataset with the same networks: "
    "kdreid run --dataset NAME."
)
NO_GAIN = (
    "no method has a seed in common with the row that gains are measured from. Train the missing "
    "runs with kdreid run --dataset {dataset}."
)
ONE_SEED = (
    "One seed: no interval, and nothing is tested, because another seed may order the methods "
    "otherwise."
)


def gain_charts(frame: pd.DataFrame, choice: TableChoice = DEFAULT_CHOICE) -> Charts:
    """Yield a figure per pair of networks, and one per comparison group, or why there is none.

    Args:
        frame: Rows of `collect_runs`.
        choice: What is compared.
    """
    rankings = rank_across_datasets(frame, choice)
    is_missing = True
    for ranking in rankings:
        data = gain_data(ranking)
        if len(data):
            name = pair_name("gains", ranking, several=len(rankings) > 1)
            title = pair_title(f"Gain in mAP over {reference_label(ranking)}", ranking)
            yield Chart(name, data, lambda rows, title=title: _draw(rows, title))  # type: ignore[misc]
            is_missing = False
    if is_missing:
        yield MissingFigure("gains", NO_PAIR)
    for dataset in sorted(set(frame["dataset"])):
        groups = comparison_groups(frame, dataset)
        for group in groups:
            if not group.teachers:
                continue
            name = figure_name("gains", group, with_digest=len(groups) > 1)
            one = rank_dataset(group, choice)
            ranking = CrossDatasetRanking(group.teacher, group.network, (one,), ())
            data = gain_data(ranking)
            if data.empty:
                yield MissingFigure(name, NO_GAIN.format(dataset=dataset))
                continue
            title = group_title(f"Gain in mAP over {reference_label(ranking)}", group)
            yield Chart(name, data, lambda rows, title=title: _draw(rows, title))  # type: ignore[misc]


def reference_label(ranking: CrossDatasetRanking) -> str:
    """Return the label of the row that gains are measured from."""
    return next(one.reference.label for one in ranking.rankings if one.reference is not None)


def gain_data(ranking: CrossDatasetRanking) -> pd.DataFrame:
    """Return the gains of every method in points of mAP, in the order of the leaderboard.

    With several datasets the mean over them precedes them. `low` and `high` are missing where a
    gain has no interval, as with one seed, and `p_holm` where it was not tested.

    Args:
        ranking: One dataset or several, for one pair of networks.
    """
    rows = []
    for row_id in leaderboard_order(ranking):
        of_row = [mark for one in ranking.rankings if (mark := _mark_on(one, row_id))]
        if of_row and len(ranking.rankings) > 1:
            rows.append(_mean_mark(ranking, row_id, of_row))
        rows += of_row
    return pd.DataFrame(rows, columns=COLUMNS)


def _mark_on(one: DatasetRanking, row_id: RowId) -> dict[str, Any] | None:
    """Return a method's gain on one dataset; None for the reference and without a gain."""
    row, reference = one.rows.get(row_id), one.reference
    if row is None or reference is None or row_id == reference.row_id:
        return None
    gain = mean_gain_cell(row, reference).value
    if gain is None:
        return None
    difference = one.tests.gain(row_id) or compare_with(one.tests, row, reference.row_id)
    common = {*row.done["seed"]} & {*reference.done["seed"]}
    return {
        "dataset": one.name,
        "method": row.label,
        "gain": gain,
        **_tested(difference, one.tests.against.get(row_id)),
        "seeds": len(common),
        "datasets": 1,
    }


def _mean_mark(
    ranking: CrossDatasetRanking, row_id: RowId, of_row: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """Return a method's mean gain over the datasets that have one."""
    difference, p = ranking.mean_gains.get(row_id, (None, None))
    return {
        "dataset": MEAN,
        "method": row_id[1],
        "gain": sum(mark["gain"] for mark in of_row) / len(of_row),
        **_tested(difference, p),
        "seeds": min(mark["seeds"] for mark in of_row),
        "datasets": len(of_row),
    }


def _tested(difference: PairedDifference | None, p: float | None) -> dict[str, Any]:
    """Return what a test adds to a gain, the gain of the tested seeds among it."""
    if difference is None:
        return {"low": math.nan, "high": math.nan, "p_holm": math.nan, "significant": False}
    low, high = difference.interval()
    return {
        "gain": 100 * difference.mean,
        "low": 100 * low,
        "high": 100 * high,
        "p_holm": math.nan if p is None else p,
        "significant": p is not None and p <= LEVEL,
    }


def _draw(data: pd.DataFrame, title: str) -> Figure:
    """Draw one band per method with a mark per dataset, the best method at the top."""
    methods = list(dict.fromkeys(data["method"]))
    datasets = list(dict.fromkeys(data["dataset"]))
    named = [name for name in datasets if name != MEAN]
    band = max(0.21, 0.095 * len(datasets) + 0.04)  # inches
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
    ax.set_yticks(range(len(methods)), [wrap_label(name) for name in methods])
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

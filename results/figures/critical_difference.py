"""The critical-difference diagram: mean ranks over datasets (Demsar, JMLR 2006, Fig. 1).

A bar below the axis joins methods whose mean ranks differ by less than Nemenyi's critical
difference. With few datasets the test has little power, and the figure carries a warning.
"""

from __future__ import annotations

import math
import textwrap

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from results.configurations import DEFAULT_CHOICE, TableChoice
from results.figures.chart import NOTE_FONT_SIZE, PALETTE, Chart, Charts, MissingFigure, add_note
from results.figures.network_pairs import dataset_heading, pair_name
from results.statistics.critical_difference import CriticalDifference
from results.tables.dataset_ranks import (
    MIN_DATASETS_OF_DIAGRAM,
    CrossDatasetRanking,
    rank_across_datasets,
)

REASON = (
    f"it needs {MIN_DATASETS_OF_DIAGRAM} datasets with two compared methods for one pair of "
    "networks; with fewer, Nemenyi's test tells next to nothing apart. The leaderboard has gains."
)


def rank_charts(frame: pd.DataFrame, choice: TableChoice = DEFAULT_CHOICE) -> Charts:
    """Yield one diagram per pair of networks with ranks on enough datasets, or the reason for none.

    Args:
        frame: Rows of `collect_runs`.
        choice: What is compared.
    """
    are_enough = frame["dataset"].nunique() >= MIN_DATASETS_OF_DIAGRAM
    rankings = [
        one
        for one in (rank_across_datasets(frame, choice) if are_enough else ())
        if one.diagram is not None and len(one.rankings) >= MIN_DATASETS_OF_DIAGRAM
    ]
    if not rankings:
        yield MissingFigure("ranks", REASON)
    for ranking in rankings:
        name = pair_name("ranks", ranking, several=len(rankings) > 1)
        yield Chart(name, _rows(ranking), lambda data, ranking=ranking: _draw(data, ranking))  # type: ignore[misc]


def _rows(ranking: CrossDatasetRanking) -> pd.DataFrame:
    """Return the mean rank of every method and its rank on each dataset, the best first."""
    diagram = _diagram(ranking)
    columns = {
        f"rank on {one.name}": [one.ranks[row_id] for row_id in ranking.common]
        for one in ranking.rankings
    }
    labels = [label for _, label in ranking.common]
    data = pd.DataFrame({"method": labels, "mean_rank": diagram.mean_ranks, **columns})
    data = data.sort_values(["mean_rank", "method"], ignore_index=True)
    return data.assign(critical_difference=diagram.difference, friedman_p=diagram.p)


def _diagram(ranking: CrossDatasetRanking) -> CriticalDifference:
    assert ranking.diagram is not None  # `rank_charts` selects by it
    return ranking.diagram


def find_cliques(ranks: list[float], difference: float) -> list[tuple[int, int]]:
    """Find the longest ranges of methods that are within the critical difference.

    Args:
        ranks: Mean ranks in ascending order.
        difference: The critical difference.

    Returns:
        The first and last position of every range of two methods or more that no other contains.
    """
    cliques: list[tuple[int, int]] = []
    for first, rank in enumerate(ranks):
        last = max(i for i, other in enumerate(ranks) if other - rank < difference)
        if last > first and (not cliques or last > cliques[-1][1]):
            cliques.append((first, last))
    return cliques


def _draw(data: pd.DataFrame, ranking: CrossDatasetRanking) -> Figure:
    diagram, count = _diagram(ranking), len(data)
    cliques = find_cliques(list(data["mean_rank"]), diagram.difference)
    depth = 0.35 + 0.22 * len(cliques) + 0.3 * math.ceil(count / 2)
    figure = Figure(figsize=(6.4, 1.5 + 0.75 * depth), layout="constrained")
    ax = figure.subplots()
    ax.set_axis_off()
    ax.set_xlim(count + 0.15 * count, 1 - 0.15 * count)  # by convention the best is on the right
    ax.set_ylim(-depth, 1.0)
    _draw_axis(ax, count, diagram.difference)
    _draw_cliques(ax, data, cliques)
    _draw_methods(ax, data, top=-0.22 * len(cliques) - 0.35)
    datasets = ", ".join(map(dataset_heading, ranking.rankings))
    title = f"Mean rank in mAP on {datasets}; teacher {ranking.teacher}, student {ranking.network}"
    ax.set_title(textwrap.fill(title, 80), fontsize=9)
    sentences = [
        "Bars join methods that do not differ significantly (Nemenyi test, 5 %)."
        if cliques
        else "",
        _friedman_sentence(diagram),
        f"WARNING: {diagram.warning}" if diagram.warning else "",
    ]
    add_note(figure, " ".join(filter(None, sentences)), columns=120)
    return figure


def _draw_axis(ax: Axes, count: int, difference: float) -> None:
    """Draw the ranks from 1 to `count` and, above them, the length of the critical difference."""
    ax.plot([1, count], [0, 0], color="0", linewidth=1.2)
    for rank in range(1, count + 1):
        ax.plot([rank, rank], [0, 0.1], color="0", linewidth=1.0)
        ax.annotate(str(rank), (rank, 0.14), ha="center", va="bottom", fontsize=8)
    end = min(1 + difference, count + 0.1 * count)
    suffix = "" if end == 1 + difference else " (longer than the axis)"
    ax.plot([1, end], [0.62, 0.62], color="0", linewidth=1.5, marker="|", markersize=6)
    text = f"critical difference {difference:.2f}{suffix}"
    position = ((1 + end) / 2, 0.68)
    ax.annotate(text, position, ha="center", va="bottom", fontsize=NOTE_FONT_SIZE + 1)


def _draw_cliques(ax: Axes, data: pd.DataFrame, cliques: list[tuple[int, int]]) -> None:
    """Draw one bar per clique below the axis."""
    colour = sns.color_palette(PALETTE)[3]
    for number, (first, last) in enumerate(cliques, 1):
        ends = data["mean_rank"].iloc[[first, last]]
        ax.plot(
            [ends.min() - 0.05, ends.max() + 0.05],
            [-0.22 * number, -0.22 * number],
            color=colour,
            linewidth=3.2,
            solid_capstyle="butt",
        )


def _draw_methods(ax: Axes, data: pd.DataFrame, top: float) -> None:
    """Write the better half of the methods on the right and the others on the left, with lines."""
    count = len(data)
    for place, (method, rank) in enumerate(zip(data["method"], data["mean_rank"], strict=True)):
        is_right = place < math.ceil(count / 2)
        y = top - 0.3 * (place if is_right else count - 1 - place)
        x = 1 - 0.1 * (count - 1) if is_right else count + 0.1 * (count - 1)
        ax.plot([rank, rank, x], [0, y, y], color="0.25", linewidth=0.8)
        text = f" {method}  {rank:.2f} " if is_right else f" {rank:.2f}  {method} "
        side = "left" if is_right else "right"
        ax.annotate(text, (x, y), ha=side, va="center", fontsize=8, annotation_clip=False)


def _friedman_sentence(diagram: CriticalDifference) -> str:
    if math.isnan(diagram.p):
        return ""
    return f"Friedman test of equal ranks: p = {diagram.p:.2g}."

"""The critical-difference diagram: mean ranks over datasets, and which are not told apart.

As in Demsar 2006, Fig. 1: a bar below the axis joins methods whose mean ranks lie closer than
Nemenyi's critical difference. With few datasets it says little, and the figure says so.
"""

from __future__ import annotations

import math
import textwrap

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from results.figures.chart import NOTE, PALETTE, Chart, Charts, MissingFigure, note
from results.statistics.critical_difference import CriticalDifference
from results.tables.dataset_ranks import CrossDatasetRanking, DatasetRanking, rank_across_datasets

NEEDED = (
    "no two datasets on which two methods or more are complete with the same two networks; "
    "run a second one: kdreid run --methods all --dataset NAME."
)


def charts(frame: pd.DataFrame) -> Charts:
    """One diagram per pair of networks with ranks on two datasets at least."""
    found = [pair for pair in rank_across_datasets(frame) if pair.diagram is not None]
    if not found:
        yield MissingFigure("ranks", NEEDED)
    for pair in found:
        generated = any("generated" in contest.setting.data_flags for contest in pair.contests)
        suffix = f"-{pair.teacher}-{pair.network}".replace(" + ", "+") if len(found) > 1 else ""
        name = f"ranks{suffix}{'-generated' if suffix and generated else ''}"
        yield Chart(name, _data(pair), lambda data, pair=pair: _draw(data, pair))  # type: ignore[misc]


def _data(pair: CrossDatasetRanking) -> pd.DataFrame:
    diagram = _diagram(pair)
    ranks = {
        f"rank on {contest.name}": [contest.ranks[place] for place in pair.common]
        for contest in pair.contests
    }
    rows = {"method": [place[1] for place in pair.common], "mean_rank": diagram.mean_ranks, **ranks}
    data = pd.DataFrame(rows).sort_values(["mean_rank", "method"], ignore_index=True)
    return data.assign(critical_difference=diagram.difference, friedman_p=diagram.p)


def _diagram(pair: CrossDatasetRanking) -> CriticalDifference:
    assert pair.diagram is not None  # `charts` asked
    return pair.diagram


def cliques(ranks: list[float], difference: float) -> list[tuple[int, int]]:
    """Longest runs of sorted mean ranks within the critical difference, as (first, last)."""
    found: list[tuple[int, int]] = []
    for first, rank in enumerate(ranks):
        last = max(i for i, other in enumerate(ranks) if other - rank < difference)
        if last > first and (not found or last > found[-1][1]):
            found.append((first, last))
    return found


def _draw(data: pd.DataFrame, pair: CrossDatasetRanking) -> Figure:
    diagram, count = _diagram(pair), len(data)
    groups = cliques(list(data["mean_rank"]), diagram.difference)
    half = math.ceil(count / 2)
    depth = 0.35 + 0.22 * len(groups) + 0.3 * half
    figure = Figure(figsize=(6.4, 1.5 + 0.75 * depth), layout="constrained")
    ax = figure.subplots()
    ax.set_axis_off()
    ax.set_xlim(count + 0.15 * count, 1 - 0.15 * count)  # the best on the right, as is usual
    ax.set_ylim(-depth, 1.0)
    _axis(ax, count, diagram.difference)
    colours = sns.color_palette(PALETTE)
    for place, (first, last) in enumerate(groups):
        y = -0.22 * (place + 1)
        ends = data["mean_rank"].iloc[[first, last]]
        ax.plot(
            [ends.min() - 0.05, ends.max() + 0.05],
            [y, y],
            color=colours[3],
            linewidth=3.2,
            solid_capstyle="butt",
        )
    below = -0.22 * len(groups) - 0.35
    for place, (method, rank) in enumerate(zip(data["method"], data["mean_rank"], strict=True)):
        best = place < half
        row = place if best else count - 1 - place
        y, x = below - 0.3 * row, (1 - 0.1 * (count - 1) if best else count + 0.1 * (count - 1))
        ax.plot([rank, rank, x], [0, y, y], color="0.25", linewidth=0.8)
        text = f"{method}  {rank:.2f}" if best else f"{rank:.2f}  {method}"
        side = "left" if best else "right"
        ax.annotate(f" {text} ", (x, y), ha=side, va="center", fontsize=8, annotation_clip=False)
    names = ", ".join(map(_name, pair.contests))
    title = f"Mean rank in mAP over {names}; {pair.teacher} to {pair.network}"
    ax.set_title(textwrap.fill(title, 80), fontsize=9)
    joined = "Bars join methods that Nemenyi's test does not tell apart at 5 %. " if groups else ""
    warned = f"WARNING: {diagram.warning}" if diagram.warning else ""
    note(figure, f"{joined}{_friedman(diagram)}{warned}", columns=120)
    return figure


def _name(contest: DatasetRanking) -> str:
    marks = contest.setting.data_flags
    return f"{contest.name} ({marks} data)" if marks else contest.name


def _axis(ax: Axes, count: int, difference: float) -> None:
    """Ranks from 1 to `count` and, above them, the critical difference as a length."""
    ax.plot([1, count], [0, 0], color="0", linewidth=1.2)
    for rank in range(1, count + 1):
        ax.plot([rank, rank], [0, 0.1], color="0", linewidth=1.0)
        ax.annotate(str(rank), (rank, 0.14), ha="center", va="bottom", fontsize=8)
    end = min(1 + difference, count + 0.1 * count)
    cut = "" if end == 1 + difference else " (longer than the axis)"
    ax.plot([1, end], [0.62, 0.62], color="0", linewidth=1.5, marker="|", markersize=6)
    text = f"critical difference {difference:.2f}{cut}"
    ax.annotate(text, ((1 + end) / 2, 0.68), ha="center", va="bottom", fontsize=NOTE + 1)


def _friedman(diagram: CriticalDifference) -> str:
    if math.isnan(diagram.p):
        return ""
    return f"Friedman's test that all are alike: p {diagram.p:.2g}. "

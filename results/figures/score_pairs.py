"""R1 against mAP: whether both scores order the methods alike."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from results.comparable import SCORES, ComparisonGroup, comparison_groups
from results.configurations import DEFAULT_CHOICE, TableChoice, compared_rows
from results.figures.chart import (
    ONE_SEED_NOTE,
    SEEDS_NOTE,
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

REASON = (
    "no two rows of a table have scores. Train another method with kdreid run --dataset {dataset}."
)


def score_charts(frame: pd.DataFrame, choice: TableChoice = DEFAULT_CHOICE) -> Charts:
    """Yield one figure per comparison group with two finished rows, or the reason for none.

    Args:
        frame: Rows of `collect_runs`.
        choice: What is compared.
    """
    for dataset in sorted(set(frame["dataset"])):
        groups = comparison_groups(frame, dataset)
        is_missing = True
        for group in groups:
            data = pd.DataFrame(_rows(group, choice))
            if len(data) > 1:
                name = figure_name("scores", group, with_digest=len(groups) > 1)
                several = f" of {group.evaluations[0]}" if len(group.evaluations) > 1 else ""
                title = group_title(f"R1 against mAP{several}", group)
                yield Chart(name, data, lambda rows, title=title: _draw(rows, title))  # type: ignore[misc]
                is_missing = False
        if is_missing:
            yield MissingFigure(f"scores-{dataset}", REASON.format(dataset=dataset))


def _rows(group: ComparisonGroup, choice: TableChoice) -> Iterator[dict[str, Any]]:
    """Yield mean and standard deviation over seeds of each compared row, in percent."""
    for row in compared_rows(group, choice):
        if row.done.empty:
            continue
        mark: dict[str, Any] = {"method": row.label, "seeds": len(row.done)}
        for score, column in zip(SCORES, group.score_columns, strict=False):
            percent = 100 * row.done[column].astype(float)
            mark[score] = float(percent.mean())
            mark[f"{score}_sd"] = float(percent.std(ddof=1)) if len(percent) > 1 else math.nan
        yield mark


def _draw(data: pd.DataFrame, title: str) -> Figure:
    figure, axes = make_panels(1, width=4.6, height=3.2)
    ax, styles = axes[0], line_styles(list(data["method"]))
    sns.scatterplot(data, x="mAP", y="R1", s=36, ax=ax, zorder=3, **styles.for_points("method"))
    for _, row in data[data["seeds"] > 1].iterrows():
        ax.errorbar(
            row["mAP"],
            row["R1"],
            row["R1_sd"],
            row["mAP_sd"],
            fmt="none",
            ecolor=styles.colours[row["method"]],
            elinewidth=0.8,
        )
    ax.set(xlabel="mAP (%)", ylabel="R1 (%)")
    figure.suptitle(title, fontsize=9)
    add_legend(figure, axes)
    add_note(figure, SEEDS_NOTE if (data["seeds"] > 1).any() else ONE_SEED_NOTE, columns=95)
    return figure

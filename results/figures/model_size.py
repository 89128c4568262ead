"""mAP against the student's number of parameters and its MACs, with and without distillation.

Students are compared that differ in their network only: data, recipe and teacher are the same.
"""

from __future__ import annotations

import json
import math
import textwrap
from collections.abc import Sequence

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from results.figures.chart import (
    ONE_SEED_NOTE,
    SEEDS_NOTE,
    Chart,
    Charts,
    MissingFigure,
    add_legend,
    add_note,
    dataset_title,
    draw_seed_deviations,
    line_styles,
    make_panels,
)
from results.lines import BASELINE

REASON = (
    "no method has students of two networks whose records contain parameter counts. Train "
    "another network: kdreid run --dataset {dataset} --student resnet34."
)
NETWORK_FIELDS = ("network", "head", "weights")  # those in which compared students may differ
COLUMNS = [
    "dataset",
    "network",
    "millions",
    "giga_macs",
    "method",
    "mAP",
    "sd",
    "seeds",
    "comparable",
]
X_LABELS = {
    "millions": "parameters (millions)",
    "giga_macs": "MACs for one image (billions)",
}
NAME_GAP = 0.075  # between names of networks, as a share of a panel's width


def size_charts(frame: pd.DataFrame) -> Charts:
    """Yield one figure per dataset, recipe and teacher, or the reason why a dataset has none.

    A method is shown if it has students of two networks or more.

    Args:
        frame: Rows of `collect_runs`.
    """
    for dataset in sorted(set(frame["dataset"])):
        points = _points(frame[(frame["dataset"] == dataset) & (frame["status"] == "done")])
        parts = []
        for _, group in points.groupby("comparable", sort=True):
            is_shown = group.groupby("method")["network"].transform("nunique") > 1
            if is_shown.any():
                parts.append(group[is_shown].drop(columns="comparable"))
        if not parts:
            yield MissingFigure(f"size-{dataset}", REASON.format(dataset=dataset))
        title = f"mAP and model size, {dataset_title(frame, dataset)}"
        for number, data in enumerate(parts, 1):
            name = f"size-{dataset}" + (f"-{number}" if len(parts) > 1 else "")
            yield Chart(name, data, lambda rows, title=title: _draw(rows, title))  # type: ignore[misc]


def _points(runs: pd.DataFrame) -> pd.DataFrame:
    """Return mean and standard deviation of mAP over seeds by network, method and group.

    The column `comparable` is equal for students that may be compared.
    """
    runs = runs[runs["parameters"].notna() & (runs["options"] == "")]
    distilled = runs[runs["teacher_key"] != ""]
    groups = []
    for teacher_key, group in distilled.groupby("teacher_key", sort=True):
        peers = runs[
            (runs["teacher_key"] == "") & runs["student_setting"].isin(group["student_setting"])
        ]
        groups.append(pd.concat([peers, group]).assign(group_teacher=teacher_key))
    if not groups:
        return pd.DataFrame(columns=COLUMNS)
    students = pd.concat(groups)
    students["comparable"] = [
        json.dumps([teacher_key, _shared_fields(fields)])
        for teacher_key, fields in zip(students["group_teacher"], students["fields"], strict=True)
    ]
    students["millions"] = students["parameters"].astype(float) / 1e6
    students["giga_macs"] = students["operations"].astype(float) / 1e9
    students["percent"] = 100 * students["mAP"].astype(float)
    is_baseline = students["method"] == BASELINE[0]
    students["method"] = students["label"].mask(is_baseline, BASELINE[1])
    students["position"] = students["order"].mask(is_baseline, -1)
    by = ["dataset", "network", "method", "comparable"]
    points = students.groupby(by, sort=True, as_index=False).agg(
        millions=("millions", "first"),
        giga_macs=("giga_macs", "first"),
        mAP=("percent", "mean"),
        sd=("percent", "std"),
        seeds=("seed", "nunique"),
        position=("position", "min"),
    )
    return points.sort_values(["position", "method", "millions"])[COLUMNS]


def _shared_fields(fields: str) -> str:
    """Return the JSON fields of a run without those of its network."""
    values = json.loads(fields)
    shared = {name: value for name, value in values.items() if name not in NETWORK_FIELDS}
    return json.dumps(shared, sort_keys=True)


def _draw(data: pd.DataFrame, title: str) -> Figure:
    """Draw mAP against parameters, and against MACs if they are known and differ."""
    has_macs = data["giga_macs"].notna().all() and data["giga_macs"].nunique() > 1
    columns = ["millions", "giga_macs"] if has_macs else ["millions"]
    height = 2.9 + 0.06 * max(map(len, data["network"]))  # the names are upright
    figure, axes = make_panels(len(columns), width=2.9 if has_macs else 4.6, height=height)
    styles = line_styles(list(dict.fromkeys(data["method"])))
    for ax, column in zip(axes, columns, strict=True):
        sns.lineplot(data, x=column, y="mAP", markersize=5, ax=ax, **styles.for_lines("method"))
        draw_seed_deviations(ax, data, column, "mAP", "sd", "method", styles)
        ax.set(xlabel=X_LABELS[column], ylabel="mAP (%)", xscale="log")
        ax.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
        ax.xaxis.set_major_formatter("{x:g}")
        ax.xaxis.set_minor_formatter("")
        ax.margins(x=0.08)
        _name_networks(ax, data, column)
    figure.suptitle("\n".join(textwrap.wrap(title, 70)), fontsize=9)
    add_legend(figure, axes)
    several = (data["seeds"] > 1).any()
    add_note(figure, SEEDS_NOTE if several else ONE_SEED_NOTE, columns=100)
    return figure


def _name_networks(ax: Axes, data: pd.DataFrame, column: str) -> None:
    """Write the names of the networks above a panel, moved apart where they would overlap."""
    sizes = data.groupby("network")[column].first().sort_values()
    low, high = (math.log(end) for end in ax.get_xlim())
    places = [(math.log(size) - low) / (high - low) for size in sizes]
    for (network, size), place in zip(sizes.items(), spread(places, NAME_GAP), strict=True):
        ax.axvline(size, color="0.8", linewidth=0.6, zorder=0)
        ax.annotate(
            str(network),
            xy=(size, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(place, 1.06),
            textcoords="axes fraction",
            rotation=90,
            fontsize=7.5,
            ha="center",
            va="bottom",
            arrowprops={"arrowstyle": "-", "color": "0.7", "linewidth": 0.6},
        )


def spread(places: Sequence[float], gap: float) -> list[float]:
    """Return positions that are at least `gap` apart and as near to the given ones as possible.

    Args:
        places: Positions in ascending order.
        gap: Smallest distance between neighbours.
    """
    # Blocks of neighbours that touch; each lies where the mean distance to its places is 0.
    blocks: list[tuple[float, int]] = []  # first position, number of members
    for place in places:
        start, count = place, 1
        while blocks and blocks[-1][0] + gap * blocks[-1][1] > start:
            earlier, members = blocks.pop()
            total = earlier * members + (start - gap * members) * count
            start, count = total / (members + count), members + count
        blocks.append((start, count))
    return [start + gap * number for start, count in blocks for number in range(count)]

"""mAP against the student's size, in parameters: what a network is worth, plain and distilled.

Students are compared that differ in their network and share all else: data, recipe and teacher.
"""

from __future__ import annotations

import json

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from results.figures.chart import (
    Chart,
    Charts,
    MissingFigure,
    dataset_name,
    legend,
    line_styles,
    note,
    panels,
)
from results.tables.table import COMPARED

NEEDED = (
    "students of one network only, or records without parameter counts; train another: "
    "kdreid run --dataset {dataset} --student resnet34."
)
LABELS = {"none": "Student", **COMPARED}


def charts(frame: pd.DataFrame) -> Charts:
    """One figure per dataset, recipe and teacher that has students of two networks or more."""
    for dataset in sorted(set(frame["dataset"])):
        data = _points(frame[(frame["dataset"] == dataset) & (frame["status"] == "done")])
        groups = []
        for _, group in data.groupby("comparable", sort=True):
            several = group.groupby("method")["network"].transform("nunique") > 1
            if several.any():  # a method of one network says nothing about sizes
                groups.append(group[several])
        if not groups:
            yield MissingFigure(f"size-{dataset}", NEEDED.format(dataset=dataset))
        for number, group in enumerate(groups, 1):
            name = f"size-{dataset}" + (f"-{number}" if len(groups) > 1 else "")
            title = f"Accuracy against size, {dataset_name(frame, dataset)}"
            points = group.drop(columns="comparable")
            yield Chart(name, points, lambda rows, title=title: _draw(rows, title))  # type: ignore[misc]


def _points(runs: pd.DataFrame) -> pd.DataFrame:
    """Students by method and network: mean mAP over seeds, and its standard deviation."""
    runs = runs[runs["parameters"].notna() & (runs["options"] == "")]
    taught = runs[runs["teacher_key"] != ""]
    found = []
    for keys, group in taught.groupby("teacher_key", sort=True):
        peers = runs[
            (runs["teacher_key"] == "") & runs["student_setting"].isin(group["student_setting"])
        ]
        found.append(pd.concat([peers, group]).assign(taught_by=keys))
    columns = ["dataset", "network", "millions", "method", "mAP", "sd", "seeds", "comparable"]
    if not found:
        return pd.DataFrame(columns=columns)
    every = pd.concat(found)
    every["comparable"] = [
        json.dumps([taught_by, _without_network(fields)])
        for taught_by, fields in zip(every["taught_by"], every["fields"], strict=True)
    ]
    every["millions"] = every["parameters"].astype(float) / 1e6
    every["percent"] = 100 * every["mAP"].astype(float)
    every["method"] = every["method"].map(lambda name: LABELS.get(name, name))
    by = ["dataset", "network", "method", "comparable"]
    points = every.groupby(by, sort=True, as_index=False).agg(
        millions=("millions", "first"),
        mAP=("percent", "mean"),
        sd=("percent", "std"),
        seeds=("seed", "nunique"),
    )
    order = [*LABELS.values()]
    rank = points["method"].map(lambda m: order.index(m) if m in order else len(order))
    return points.assign(rank=rank).sort_values(["rank", "method", "millions"])[columns]


def _without_network(fields: str) -> str:
    """What students of different networks must share."""
    own = ("network", "head", "weights")
    kept = {name: value for name, value in json.loads(fields).items() if name not in own}
    return json.dumps(kept, sort_keys=True)


def _draw(data: pd.DataFrame, title: str) -> Figure:
    figure, axes = panels(1, width=5.4, height=3.2)
    names = list(dict.fromkeys(data["method"]))
    colours, markers, dashes = line_styles(names)
    sns.lineplot(
        data,
        x="millions",
        y="mAP",
        hue="method",
        style="method",
        hue_order=names,
        style_order=names,
        palette=colours,
        markers=markers,
        dashes=dashes,
        errorbar=None,
        markersize=6,
        ax=axes[0],
    )
    for name, rows in data[data["seeds"] > 1].groupby("method"):
        axes[0].errorbar(
            rows["millions"],
            rows["mAP"],
            rows["sd"],
            fmt="none",
            ecolor=colours[str(name)],
            elinewidth=0.8,
            capsize=2,
        )
    axes[0].set(xlabel="parameters of the student, millions", ylabel="mAP, %", xscale="log")
    sizes = data.drop_duplicates("network").sort_values("millions")
    axes[0].set_xticks(
        sizes["millions"],
        [f"{m:.1f}\n{n}" for m, n in zip(sizes["millions"], sizes["network"], strict=True)],
    )
    axes[0].minorticks_off()
    axes[0].set_title(title)
    legend(figure, axes)
    note(figure, "Mean over seeds; bars: standard deviation over seeds, where there are several.")
    return figure

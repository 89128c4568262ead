"""mAP against the student's number of parameters, with and without distillation.

Students are compared that differ in their network only: data, recipe and teacher are the same.
"""

from __future__ import annotations

import json

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from results.figures.chart import (
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
COLUMNS = ["dataset", "network", "millions", "method", "mAP", "sd", "seeds", "comparable"]


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
    students["percent"] = 100 * students["mAP"].astype(float)
    is_baseline = students["method"] == BASELINE[0]
    students["method"] = students["label"].mask(is_baseline, BASELINE[1])
    students["position"] = students["order"].mask(is_baseline, -1)
    by = ["dataset", "network", "method", "comparable"]
    points = students.groupby(by, sort=True, as_index=False).agg(
        millions=("millions", "first"),
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
    figure, axes = make_panels(1, width=5.4, height=3.2)
    styles = line_styles(list(dict.fromkeys(data["method"])))
    sns.lineplot(
        data, x="millions", y="mAP", markersize=6, ax=axes[0], **styles.for_lines("method")
    )
    draw_seed_deviations(axes[0], data, "millions", "mAP", "sd", "method", styles)
    axes[0].set(xlabel="parameters of the student (millions)", ylabel="mAP (%)", xscale="log")
    sizes = data.drop_duplicates("network").sort_values("millions")
    axes[0].set_xticks(
        sizes["millions"],
        [f"{n} ({m:.1f})" for m, n in zip(sizes["millions"], sizes["network"], strict=True)],
        rotation=35,
        ha="right",
    )
    axes[0].minorticks_off()
    axes[0].set_title(title)
    add_legend(figure, axes)
    add_note(figure, SEEDS_NOTE)
    return figure

"""mAP and R1 against one option of a method: PDRD's Figs. 4 and 5, VRKD's Fig. 6.

A line is one dataset, pair of networks and recipe in which nothing but that option and the seed
differs. Numbers make lines, words make bars. Records tell the options that were in force, so that
the default is a point like the others.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
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

RECORD = "record.json"
STUDIES = {  # the papers' figures: method and option, and the study that makes the runs
    ("pdrd", "weight"): "pdrd-weight",  # Fig. 4
    ("pdrd", "activation"): "pdrd-activation",  # Fig. 5
    ("vrkd", "temperature"): "vrkd-temperature-and-weight",  # Fig. 6a
    ("vrkd", "weight"): "vrkd-temperature-and-weight",  # Fig. 6b
}
WITHOUT = {"pdrd": ("pdrk", "activation")}  # the same loss without one of its parts: "none"
COLUMNS = [
    "dataset",
    "network",
    "teacher",
    "line",
    "value",
    "seeds",
    "mAP",
    "mAP_sd",
    "R1",
    "R1_sd",
]


def charts(frame: pd.DataFrame) -> Charts:
    """One figure per method and option that was given two values or more."""
    found = dict(_varied(frame[frame["status"] == "done"]))
    for method, option in dict.fromkeys([*STUDIES, *found]):
        name = f"{method.replace(':', '-')}-{option}"
        if (method, option) in found:
            data = found[method, option]
            yield Chart(name, data, lambda rows, m=method, o=option: _draw(rows, m, o))  # type: ignore[misc]
        else:
            study = STUDIES[method, option]
            yield MissingFigure(
                name,
                f"no runs of {COMPARED[method]} that differ in {option} alone; "
                f"kdreid run --study {study} makes them.",
            )


def _varied(done: pd.DataFrame) -> Iterator[tuple[tuple[str, str], pd.DataFrame]]:
    """By method and option the points of all lines with two values at least."""
    for method, runs in done[done["teacher_key"] != ""].groupby("method", sort=True):
        if runs["options"].nunique() < 2:
            continue
        told = [(row, _options(str(row["folder"]))) for _, row in runs.iterrows()]
        if (without := WITHOUT.get(str(method))) is not None:
            told += _without(done[done["method"] == without[0]], without[1], runs)
        names = dict.fromkeys(name for _, options in told for name in options)
        for name in names:
            values = {json.dumps(options.get(name)) for _, options in told}
            if len(values) > 1 and not (points := _points(told, name)).empty:
                yield (str(method), name), points


def _without(
    others: pd.DataFrame, option: str, runs: pd.DataFrame
) -> Iterator[tuple[pd.Series, dict[str, Any]]]:
    """Runs of the method without a part, as points of the one that has it."""
    for _, row in others.iterrows():
        options = _options(str(row["folder"]))
        if options:
            as_with = row.copy()
            as_with["version"] = runs["version"].iloc[0]
            yield as_with, {**options, option: "none"}


def _options(folder: str) -> dict[str, Any]:
    """Every option that a run had; nothing if its record is too old to tell."""
    try:
        found = json.loads((Path(folder) / RECORD).read_bytes())["options"]
        return dict(found)
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _points(told: list[tuple[pd.Series, dict[str, Any]]], name: str) -> pd.DataFrame:
    """Mean and standard deviation over seeds of every value, line by line."""
    rows = []
    for run, options in told:
        if name in options:
            others = {key: value for key, value in options.items() if key != name}
            rows.append(
                {
                    "setting": json.dumps([run["setting"], run["version"], others], sort_keys=True),
                    "dataset": dataset_name(run.to_frame().T, run["dataset"]),
                    "network": run["network"],
                    "teacher": run["teacher"],
                    "value": options[name],
                    "seed": run["seed"],
                    "mAP": 100 * float(run["mAP"]),
                    "R1": 100 * float(run["R1"]),
                }
            )
    frame = pd.DataFrame(rows)
    lines = []
    for _, group in frame.groupby("setting", sort=True) if rows else ():
        if group["value"].nunique() > 1:
            lines.append(_line(group))
    if not lines:
        return pd.DataFrame(columns=COLUMNS)
    lines.sort(key=lambda line: [str(word) for word in line.iloc[0][["dataset", "network"]]])
    seen: list[str] = []
    for line in lines:
        first = line.iloc[0]
        label = f"{first['dataset']}, {first['network']}"
        seen.append(label)
        line["line"] = label if seen.count(label) == 1 else f"{label} ({seen.count(label)})"
    return pd.concat(lines)[COLUMNS]


def _line(group: pd.DataFrame) -> pd.DataFrame:
    by = ["dataset", "network", "teacher", "value"]
    return group.groupby(by, sort=True, as_index=False).agg(
        seeds=("seed", "nunique"),
        mAP=("mAP", "mean"),
        mAP_sd=("mAP", "std"),
        R1=("R1", "mean"),
        R1_sd=("R1", "std"),
    )


def _draw(data: pd.DataFrame, method: str, option: str) -> Figure:
    figure, axes = panels(2, width=3.3, height=2.9)
    names = list(dict.fromkeys(data["line"]))
    words = any(isinstance(value, str | bool) for value in data["value"])
    for ax, score in zip(axes, ("mAP", "R1"), strict=True):
        (_bars if words else _lines)(ax, data, score, names)
        ax.set(xlabel=option, ylabel=f"{score}, %")
    legend(figure, axes)
    figure.suptitle(f"{COMPARED.get(method, method)}: {option}", fontsize=9.5)
    note(figure, "Mean over seeds; bars: standard deviation over seeds, where there are several.")
    return figure


def _lines(ax: Axes, data: pd.DataFrame, score: str, names: list[str]) -> None:
    colours, markers, dashes = line_styles(names)
    sns.lineplot(
        data,
        x="value",
        y=score,
        hue="line",
        style="line",
        hue_order=names,
        style_order=names,
        palette=colours,
        markers=markers,
        dashes=dashes,
        errorbar=None,
        ax=ax,
    )
    for name, rows in data[data["seeds"] > 1].groupby("line"):
        ax.errorbar(
            rows["value"],
            rows[score],
            rows[f"{score}_sd"],
            fmt="none",
            ecolor=colours[str(name)],
            elinewidth=0.8,
            capsize=2,
        )
    ax.set_xticks(sorted(set(data["value"])))
    ax.xaxis.set_major_formatter("{x:g}")


def _bars(ax: Axes, data: pd.DataFrame, score: str, names: list[str]) -> None:
    """Dots with their deviation beside each other: bars would have to start at zero."""
    colours, markers, _ = line_styles(names)
    values = sorted(set(map(str, data["value"])), key=lambda word: (word != "none", word))
    width = 0.5 / max(1, len(names))
    for place, name in enumerate(names):
        rows = data[data["line"] == name]
        at = [
            values.index(str(value)) + (place - (len(names) - 1) / 2) * width
            for value in rows["value"]
        ]
        ax.errorbar(
            at,
            rows[score],
            rows[f"{score}_sd"].fillna(0.0),
            fmt=markers[name],
            color=colours[name],
            elinewidth=0.8,
            capsize=2,
            markersize=5,
            label=name,
        )
    ax.set_xticks(range(len(values)), values)
    ax.set_xlim(-0.5, len(values) - 0.5)

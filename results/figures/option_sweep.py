"""mAP and R1 against one option of a method (PDRD, Figs. 4 and 5; VRKD, Fig. 6).

A line is one dataset, pair of networks and recipe in which runs differ in the option and the seed
only. Numeric options make lines, others separate points. Records contain all options of a run, so
that the default value is a point, too.
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

from harness.core.errors import FileError
from harness.core.files import read_json
from harness.runs.layout import RECORD
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

Options = dict[str, Any]
OptionOfMethod = tuple[str, str]

# The papers' figures, and the studies that run them.
PAPER_STUDIES: dict[OptionOfMethod, str] = {
    ("pdrd", "weight"): "pdrd-weight",  # Fig. 4
    ("pdrd", "activation"): "pdrd-activation",  # Fig. 5
    ("vrkd", "temperature"): "vrkd-temperature-and-weight",  # Fig. 6a
    ("vrkd", "weight"): "vrkd-temperature-and-weight",  # Fig. 6b
}
# The method without the part that an option selects, shown as the option's value "none".
ABLATED_OPTIONS = {"pdrd": ("pdrk", "activation")}
LOG_AXIS_FROM = 8  # largest value divided by the smallest; closer values fit a linear axis
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


def sweep_charts(frame: pd.DataFrame) -> Charts:
    """Yield one figure per method and option with two values, or the reason for a paper's figure.

    Args:
        frame: Rows of `collect_runs`.
    """
    done = frame[frame["status"] == "done"]
    sweeps = dict(_sweeps(done))
    for method, option in dict.fromkeys([*PAPER_STUDIES, *sweeps]):
        name = f"{method.replace(':', '-').replace('/', '-')}-{option}"
        if (method, option) in sweeps:
            label = done[done["method"] == method]["label"].iloc[0]
            yield Chart(
                name,
                sweeps[method, option],
                lambda rows, label=label, option=option: _draw(rows, label, option),  # type: ignore[misc]
            )
        else:
            study = PAPER_STUDIES[method, option]
            yield MissingFigure(
                name,
                f"no runs of {method} differ in {option} only. Run kdreid run --study {study}.",
            )


def _sweeps(done: pd.DataFrame) -> Iterator[tuple[OptionOfMethod, pd.DataFrame]]:
    """Yield the points of every method and option that has a line."""
    for method, runs in done[done["teacher_key"] != ""].groupby("method", sort=True):
        if runs["options"].nunique() < 2:
            continue
        runs_with_options = [(run, _read_options(str(run["folder"]))) for _, run in runs.iterrows()]
        if (ablated := ABLATED_OPTIONS.get(str(method))) is not None:
            ablated_method, option = ablated
            others = done[done["method"] == ablated_method]
            runs_with_options += _ablated_runs(others, option, runs["version"].iloc[0])
        for option in dict.fromkeys(name for _, options in runs_with_options for name in options):
            values = {json.dumps(options.get(option)) for _, options in runs_with_options}
            if len(values) > 1 and not (points := _points(runs_with_options, option)).empty:
                yield (str(method), option), points


def _ablated_runs(
    runs: pd.DataFrame, option: str, version: str
) -> Iterator[tuple[pd.Series, Options]]:
    """Yield runs of the ablated method as runs of the whole one with `option` at "none"."""
    for _, run in runs.iterrows():
        options = _read_options(str(run["folder"]))
        if options:
            renamed = run.copy()
            renamed["version"] = version
            yield renamed, {**options, option: "none"}


def _read_options(folder: str) -> Options:
    """Return all options of a run; none if its record is too old or cannot be read any more."""
    try:
        options = (read_json(Path(folder) / RECORD) or {}).get("options")
    except FileError:
        return {}
    return options if isinstance(options, dict) else {}


def _points(runs_with_options: list[tuple[pd.Series, Options]], option: str) -> pd.DataFrame:
    """Return mean and standard deviation over seeds of every value, line by line."""
    rows = []
    for run, options in runs_with_options:
        if option in options:
            others = {name: value for name, value in options.items() if name != option}
            rows.append(
                {
                    "setting": json.dumps([run["setting"], run["version"], others], sort_keys=True),
                    "dataset": dataset_title(run.to_frame().T, run["dataset"]),
                    "network": run["network"],
                    "teacher": run["teacher"],
                    "value": options[option],
                    "seed": run["seed"],
                    "mAP": 100 * float(run["mAP"]),
                    "R1": 100 * float(run["R1"]),
                }
            )
    frame = pd.DataFrame(rows)
    lines = []
    for _, group in frame.groupby("setting", sort=True) if rows else ():
        if group["value"].nunique() > 1:
            lines.append(_mean_over_seeds(group))
    if not lines:
        return pd.DataFrame(columns=COLUMNS)
    lines.sort(key=lambda line: [str(word) for word in line.iloc[0][["dataset", "network"]]])
    labels: list[str] = []
    for line in lines:
        first = line.iloc[0]
        label = f"{first['dataset']}, {first['network']}"
        labels.append(label)
        line["line"] = label if labels.count(label) == 1 else f"{label} ({labels.count(label)})"
    return pd.concat(lines)[COLUMNS]


def _mean_over_seeds(group: pd.DataFrame) -> pd.DataFrame:
    by = ["dataset", "network", "teacher", "value"]
    return group.groupby(by, sort=True, as_index=False).agg(
        seeds=("seed", "nunique"),
        mAP=("mAP", "mean"),
        mAP_sd=("mAP", "std"),
        R1=("R1", "mean"),
        R1_sd=("R1", "std"),
    )


def _draw(data: pd.DataFrame, label: str, option: str) -> Figure:
    figure, axes = make_panels(2, width=3.3, height=2.9)
    names = list(dict.fromkeys(data["line"]))
    is_numeric = not any(isinstance(value, str | bool) for value in data["value"])
    for ax, score in zip(axes, ("mAP", "R1"), strict=True):
        (_draw_lines if is_numeric else _draw_points)(ax, data, score, names)
        ax.set(xlabel=option, ylabel=f"{score} (%)")
    add_legend(figure, axes)
    figure.suptitle(f"{label}: {option}", fontsize=9.5)
    add_note(figure, SEEDS_NOTE)
    return figure


def _draw_lines(ax: Axes, data: pd.DataFrame, score: str, names: list[str]) -> None:
    styles = line_styles(names)
    sns.lineplot(data, x="value", y=score, ax=ax, **styles.for_lines("line"))
    draw_seed_deviations(ax, data, "value", score, f"{score}_sd", "line", styles)
    values = sorted(set(data["value"]))
    if values[0] > 0 and values[-1] / values[0] >= LOG_AXIS_FROM:
        ax.set_xscale("log")
    ax.set_xticks(values)
    ax.minorticks_off()
    ax.xaxis.set_major_formatter("{x:g}")


def _draw_points(ax: Axes, data: pd.DataFrame, score: str, names: list[str]) -> None:
    """Draw the values of a non-numeric option; bars would have to start at zero."""
    styles = line_styles(names)
    values = sorted(set(map(str, data["value"])), key=lambda word: (word != "none", word))
    width = 0.5 / max(1, len(names))
    for number, name in enumerate(names):
        rows = data[data["line"] == name]
        offset = (number - (len(names) - 1) / 2) * width
        ax.errorbar(
            [values.index(str(value)) + offset for value in rows["value"]],
            rows[score],
            rows[f"{score}_sd"].fillna(0.0),
            fmt=styles.markers[name],
            color=styles.colours[name],
            elinewidth=0.8,
            capsize=2,
            markersize=5,
            label=name,
        )
    ax.set_xticks(range(len(values)), values)
    ax.set_xlim(-0.5, len(values) - 0.5)

"""Learning curves: the supervised loss of every run by training step, from its `curve.csv`.

The distillation loss is subtracted, because its scale depends on each method's weight. Where the
file has the column `validation_mAP` (a fraction of 1, empty at steps that were not validated), a
second panel shows it.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from harness.core.errors import FileError
from harness.core.files import read_file
from harness.runs.layout import CURVE
from harness.runs.reader import MAX_CURVE_BYTES
from results.comparable import ComparisonGroup, comparison_groups
from results.configurations import DEFAULT_CHOICE, TableChoice, compared_rows
from results.figures.chart import (
    Chart,
    Charts,
    LineStyles,
    MissingFigure,
    add_legend,
    add_note,
    figure_name,
    group_title,
    line_styles,
    make_panels,
)
from results.lines import TableRow, teacher_rows

TEACHER = "teacher"  # method of its rows
VALIDATION = "validation_mAP"  # column of the file
WINDOWS = 60  # of training steps: single steps are noise


def learning_curve_charts(frame: pd.DataFrame, choice: TableChoice = DEFAULT_CHOICE) -> Charts:
    """Yield one figure per comparison group, or the reason why it is missing.

    Runs without a curve are skipped, and those whose curve cannot be read or is damaged are named.

    Args:
        frame: Rows of `collect_runs`.
        choice: What is compared.
    """
    for dataset in sorted(set(frame["dataset"])):
        groups = comparison_groups(frame, dataset)
        for group in groups:
            name = figure_name("learning", group, with_digest=len(groups) > 1)
            problems: list[str] = []
            curves = list(_curves(group, choice, problems))
            if not curves:
                yield MissingFigure(
                    name, f"no run has a readable {CURVE}, which kdreid run writes."
                )
            else:
                title = group_title("Learning curves", group)
                whole = pd.concat(curves)
                data = _average_windows(whole)
                windows = "" if len(data) == len(whole) else f", in {WINDOWS} windows of steps"
                yield Chart(
                    name,
                    data,
                    lambda rows, title=title, windows=windows: _draw(rows, title, windows),  # type: ignore[misc]
                )
            yield from (MissingFigure(name, text) for text in problems)


def _curves(
    group: ComparisonGroup, choice: TableChoice, problems: list[str]
) -> Iterator[pd.DataFrame]:
    """Yield the curve of every finished run that is compared, the teachers' first.

    Args:
        group: The runs.
        choice: What is compared.
        problems: Gets a sentence for each curve that cannot be read or is damaged.
    """
    teachers: list[TableRow] = [row for row, _ in teacher_rows(group)]
    table_rows = [*teachers, *compared_rows(group, choice)]
    for row in table_rows:
        done = row.done
        for key, folder, seed in zip(done["key"], done["folder"], done["seed"], strict=True):
            path = Path(folder) / CURVE
            try:
                content = read_file(path, MAX_CURVE_BYTES)
                if content is None:
                    continue
                curve = pd.read_csv(io.BytesIO(content))
                if curve.empty or curve[["step", "lr", "loss"]].isna().any(axis=None):
                    raise ValueError("it is cut")
                distillation = curve.get("distillation", pd.Series(0.0, curve.index)).fillna(0.0)
                validation = curve.get(VALIDATION, pd.Series(np.nan, curve.index))
                yield pd.DataFrame(
                    {
                        "is_teacher": row.method == TEACHER,
                        "method": row.label,
                        "seed": int(seed),
                        "run": key,
                        "step": curve["step"].astype(int),
                        "learning_rate": curve["lr"].astype(float),
                        "objective": (curve["loss"] - distillation).astype(float),
                        "distillation": distillation.astype(float),
                        VALIDATION: 100 * validation.astype(float),
                    }
                )
            except FileError as error:
                problems.append(str(error))
            except (KeyError, TypeError, ValueError):
                problems.append(f"{path} is damaged, so its run is not drawn.")


def _average_windows(data: pd.DataFrame) -> pd.DataFrame:
    """Return the means of every run over windows of steps, with the window's mean step.

    Curves of at most `WINDOWS` different steps stay as they are.
    """
    steps = np.unique(data["step"])
    if len(steps) <= WINDOWS:
        return data
    window = np.arange(len(steps)) * WINDOWS // len(steps)
    middle = pd.Series(steps).groupby(window).mean().round().astype(int)
    data = data.assign(step=data["step"].map(dict(zip(steps, middle[window], strict=True))))
    by = ["is_teacher", "method", "seed", "run", "step"]
    return data.groupby(by, sort=False, as_index=False).mean()


def _draw(data: pd.DataFrame, title: str, windows: str) -> Figure:
    """Draw the losses of all methods in one panel, and validation mAP in another if it is known."""
    has_validation = data[VALIDATION].notna().any()
    figure, axes = make_panels(2 if has_validation else 1, width=3.1 if has_validation else 4.8)
    names = list(dict.fromkeys(data["method"]))
    teachers = set(data[data["is_teacher"]]["method"])
    styles = line_styles([name for name in names if name not in teachers])
    _draw_means(axes[0], data, "objective", styles)
    axes[0].set(ylabel="loss without distillation", yscale="log")
    axes[0].yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes[0].yaxis.set_major_formatter("{x:g}")
    axes[0].yaxis.set_minor_formatter("")
    if has_validation:
        _draw_means(axes[1], data, VALIDATION, styles)
        axes[1].set(ylabel="validation mAP (%)")
    figure.suptitle(title, fontsize=9)
    add_legend(figure, axes)
    several = data.groupby("method")["seed"].nunique().max() > 1
    means = "Lines: mean over seeds" if several else "Lines: one seed"
    add_note(figure, f"{means}{windows}.", columns=95)
    return figure


def _draw_means(ax: Axes, data: pd.DataFrame, column: str, styles: LineStyles) -> None:
    """Draw a line per method, the mean over its seeds; teachers are grey."""
    for name, rows in data.groupby("method", sort=False):
        mean = rows.groupby("step")[column].mean().dropna()
        is_teacher = bool(rows["is_teacher"].iloc[0])
        style: dict[str, Any] = {"color": "0.7", "linewidth": 2.2, "zorder": 1}
        if not is_teacher:
            style = {"color": styles.colours[str(name)], "linewidth": 1.1}
            style["dashes"] = styles.dashes[str(name)] or (None, None)
        ax.plot(mean.index, mean, label=str(name), **style)
    ax.set_xlabel("training step")

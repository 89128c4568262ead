"""Ranking inconsistency of students with their teachers, by method (PDRD, Fig. 3).

`kdreid measure-consistency` measures it and writes it into the run's folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from harness.core.errors import FileError
from harness.core.files import read_json
from harness.runs.layout import CONSISTENCY, RECORD
from results.comparable import ComparisonGroup, comparison_groups
from results.configurations import DEFAULT_CHOICE, TableChoice, compared_rows
from results.figures.chart import (
    COLOURS,
    Chart,
    Charts,
    MissingFigure,
    add_note,
    dataset_title,
    row_height,
    wrap_label,
)
from results.lines import BASELINE

FIELDS = ("l_rank", "share", "queries", "gallery")  # of the file that are shown


def consistency_charts(frame: pd.DataFrame, choice: TableChoice = DEFAULT_CHOICE) -> Charts:
    """Yield one figure with a panel per dataset, or the reason why it is missing.

    A panel shows the dataset's largest comparison group of which runs were measured.

    Args:
        frame: Rows of `collect_runs`.
        choice: What is compared.
    """
    parts, problems = [], list[str]()
    for dataset in sorted(set(frame["dataset"])):
        measured = (
            pd.DataFrame(_rows(group, choice, problems))
            for group in comparison_groups(frame, dataset)
        )
        parts += [part for part in measured if len(part)][:1]
    if parts:
        data = pd.concat(parts, ignore_index=True)
        titles = {str(name): dataset_title(frame, str(name)) for name in data["dataset"].unique()}
        yield Chart("consistency", data, lambda rows: _draw(rows, titles))
    else:
        yield MissingFigure("consistency", "no run was measured. Run kdreid measure-consistency.")
    yield from (MissingFigure("consistency", text) for text in problems)


def _rows(
    group: ComparisonGroup, choice: TableChoice, problems: list[str]
) -> Iterator[dict[str, object]]:
    """Yield the measurement of every compared run that has one."""
    teachers = [key for _, several in group.teachers_by_seed for key, _ in several]
    teachers += [key for key, _ in group.teachers]
    for row in compared_rows(group, choice):
        done = row.done
        own = teachers if row.method == BASELINE[0] else []
        for key, folder, seed in zip(done["key"], done["folder"], done["seed"], strict=True):
            if (values := _read_measurement(Path(folder), own, problems)) is not None:
                yield {
                    "dataset": group.dataset,
                    "network": group.network,
                    "method": row.label,
                    "seed": seed,
                    "run": key,
                    **values,
                }


def _read_measurement(
    folder: Path, teachers: Sequence[str], problems: list[str]
) -> dict[str, float] | None:
    """Return what was measured with the weights of the record; None without such a measurement.

    Args:
        folder: The run's folder.
        teachers: Keys of the teachers of the other students, for an undistilled student, whose file
            has a measurement for each teacher; none for a distilled one, whose file has one.
        problems: Gets a sentence if the measurement cannot be read or is damaged.
    """
    try:
        content, record = read_json(folder / CONSISTENCY), read_json(folder / RECORD)
        if content is None or record is None or content["model"] != record["result"]["model"]:
            return None
        if teachers:
            measured = content["by_teacher"]
            content = next((measured[key] for key in teachers if key in measured), None)
        return {name: float(content[name]) for name in FIELDS} if content else None
    except FileError as error:
        problems.append(str(error))
    except (ValueError, KeyError, TypeError):
        problems.append(f"{folder / CONSISTENCY} is damaged, so its run is not drawn.")
    return None


def _draw(data: pd.DataFrame, titles: dict[str, str]) -> Figure:
    datasets = list(dict.fromkeys(data["dataset"]))
    methods = data.groupby("dataset")["method"].nunique().max()
    height = row_height([wrap_label(name) for name in data["method"]], 0.2)
    columns = min(2, len(datasets))
    rows = -(-len(datasets) // columns)
    size = (0.9 + 2.7 * columns, 0.6 + (0.7 + height * methods) * rows)
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).flatten()
    for ax in axes[len(datasets) :]:
        ax.remove()
    axes = axes[: len(datasets)]
    for ax, dataset in zip(axes, datasets, strict=True):
        _draw_panel(ax, data[data["dataset"] == dataset])
        ax.set_title(titles[dataset])
    figure.suptitle("Ranking inconsistency with the teacher (lower is better)", fontsize=9.5)
    layout = figure.get_layout_engine()
    assert layout is not None
    layout.set(wspace=0.08)  # type: ignore[call-arg]
    text = (
        "L_rank (PDRD, Eq. 2): mean over queries of the square root of the number of gallery pairs "
        "that student and teacher rank in different order. Values for galleries of different size "
        "cannot be compared."
    )
    if data.groupby(["dataset", "method"])["seed"].nunique().max() > 1:
        text += " Bars and numbers: mean over seeds; dots: seeds."
    add_note(figure, text, columns=52 * columns + 18)
    return figure


def _draw_panel(ax: Axes, data: pd.DataFrame) -> None:
    """Draw a bar from zero for each mean, with a dot per seed and the number behind it."""
    means = data.groupby("method")["l_rank"].mean().sort_values(ascending=False)
    heights = {name: height for height, name in enumerate(means.index)}
    colours = ["0.6" if name == BASELINE[1] else COLOURS[0] for name in means.index]
    ax.barh(range(len(means)), means, color=colours, height=0.55, alpha=0.75)
    if data["seed"].nunique() > 1:
        places = data["method"].map(heights)
        ax.plot(data["l_rank"], places, "o", color="0", markersize=2, alpha=0.8)
    for height, mean in enumerate(means):
        ax.annotate(
            f"{mean:.1f}",
            (1.0, height),
            xycoords=("axes fraction", "data"),
            xytext=(3, 0),
            textcoords="offset points",
            va="center",
            fontsize=7.5,
            annotation_clip=False,
        )
    ax.set_yticks(range(len(means)), [wrap_label(str(name)) for name in means.index])
    ax.set_ylim(-0.6, len(means) - 0.4)
    ax.set_xlabel("L_rank")
    ax.set_xlim(0, 1.04 * data["l_rank"].max() or 1)
    ax.grid(axis="y", visible=False)

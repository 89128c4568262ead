"""Ranking inconsistency of students with their teachers, by method (PDRD, Fig. 3).

`kdreid measure-consistency` measures it and writes it into the run's folder.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from harness.core.errors import FileError
from harness.core.files import read_json
from harness.runs.layout import CONSISTENCY, RECORD
from results.comparable import ComparisonGroup, comparison_groups
from results.configurations import rows_by_method
from results.figures.chart import (
    PALETTE,
    Chart,
    Charts,
    MissingFigure,
    add_note,
    dataset_title,
)

FIELDS = ("l_rank", "share", "queries", "gallery")  # of the file that are shown


def consistency_charts(frame: pd.DataFrame) -> Charts:
    """Yield one figure with a panel per dataset, or the reason why it is missing.

    A panel shows the dataset's largest comparison group of which runs were measured.

    Args:
        frame: Rows of `collect_runs`.
    """
    parts, problems = [], list[str]()
    for dataset in sorted(set(frame["dataset"])):
        measured = (
            pd.DataFrame(_rows(group, problems)) for group in comparison_groups(frame, dataset)
        )
        parts += [part for part in measured if len(part)][:1]
    if parts:
        data = pd.concat(parts, ignore_index=True)
        titles = {str(name): dataset_title(frame, str(name)) for name in data["dataset"].unique()}
        yield Chart("consistency", data, lambda rows: _draw(rows, titles))
    else:
        yield MissingFigure("consistency", "no run was measured. Run kdreid measure-consistency.")
    yield from (MissingFigure("consistency", text) for text in problems)


def _rows(group: ComparisonGroup, problems: list[str]) -> Iterator[dict[str, object]]:
    """Yield the measurement of every run that has one."""
    for table_rows in rows_by_method(group).values():
        for row in table_rows:
            done = row.done
            for key, folder, seed in zip(done["key"], done["folder"], done["seed"], strict=True):
                if (values := _read_measurement(Path(folder), problems)) is not None:
                    yield {
                        "dataset": group.dataset,
                        "network": group.network,
                        "method": row.label,
                        "seed": seed,
                        "run": key,
                        **values,
                    }


def _read_measurement(folder: Path, problems: list[str]) -> dict[str, float] | None:
    """Return what was measured with the weights of the record; None without such a measurement.

    Args:
        folder: The run's folder.
        problems: Gets a sentence if the measurement cannot be read or is damaged.
    """
    try:
        content, record = read_json(folder / CONSISTENCY), read_json(folder / RECORD)
        if content is None or record is None or content["model"] != record["result"]["model"]:
            return None
        return {name: float(content[name]) for name in FIELDS}
    except FileError as error:
        problems.append(str(error))
    except (ValueError, KeyError, TypeError):
        problems.append(f"{folder / CONSISTENCY} is damaged, so its run is not drawn.")
    return None


def _draw(data: pd.DataFrame, titles: dict[str, str]) -> Figure:
    datasets = list(dict.fromkeys(data["dataset"]))
    methods = data.groupby("dataset")["method"].nunique().max()
    figure = Figure(figsize=(1.0 + 2.7 * len(datasets), 1.3 + 0.2 * methods), layout="constrained")
    axes = figure.subplots(1, len(datasets), squeeze=False)[0]
    for ax, dataset in zip(axes, datasets, strict=True):
        _draw_panel(ax, data[data["dataset"] == dataset])
        ax.set_title(titles[dataset])
    figure.suptitle("Ranking inconsistency with the teacher (lower is better)", fontsize=9.5)
    text = (
        "L_rank (PDRD, Eq. 2): mean over queries of the square root of the number of gallery pairs "
        "that student and teacher rank in different order. Values for galleries of different size "
        "cannot be compared."
    )
    if data.groupby(["dataset", "method"])["seed"].nunique().max() > 1:
        text += " Small dots: seeds; diamonds: their mean."
    add_note(figure, text, columns=50 * len(datasets) + 20)
    return figure


def _draw_panel(ax: Axes, data: pd.DataFrame) -> None:
    means = data.groupby("method")["l_rank"].mean().sort_values(ascending=False)
    colours = sns.color_palette(PALETTE)
    heights = {name: height for height, name in enumerate(means.index)}
    ax.plot(
        data["l_rank"],
        data["method"].map(heights),
        "o",
        color=colours[1],
        markersize=2.5,
        alpha=0.8,
    )
    ax.plot(means, range(len(means)), "D", color=colours[0], markersize=4.5)
    ax.set_yticks(range(len(means)), list(means.index))
    ax.set_ylim(-0.6, len(means) - 0.4)
    ax.set_xlabel("L_rank")
    ax.margins(x=0.1)

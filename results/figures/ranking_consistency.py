"""Ranking inconsistency of every method's students with their teacher: PDRD's Fig. 3.

The value is measured by `kdreid consistency` and lies beside the run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from results.comparable import ComparisonGroup, comparison_groups
from results.figures.chart import PALETTE, Chart, Charts, MissingFigure, dataset_name, note
from results.tables.table import members

FILE, RECORD = "consistency.json", "record.json"


def charts(frame: pd.DataFrame) -> Charts:
    """One figure with a panel for each dataset's largest setting that was measured."""
    parts = []
    for dataset in sorted(set(frame["dataset"])):
        measured = (pd.DataFrame(_rows(setting)) for setting in comparison_groups(frame, dataset))
        parts += [part for part in measured if len(part)][:1]
    if parts:
        data = pd.concat(parts, ignore_index=True)
        names = {str(name): dataset_name(frame, str(name)) for name in data["dataset"].unique()}
        yield Chart("consistency", data, lambda rows: _draw(rows, names))
    else:
        yield MissingFigure("consistency", "no run was measured; kdreid consistency does it.")


def _rows(setting: ComparisonGroup) -> Iterator[dict[str, object]]:
    for lines in members(setting).values():
        for line in lines:
            done = line.done
            for key, folder, seed in zip(done["key"], done["folder"], done["seed"], strict=True):
                if (found := _read(Path(folder))) is not None:
                    yield {
                        "dataset": setting.dataset,
                        "network": setting.network,
                        "method": line.label,
                        "seed": seed,
                        "run": key,
                        **found,
                    }


def _read(folder: Path) -> dict[str, float] | None:
    """What was measured, if it was with the weights that the record speaks of."""
    try:
        found = json.loads((folder / FILE).read_bytes())
        record = json.loads((folder / RECORD).read_bytes())
        if found["model"] != record["result"]["model"]:
            return None
        return {name: float(found[name]) for name in ("l_rank", "share", "queries", "gallery")}
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _draw(data: pd.DataFrame, names: dict[str, str]) -> Figure:
    datasets = list(dict.fromkeys(data["dataset"]))
    most = data.groupby("dataset")["method"].nunique().max()
    figure = Figure(figsize=(1.0 + 2.7 * len(datasets), 1.3 + 0.2 * most), layout="constrained")
    axes = figure.subplots(1, len(datasets), squeeze=False)[0]
    for ax, dataset in zip(axes, datasets, strict=True):
        _panel(ax, data[data["dataset"] == dataset])
        ax.set_title(names[dataset])
    figure.suptitle("Ranking inconsistency with the teacher (less is better)", fontsize=9.5)
    note(
        figure,
        "L_rank (PDRD, Eq. 2): over queries, the mean root of the number of gallery pairs that "
        "student and teacher order differently. Small dots: seeds; large: their mean. Galleries of "
        "other sizes do not compare.",
        columns=50 * len(datasets) + 20,
    )
    return figure


def _panel(ax: Axes, data: pd.DataFrame) -> None:
    means = data.groupby("method")["l_rank"].mean().sort_values(ascending=False)
    colours = sns.color_palette(PALETTE)
    height = {name: place for place, name in enumerate(means.index)}
    ax.plot(
        data["l_rank"], data["method"].map(height), "o", color=colours[1], markersize=2.5, alpha=0.8
    )
    ax.plot(means, range(len(means)), "D", color=colours[0], markersize=4.5)
    ax.set_yticks(range(len(means)), list(means.index))
    ax.set_ylim(-0.6, len(means) - 0.4)
    ax.set_xlabel("L_rank")
    ax.margins(x=0.1)

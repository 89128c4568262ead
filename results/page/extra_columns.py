"""Columns that tables do not have and the page can show: R5, R10, mINP, sizes and times.

They are hidden at first. A cell is made from the runs of its row, the keys of the row's first cell.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import pandas as pd

from harness.core.errors import FileError
from harness.core.files import read_json
from harness.runs.data_flags import DataFlag
from harness.runs.layout import EXTRACTION_TIME
from results.lines import NO_RUN
from results.tables.cells import Cell
from results.tables.table import Table

SCORES = ("R5", "R10", "mINP")
TABLES = ("summary", "comparison", "variants", "ablation")  # beginnings of names
LATENCY = "Latency (ms)"
TRAINING_HOURS = "Training hours"
HOURS_DETAIL = (
    "Mean over runs of the time in their own training steps; runs that were trained together "
    "shared images and the teacher."
)

Run = Mapping[str, Any]  # a row of `collect_runs` by column


@dataclass(frozen=True, slots=True)
class ExtraColumn:
    """A column of the page.

    Attributes:
        heading: Its heading.
        cells: One cell for each row of the table.
    """

    heading: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Latency:
    """Time of extracting features, as `kdreid bench extract` measured it.

    Attributes:
        milliseconds: By network, for one image of the smallest batch that was measured.
        size: Height and width of the images.
        conditions: Batch, device and size in words.
    """

    milliseconds: Mapping[str, float]
    size: tuple[int, int]
    conditions: str


def extra_columns(
    tables: Sequence[Table],
    frame: pd.DataFrame,
    training_seconds: Mapping[str, float],
    latency: Latency | None = None,
) -> dict[str, tuple[ExtraColumn, ...]]:
    """Return the further columns of every table by its name; a column has at least one value.

    Args:
        tables: The tables of the page.
        frame: Rows of `collect_runs` that they were made from.
        training_seconds: Seconds in training steps by key of the run, as far as recorded.
        latency: What `read_latency` returns.
    """
    names = _score_columns(frame)
    columns = ["key", "status", "dataset", "seed", "network", "fields", "data_flags"]
    columns += ["evaluations", "parameters", "operations", *(column for column, _ in names)]
    done = frame.loc[frame["status"] == "done", list(dict.fromkeys(columns))]
    runs: dict[str, Run] = {str(run["key"]): run for run in _records(done)}
    makers: list[tuple[str, Callable[[Sequence[Run]], Cell]]] = [
        ("Parameters (M)", lambda of_row: _count_cell(of_row, "parameters", 1e6)),
        ("MACs (G)", lambda of_row: _count_cell(of_row, "operations", 1e9)),
        (LATENCY, lambda of_row: _latency_cell(of_row, latency)),
        (TRAINING_HOURS, lambda of_row: _hours_cell(of_row, training_seconds)),
    ]
    result = {}
    for table in tables:
        if not table.name.startswith(TABLES):
            continue
        rows = [[runs[key] for key in row[0].runs if key in runs] for row in table.rows]
        flags = {flag for of_row in rows for run in of_row for flag in run["data_flags"]}
        note = ", ".join(flag for flag in DataFlag if flag in flags)
        scores = [
            (f"{heading} ({note})" if note else heading, _score_cells(rows, column))
            for column, heading in names
        ]
        costs = [(heading, tuple(map(make, rows))) for heading, make in makers]
        result[table.name] = tuple(
            ExtraColumn(heading, cells)
            for heading, cells in (*scores, *costs)
            if heading not in table.columns and any(cell.value is not None for cell in cells)
        )
    return result


def _records(frame: pd.DataFrame) -> Iterator[Run]:
    for values in frame.itertuples(index=False, name=None):
        yield dict(zip(frame.columns, values, strict=True))


def read_latency(folder: Path) -> Latency | None:
    """Return the measurement of `kdreid bench extract`; None without a readable one.

    Args:
        folder: The report's folder that holds measurements.
    """
    try:
        content = read_json(folder / EXTRACTION_TIME)
        if content is None:
            return None
        batch = min(int(row["batch"]) for row in content["rows"])
        height, width = map(int, content["size"])
        device = str(content["environment"]["device_name"])
        milliseconds = {
            str(row["network"]): 1e3 * float(row["seconds"])
            for row in content["rows"]
            if int(row["batch"]) == batch
        }
    except (FileError, ValueError, KeyError, TypeError):  # the figure says what is wrong with it
        return None
    conditions = f"per image, batch {batch}, {height}x{width}, on {device}"
    return Latency(milliseconds, (height, width), conditions)


def _score_columns(frame: pd.DataFrame) -> list[tuple[str, str]]:
    """Return column and heading of every score; of each evaluation if a run has several."""
    names = dict.fromkeys(
        name for several in frame["evaluations"] if len(several) > 1 for name in several
    )
    several = [f"{name} {score}" for name in names for score in SCORES]
    single = [(score, score) for score in SCORES]
    known = [column for column in several if column in frame.columns]
    return [*single, *((column, column[0].upper() + column[1:]) for column in known)]


def _score_cells(rows: Sequence[Sequence[Run]], column: str) -> tuple[Cell, ...]:
    return tuple(_score_cell(of_row, column) for of_row in rows)


def _score_cell(runs: Sequence[Run], column: str) -> Cell:
    """Return mean and deviation over seeds in percent, of runs on one dataset."""
    known = [run for run in runs if pd.notna(run[column])]
    # A run with several evaluations has the first one's score in the short column, too.
    is_repeated = column in SCORES and any(len(run["evaluations"]) > 1 for run in known)
    if not known or is_repeated or len({run["dataset"] for run in known}) > 1:
        return Cell(NO_RUN)
    by_seed = [(run["seed"], 100 * float(run[column])) for run in known]
    detail = ", ".join(f"seed {seed}: {value:.2f}" for seed, value in by_seed)
    return _mean_cell(known, [value for _, value in by_seed], detail)


def _mean_cell(runs: Sequence[Run], values: Sequence[float], detail: str) -> Cell:
    mean = fmean(values)
    text = f"{mean:.2f} ± {stdev(values):.2f}" if len(values) > 1 else f"{mean:.2f}"
    return Cell(text, _keys(runs), detail=detail, value=mean)


def _count_cell(runs: Sequence[Run], column: str, unit: float) -> Cell:
    """Return a count of the row's network, or its least and greatest value."""
    known = [run for run in runs if pd.notna(run[column])]
    values = sorted({round(float(run[column]) / unit, 2) for run in known})
    if not values:
        return Cell(NO_RUN)
    text = " to ".join(f"{value:.2f}" for value in dict.fromkeys((values[0], values[-1])))
    return Cell(text, _keys(known), value=values[0])


def _latency_cell(runs: Sequence[Run], latency: Latency | None) -> Cell:
    """Return the time of the row's network, if it was measured at the row's size of images."""
    if latency is None or not runs:
        return Cell(NO_RUN)
    networks = {run["network"] for run in runs}
    sizes = set(_image_sizes(runs))
    value = latency.milliseconds.get(next(iter(networks)))
    if len(networks) > 1 or sizes != {latency.size} or value is None:
        return Cell(NO_RUN)
    return Cell(f"{value:.2f}", _keys(runs), detail=latency.conditions, value=value)


def _image_sizes(runs: Iterable[Run]) -> Iterator[tuple[Any, Any]]:
    for text in {run["fields"] for run in runs}:
        fields = json.loads(text)
        yield fields.get("height"), fields.get("width")


def _hours_cell(runs: Sequence[Run], training_seconds: Mapping[str, float]) -> Cell:
    known = [run for run in runs if run["key"] in training_seconds]
    if not known:
        return Cell(NO_RUN)
    hours = fmean(training_seconds[run["key"]] / 3600 for run in known)
    return Cell(f"{hours:.3g}", _keys(known), detail=HOURS_DETAIL, value=hours)


def _keys(runs: Iterable[Run]) -> tuple[str, ...]:
    return tuple(str(run["key"]) for run in runs)

"""The report as data: results, pairs of rows and runs, with numbers as numbers and in percent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from results.collect import COLUMNS as RUN_COLUMNS
from results.comparable import comparison_groups
from results.configurations import DEFAULT_CHOICE, TableChoice
from results.data_lines import METRICS, PAIR_COLUMNS, RESULT_COLUMNS, GroupLines
from results.published import Published

RESULTS, PAIRS, RUNS, EVERYTHING = "results.csv", "pairs.csv", "runs.csv", "results.json"
FORMAT = 1  # of EVERYTHING
DIGITS = 10  # significant, of every number
INTERNAL_COLUMNS = (  # of `collect_runs`, not in RUNS
    "student_setting",
    "fields",
    "teachers",
    "teacher_images",
    "teacher_setting",
    "own_teachers",
    "evaluations",
    "spreads",
    "data",
    "origin",
    "order",
    "folder",
    "teacher_weights",
    "other_teacher",
)
COUNTS = (  # whole numbers, which failed and older runs lack
    "draws",
    "queries",
    "train_images",
    "train_identities",
    "parameters",
    "macs",
    "host_memory_bytes",
    "gpu_memory_bytes",
)


def data_files(
    frame: pd.DataFrame, published: Published, choice: TableChoice = DEFAULT_CHOICE
) -> dict[str, str]:
    """Return the content of every data file by name.

    Args:
        frame: All rows of `collect_runs`.
        published: The papers' numbers.
        choice: What is compared.
    """
    groups = [
        GroupLines(group, published, choice)
        for dataset in sorted(set(frame["dataset"]))
        for group in comparison_groups(frame, dataset)
    ]
    results = [line for group in groups for line in group.results()]
    pairs = [line for group in groups for line in group.pairs()]
    tables = {
        RESULTS: pd.DataFrame(results, columns=[*RESULT_COLUMNS]),
        PAIRS: pd.DataFrame(pairs, columns=[*PAIR_COLUMNS]),
        RUNS: run_data(frame),
    }
    content: dict[str, Any] = {"format": FORMAT, "unit": "percent"}
    content |= {name.partition(".")[0]: [*_records(table)] for name, table in tables.items()}
    number_format = f"%.{DIGITS}g"
    return {
        **{n: str(t.to_csv(index=False, float_format=number_format)) for n, t in tables.items()},
        EVERYTHING: f"{json.dumps(content, indent=1, allow_nan=False)}\n",
    }


def run_data(frame: pd.DataFrame) -> pd.DataFrame:
    """Return one line per run: plain columns, scores in percent.

    Args:
        frame: All rows of `collect_runs`.
    """
    runs = frame.drop(columns=[*INTERNAL_COLUMNS]).rename(columns={"operations": "macs"})
    scores = [*METRICS, *(name for name in frame.columns if name not in RUN_COLUMNS)]
    runs[scores] = 100 * runs[scores].astype(float)
    runs["notes"] = [" ".join(map(str, notes)) for notes in frame["notes"]]
    runs["data_flags"] = [", ".join(flags) for flags in frame["data_flags"]]
    for name in ("train_images", "train_identities"):
        runs[name] = [counts.get(name) for counts in frame["data"]]
    for name in COUNTS:
        runs[name] = pd.to_numeric(runs[name], errors="coerce").astype("Int64")
    runs["train_seconds"] = runs["train_seconds"].astype(float)
    return runs


def _records(table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Yield the lines of a table as JSON values; what is missing is None."""
    columns = [str(name) for name in table.columns]
    for line in table.itertuples(index=False, name=None):
        yield {name: _json_value(value) for name, value in zip(columns, line, strict=True)}


def _json_value(value: Any) -> Any:
    if pd.isna(value):
        return None
    plain = value.item() if isinstance(value, np.generic) else value
    return float(f"{plain:.{DIGITS}g}") if isinstance(plain, float) else plain

"""Read a runs folder into a table with one row per run.

A run's folder is `<runs>/<dataset>/<method>/<pair>/<seed0-1a2b3c4d>`. The run is done if the folder
contains a `record.json`, and failed if it contains a `failure.json` and no record; other folders
are not runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from harness.core.text import printable
from harness.runs.scan import describe_error, scan_runs
from results.run_costs import COST_COLUMNS
from results.run_rows import CopiedRunError, run_row
from results.teacher_weights import mark_other_teachers

COLUMNS = (
    "key",
    "dataset",
    "method",
    "label",
    "network",
    "head",
    "weights",
    "fingerprint",
    "device",
    "threads",
    "seed",
    "options",
    "version",
    "teacher",
    "teacher_key",
    "teachers",
    "teacher_images",
    "student_setting",
    "setting",
    "teacher_setting",
    "own_teachers",
    "fields",
    "status",
    "failure",
    "message",
    "scoring",
    "evaluation",
    "draws",
    "queries",
    "mAP",
    "R1",
    "R5",
    "R10",
    "mINP",
    "reference",
    "notes",
    "evaluations",
    "spreads",
    "parameters",
    "operations",
    "data",
    "data_flags",
    "origin",
    "order",
    "folder",
    "model",
    "teacher_weights",
    "other_teacher",
    *COST_COLUMNS,
)


# What reading a value of the wrong form raises; files from elsewhere may hold anything.
MALFORMED = (
    OSError,
    KeyError,
    TypeError,
    ValueError,
    AttributeError,
    StopIteration,
    ArithmeticError,
    RecursionError,
)


@dataclass(frozen=True, slots=True)
class CollectedRuns:
    """The runs below a runs folder.

    Attributes:
        frame: One row per finished or failed run, see `collect_runs`.
        refused: One sentence about each run or folder that is not among them, because its
            files cannot be read or do not agree with each other.
        notes: One sentence about each other file or folder that was skipped.
    """

    frame: pd.DataFrame
    refused: tuple[str, ...]
    notes: tuple[str, ...]


def collect_runs(
    runs: Path, labels: Mapping[str, str] | None = None
) -> tuple[pd.DataFrame, list[str]]:
    """Return one row per finished or failed run, and the problems met on the way.

    Scores (mAP, R1, R5, R10, mINP) are fractions of 1 and belong to the first evaluation. A record
    with several evaluations has all of them in columns of their own as well, such as "test800 mAP"
    (mean over draws) and "test800 mAP sd" (standard deviation over draws).

    Further columns:
        student_setting: Digest of all that the students of one table agree in: dataset, network,
            head, initial weights, recipe, device and threads.
        setting: Digest of `student_setting` and the teachers' keys; the same as `student_setting`
            without teachers.
        teacher_setting: Digest of `student_setting` and the teachers' settings without their seeds.
        own_teachers: True if the teachers were trained with the run's seed.
        fields: The content of `student_setting` as JSON.
        teachers: Pairs of key and network.
        teacher_images: A sentence about the sizes of images, if a teacher's are not its student's.
        evaluations: Names of the evaluations, small test sets first.
        spreads: By score, the largest standard deviation over draws of any evaluation.
        parameters, operations: Counts for one image as in VRKD; missing in older records.
        data: Numbers of training images and identities (missing in older records), and of queries
            and draws by evaluation.
        data_flags: `DataFlag`s of the run's images.
        origin: What made its numbers, by name; see `record_origin`.
        order: Position of the method among `labels`, by which tables order their rows.
        folder: Path of the run's folder.
        model: Digest of its weights; empty if it was not recorded.
        teacher_weights: Digests of the weights that taught it, in the order of `teachers`; none if
            they were not recorded.
        other_teacher: True if these are not the weights that the teacher's folder holds now.
        commit, date, ...: Of its training, see `run_costs`.

    Args:
        runs: The runs folder.
        labels: Label of every known method, in the order in which tables list them. A finished run
            has its label in its record; other methods follow the known ones by name.

    Returns:
        The table, and one sentence about each file that was skipped.
    """
    collected = gather_runs(runs, labels)
    return collected.frame, [*collected.refused, *collected.notes]


def gather_runs(runs: Path, labels: Mapping[str, str] | None = None) -> CollectedRuns:
    """Return the same as `collect_runs`, with refused runs apart from other notes."""
    rows: list[dict[str, Any]] = []
    problems: list[str] = []
    refused: list[str] = []
    for path, content in scan_runs(runs, problems, refused):
        try:
            rows.append(run_row(path, content, runs, labels or {}))
        except CopiedRunError as error:
            problems.append(f"{path}: ignored, {error}.")
        except MALFORMED as error:
            refused.append(f"{path}: ignored, {describe_error(error)}.")
    rows.sort(key=lambda row: (row["dataset"], row["method"], row["options"], row["seed"]))
    rows = _drop_duplicates(rows, problems)
    mark_other_teachers(rows)
    score_columns = dict.fromkeys(name for row in rows for name in row if name not in COLUMNS)
    frame = pd.DataFrame(rows, columns=[*COLUMNS, *score_columns])
    return CollectedRuns(frame, tuple(map(printable, refused)), tuple(map(printable, problems)))


def _drop_duplicates(rows: list[dict[str, Any]], problems: list[str]) -> list[dict[str, Any]]:
    """Drop runs that tables could not distinguish from another one, so that no seed counts twice.

    Two such runs have different keys, so their specs differ in a field that no table knows.
    Finished runs are kept before failed ones.
    """
    first_runs: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in sorted(rows, key=lambda row: (row["status"], row["key"])):
        identity = (row["method"], row["options"], row["version"], row["setting"], row["seed"])
        first = first_runs.setdefault(identity, row)
        if first is not row:
            problems.append(
                f"{row['key']}: ignored, {first['key']} is the same run under another key; "
                "`kdreid diff` shows in what they differ."
            )
    kept = {row["key"] for row in first_runs.values()}
    return [row for row in rows if row["key"] in kept]

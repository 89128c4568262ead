"""Read everything that the files of one run contain: spec, record, failure and curve."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from harness.core.errors import FileError
from harness.core.files import read_file
from harness.runs.data_flags import DataFlag, data_flags
from harness.runs.layout import CURVE, FAILURE, RECORD, SPEC
from harness.runs.scan import describe_error, load_json_object, read_record_or_failure
from harness.runs.states import RunState
from harness.runs.stored_spec import check_spec

MAX_CURVE_BYTES = 256_000_000  # that of the longest training has half of it
Content = dict[str, Any]


@dataclass(frozen=True, slots=True)
class StoredRun:
    """Run as its folder describes it; values that were not recorded are empty.

    Attributes:
        key: Its key.
        folder: Its folder.
        spec: Its specification as JSON.
        record: Content of its record; empty if it is not done.
        failure: Content of its failure; empty unless it failed.
    """

    key: str
    folder: Path
    spec: Content
    record: Content
    failure: Content

    @property
    def status(self) -> str:
        """`done`, `failed` or `not done`."""
        if self.record:
            return RunState.DONE.value
        return RunState.FAILED.value if self.failure else "not done"

    @property
    def environment(self) -> Content:
        """Versions, commit and machine."""
        return _as_object(self.record.get("environment"))

    @property
    def teachers(self) -> list[Content]:
        """Specifications of its teachers."""
        return [_as_object(teacher) for teacher in _as_list(self.spec.get("teachers"))]

    @property
    def teacher_weights(self) -> list[str | None]:
        """Digest of each teacher's weights, in the order of `teachers`; None if not recorded."""
        digests = _as_list(self.record.get("teachers"))
        return [*map(str, digests), *[None] * (len(self.teachers) - len(digests))]

    @property
    def notes(self) -> list[str]:
        """Remarks for readers of its scores, and warnings about its training."""
        return [
            str(note) for name in ("notes", "warnings") for note in _as_list(self.record.get(name))
        ]

    @property
    def data_flags(self) -> tuple[DataFlag, ...]:
        """Flags of its data; empty if it is not done."""
        return data_flags(self.record)

    @property
    def result(self) -> Content:
        """Steps, digest of the weights and scores."""
        return _as_object(self.record.get("result"))

    def scores(self) -> dict[str, dict[str, float]]:
        """Return mAP and R1 in percent by evaluation, each the mean over its splits.

        Raises:
            KeyError, TypeError, ValueError: They do not have the form of scores.
        """
        scores = {}
        for name, splits in _as_object(self.result.get("evaluations")).items():
            if not splits:
                raise ValueError(f"its evaluation {name} is empty")
            values = {
                "mAP": [float(split["mAP"]) for split in splits],
                "R1": [float(split["cmc"]["1"]) for split in splits],
            }
            scores[str(name)] = {score: 100 * fmean(value) for score, value in values.items()}
        return scores


def load_run(runs: Path, key: str) -> StoredRun:
    """Read a run's folder.

    Raises:
        ValueError: Its files do not describe a run; the message says why.
    """
    folder = runs / key
    try:
        file = read_record_or_failure(folder)
        path, content = file or (folder / SPEC, {"spec": load_json_object(folder / SPEC)})
        if not isinstance(content.get("spec"), dict):
            raise ValueError("it has no spec")
        check_spec(content["spec"], key)
        run = StoredRun(
            key,
            folder,
            spec=content["spec"],
            record=content if path.name == RECORD else {},
            failure=content if path.name == FAILURE else {},
        )
        # Raise an error here rather than later if they have another form.
        run.scores()
        data_flags(run.record)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{folder} cannot be read as a run: {describe_error(error)}") from error
    return run


def load_curve(folder: Path) -> dict[int, dict[str, float]]:
    """Return a run's recorded losses and learning rate by step, counted from 1.

    Raises:
        ValueError: The file is missing, unreadable or damaged; the message says which.
    """
    path = folder / CURVE
    try:
        content = read_file(path, MAX_CURVE_BYTES)
    except FileError as error:
        raise ValueError(str(error)) from error
    if content is None:
        raise ValueError(f"{path} is missing")
    try:
        rows = list(csv.DictReader(io.StringIO(content.decode(), newline=""), strict=True))
        if not rows:
            raise ValueError("it has no row, and every training has steps")
        return {
            int(row.pop("step")): {name: float(value) for name, value in row.items() if value != ""}
            for row in rows
        }
    except (ValueError, TypeError, KeyError, AttributeError, csv.Error) as error:
        raise ValueError(f"{path} is damaged") from error


def _as_object(value: object) -> Content:
    return value if isinstance(value, dict) else {}


def _as_list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []

"""What the files of one run tell, finished or not: spec, record, failure and curve."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from harness.runs.data_flags import DataFlag, data_flags
from harness.runs.layout import CURVE, FAILURE, RECORD, SPEC
from harness.runs.scan import describe_error, load_json_object, read_record_or_failure

Content = dict[str, Any]


@dataclass(frozen=True, slots=True)
class StoredRun:
    """One run as its folder tells it; what was not recorded is empty."""

    key: str
    folder: Path
    spec: Content
    record: Content  # empty if the run is not done
    failure: Content  # empty unless it failed

    @property
    def status(self) -> str:
        """Whether there is a result."""
        return "done" if self.record else "failed" if self.failure else "not done"

    @property
    def environment(self) -> Content:
        """Versions, commit and machine."""
        return _object(self.record.get("environment"))

    @property
    def teachers(self) -> list[Content]:
        """The specs of the runs that taught this one."""
        return [_object(teacher) for teacher in _list(self.spec.get("teachers"))]

    @property
    def teacher_weights(self) -> list[str | None]:
        """The digest of each teacher's weights, in their order."""
        told = _list(self.record.get("teachers"))
        return [*map(str, told), *[None] * (len(self.teachers) - len(told))]

    @property
    def notes(self) -> list[str]:
        """What a reader of the scores has to know."""
        return [str(note) for note in _list(self.record.get("notes"))]

    @property
    def data_flags(self) -> tuple[DataFlag, ...]:
        """Flags of the run's data; none if it is not done."""
        return data_flags(self.record)

    @property
    def result(self) -> Content:
        """Steps, digest of the weights and scores."""
        return _object(self.record.get("result"))

    def scores(self) -> dict[str, dict[str, float]]:
        """Scores (mAP, R1) in percent by evaluation, the mean of its draws.

        Raises:
            KeyError, TypeError, ValueError: they are not formed as scores are.
        """
        found = {}
        for name, draws in _object(self.result.get("evaluations")).items():
            if not draws:
                raise ValueError(f"its evaluation {name} has no draw")
            values = {
                "mAP": [float(draw["mAP"]) for draw in draws],
                "R1": [float(draw["cmc"]["1"]) for draw in draws],
            }
            found[str(name)] = {score: 100 * fmean(several) for score, several in values.items()}
        return found


def load_run(runs: Path, key: str) -> StoredRun:
    """Read a run's folder.

    Raises:
        ValueError: it does not tell which run it is of; the message says why.
    """
    folder = runs / key
    try:
        found = read_record_or_failure(folder)
        path, content = found or (folder / SPEC, {"spec": load_json_object(folder / SPEC)})
        if not isinstance(content.get("spec"), dict):
            raise ValueError("it has no spec")
        run = StoredRun(
            key,
            folder,
            content["spec"],
            content if path.name == RECORD else {},
            content if path.name == FAILURE else {},
        )
        run.scores()  # raises on a malformed record, as the next line does
        data_flags(run.record)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{folder} cannot be read as a run: {describe_error(error)}") from error
    return run


def load_curve(folder: Path) -> dict[int, dict[str, float]]:
    """The losses and the rate of every step that a run's curve tells of, by step counted from 1.

    Raises:
        ValueError: the file is missing or damaged.
    """
    path = folder / CURVE
    try:
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file, strict=True))
        return {
            int(row.pop("step")): {name: float(value) for name, value in row.items() if value != ""}
            for row in rows
        }
    except FileNotFoundError as error:
        raise ValueError(f"{path} is missing") from error
    except (OSError, ValueError, TypeError, KeyError, AttributeError, csv.Error) as error:
        raise ValueError(f"{path} is damaged") from error


def _object(value: object) -> Content:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []

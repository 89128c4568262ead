"""Turn one record or failure into the values of its row in `collect_runs`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from harness.core.text import printable
from harness.runs.data_flags import data_flags
from harness.runs.layout import FAILURE
from harness.runs.origin import record_origin
from harness.runs.record import RECORD_FORMAT
from harness.runs.score_check import check_scores
from harness.runs.stored_spec import NAME, check_spec, saw_teachers_sizes
from results.run_costs import run_costs

MAX_LABEL = 100  # characters of a label in a table
# Fields of a spec, in addition to its recipe, in which all students of one table agree.
SHARED_FIELDS = ("dataset", "fingerprint", "network", "head", "weights", "device", "threads")


class CopiedRunError(ValueError):
    """Error for a file of a run that is counted from its own folder."""


def run_row(
    path: Path, content: dict[str, Any], runs: Path, labels: Mapping[str, str]
) -> dict[str, Any]:
    """Return the values of one run by column, after checking what the file says.

    The spec has to be that of the folder and every score that of the run's queries. Texts are
    returned as they may be printed.

    Args:
        path: The record or failure.
        content: What it contains.
        runs: The runs folder.
        labels: As in `collect_runs`.

    Raises:
        ValueError: The file is of another run or format, a value is impossible, or a score is not
            that of the run's queries.
        KeyError, TypeError, AttributeError, StopIteration, ArithmeticError, OSError: The content
            does not have the form of a record, in one of many ways.
    """
    folder = path.parent.relative_to(runs).as_posix()
    if content["key"] != folder:
        raise _misplaced(path, content["key"], runs)
    spec = content["spec"]
    check_spec(spec, folder)
    method = str(spec["method"])
    row = _identity(spec) | {
        "key": folder,
        "folder": str(path.parent),
        "label": _label(content.get("label") or "") or _label(labels.get(method, method)),
        "order": list(labels).index(method) if method in labels else len(labels),
    }
    if path.name == FAILURE:
        return row | _failure(content)
    if content["format"] != RECORD_FORMAT:
        raise ValueError(f"its format is {content['format']}; this version reads {RECORD_FORMAT}")
    result = _result(content)
    check_scores(path.parent, content["result"]["evaluations"])
    return row | result


def _label(text: object) -> str:
    """Return a label as tables may print it: one line of sane length."""
    label = printable(text).strip()
    return label if len(label) <= MAX_LABEL else f"{label[: MAX_LABEL - 3]}..."


def _misplaced(path: Path, key: object, runs: Path) -> ValueError:
    """Return the error for a file of the run `key` in another folder: a copy, a link or neither."""
    problem = f"it is of the run {key}, which is not its folder"
    is_key = isinstance(key, str) and ".." not in key and not key.startswith("/")
    if not is_key or not (runs / str(key) / path.name).is_file():
        return ValueError(problem)
    kind = "a link" if (runs / str(key) / path.name).samefile(path) else "a copy"
    return CopiedRunError(f"{problem}: {kind}; that run is counted from its own folder")


def _identity(spec: dict[str, Any]) -> dict[str, Any]:
    """Return the columns that come from the spec."""
    fields = {name: spec[name] for name in SHARED_FIELDS} | dict(spec["recipe"])
    teachers = tuple((str(teacher["key"]), str(teacher["network"])) for teacher in spec["teachers"])
    keys = [key for key, _ in teachers]
    student_setting = _digest(fields)
    return {
        **{name: str(spec[name]) for name in SHARED_FIELDS},
        "method": str(spec["method"]),
        "seed": _require_int(spec["seed"], "seed"),
        "options": ", ".join(f"{name}={value}" for name, value in sorted(spec["options"].items())),
        "version": _version(spec),
        "teacher": " + ".join(dict.fromkeys(network for _, network in teachers)),
        "teacher_key": ", ".join(keys),
        "teachers": teachers,
        "teacher_images": _teacher_images(spec),
        "student_setting": student_setting,
        "setting": _digest([student_setting, keys]) if keys else student_setting,
        "teacher_setting": _digest([student_setting, _without_seeds(spec["teachers"])]),
        "own_teachers": all(teacher["seed"] == spec["seed"] for teacher in spec["teachers"]),
        "fields": json.dumps(fields, sort_keys=True),
    }


def _without_seeds(teachers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the specs of teachers without what depends on their seeds."""
    return [
        {name: value for name, value in teacher.items() if name not in ("key", "seed", "teachers")}
        | {"teachers": _without_seeds(teacher.get("teachers", []))}
        for teacher in teachers
    ]


def _teacher_images(spec: dict[str, Any]) -> str:
    """Return a sentence about the sizes of images if a teacher's are not its student's."""
    ours, *theirs = (
        (one["recipe"]["height"], one["recipe"]["width"]) for one in (spec, *spec["teachers"])
    )
    sizes = ", ".join("{}x{}".format(*size) for size in dict.fromkeys(theirs) if size != ours)
    if not sizes:
        return ""
    own = "{}x{}".format(*ours)
    if saw_teachers_sizes(spec):
        return f"Images: {sizes} of the teacher, {own} of its students."
    return (
        f"Images: the teacher was trained at {sizes}, but taught with its students' images of "
        f"{own}, as version 0.2.0 did. Train these runs again to teach with the teacher's size."
    )


def _version(spec: dict[str, Any]) -> str:
    """Return the version of a method's code, of training and, if it has changed, of the network."""
    parts = [spec.get("source", "")[:8], spec.get("training_version", "")]
    return "/".join(map(str, [*parts, *filter(None, [spec.get("architecture", "")[:8]])]))


def _failure(content: dict[str, Any]) -> dict[str, Any]:
    """Return the columns of a failed run that take the place of scores."""
    return {
        "status": "failed",
        "failure": _label(content["kind"]),
        "message": printable(content.get("message", ""), keep="\n"),
        "scoring": "",
        "evaluation": "",
        "reference": "",
        "notes": (),
        "evaluations": (),
        "spreads": {},
        "data": {},
        "data_flags": (),
        "origin": {},
        "model": "",
        "teacher_weights": (),
        **run_costs({}),
    }


def _result(content: dict[str, Any]) -> dict[str, Any]:
    """Return the columns that come from a record's results."""
    paper, warnings = content.get("paper"), _sentences(content, "warnings")
    notes = [*_sentences(content, "notes"), *(f"{content['key']}: {one}" for one in warnings)]
    operations = content.get("operations") or {}
    return {
        **_scores(content["result"]["evaluations"]),
        "scoring": str(content.get("scoring_version", "")),
        "status": "done",
        "failure": "",
        "message": "",
        "reference": printable(f"{paper['year']} {paper['venue']}") if paper else "",
        "notes": tuple(map(printable, notes)),
        "parameters": operations.get("parameters"),
        "operations": operations.get("macs_with_rest"),
        **run_costs(content),
        "data": _data_counts(content),
        "data_flags": data_flags(content),
        "origin": record_origin(content),
        "model": printable(content["result"].get("model") or ""),
        "teacher_weights": tuple(map(printable, content.get("teachers") or ())),
    }


def _sentences(content: dict[str, Any], name: str) -> list[Any]:
    """Return a list of sentences for readers of the scores; empty if there is none."""
    sentences = content.get(name) or []
    if not isinstance(sentences, list):
        raise TypeError(f"its {name} are not a list")
    return sentences


def _data_counts(content: dict[str, Any]) -> dict[str, Any]:
    """Return the counts of the column `data`."""
    evaluations = content["result"]["evaluations"]
    counts = content.get("data") or {}
    return {
        **{name: counts[name] for name in ("train_images", "train_identities") if name in counts},
        "queries": {name: int(draws[0]["queries"]) for name, draws in evaluations.items()},
        "draws": {name: len(draws) for name, draws in evaluations.items()},
    }


def _scores(evaluations: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Return scores of the first evaluation and, if there are several, of each under its name."""
    by_evaluation = {
        name: _scores_by_draw(evaluations[name]) for name in sorted(evaluations, key=_by_size)
    }
    for name in by_evaluation:
        if not NAME.fullmatch(name):
            raise ValueError(f"an evaluation cannot be called {printable(repr(name))}")
    first, first_scores = next(iter(by_evaluation.items()))
    draws = evaluations[first]
    scores: dict[str, Any] = {column: fmean(values) for column, values in first_scores.items()}
    for name, columns in by_evaluation.items() if len(by_evaluation) > 1 else ():
        for column, values in columns.items():
            scores[f"{name} {column}"] = fmean(values)
            if len(values) > 1:
                scores[f"{name} {column} sd"] = stdev(values)
    spreads = {
        column: max(
            (stdev(one[column]) for one in by_evaluation.values() if len(one[column]) > 1),
            default=0.0,
        )
        for column in first_scores
    }
    return scores | {
        "evaluation": first,
        "draws": len(draws),
        "queries": _require_int(draws[0]["queries"], "number of queries"),
        "evaluations": tuple(by_evaluation),
        "spreads": spreads,
    }


def _by_size(name: str) -> tuple[int, str]:
    """Return a key that sorts test800 before test1600; records have them sorted as text."""
    return int("".join(filter(str.isdecimal, name)) or 0), name


def _scores_by_draw(draws: list[dict[str, Any]]) -> dict[str, list[float]]:
    """Return every score of one evaluation, draw by draw."""
    columns = {
        "mAP": [draw["mAP"] for draw in draws],
        "mINP": [draw["mINP"] for draw in draws],
        **{f"R{rank}": [draw["cmc"][str(rank)] for draw in draws] for rank in (1, 5, 10)},
    }
    for column, values in columns.items():
        if not all(type(value) in (int, float) and 0 <= value <= 1 for value in values):
            raise ValueError(f"its {column} is not a fraction between 0 and 1: {values}")
    return columns


def _require_int(value: object, name: str) -> int:
    if type(value) is not int:
        raise ValueError(f"its {name} is not a whole number: {value!r}")
    return value


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:8]

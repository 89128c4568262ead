"""From a runs folder to one table row per run: what is on disk is all there is to know.

A run's folder is `<runs>/<dataset>/<method>/<pair>/<seed0-1a2b3c4d>`. It is done if it holds a
`record.json`, and failed if it holds a `failure.json` and no record; anything else is not a result.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import pandas as pd

from harness.runs.scan import FAILURE, describe_error, escape_undecodable, scan_runs

FORMAT = 1
AGREED = ("dataset", "fingerprint", "network", "head", "weights", "device", "threads")
COLUMNS = (
    *("key", "dataset", "method", "label", "network", "head", "weights", "fingerprint"),
    *("device", "threads", "seed", "options", "version", "teacher", "teacher_key", "teachers"),
    *("student_setting", "setting", "fields", "status", "failure", "message"),
    *(
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
    ),
    *("evaluations", "spreads", "parameters", "operations", "data", "folder"),
)


def collect_runs(runs: Path) -> tuple[pd.DataFrame, list[str]]:
    """One row per finished or failed run, scores as fractions of 1, and a list of problems.

    `student_setting` is a digest of all that must agree between students in one table: data,
    network, head, initial weights, recipe, device and threads; `setting` adds the teachers' keys,
    and equals it where there is no teacher. `fields` is what `student_setting` was made from, as
    JSON; `teachers` are pairs of key and network. The scores are of the first evaluation; where a
    record has several, all of them have columns such as "test800 mAP" and "test800 mAP sd", the
    standard deviation over draws, too. `evaluations` are their names, `spreads` the largest of
    those deviations, by score; `folder` is where the run lies. `parameters` and `operations` are of
    one image, as VRKD counts them, and missing in older records; `data` is what `_data` says. A
    file that cannot be used is named among the problems and left out.
    """
    rows: list[dict[str, Any]] = []
    problems: list[str] = []
    for path, content in scan_runs(runs, problems):
        try:
            rows.append(_row(path, content, runs))
        except (
            OSError,
            KeyError,
            TypeError,
            ValueError,
            AttributeError,
            StopIteration,
            ArithmeticError,
            RecursionError,
        ) as error:
            problems.append(f"{path}: ignored, {describe_error(error)}.")
    rows.sort(key=lambda row: (row["dataset"], row["method"], row["options"], row["seed"]))
    rows = _once(rows, problems)
    further = dict.fromkeys(name for row in rows for name in row if name not in COLUMNS)
    frame = pd.DataFrame(rows, columns=[*COLUMNS, *further])
    return frame, [escape_undecodable(problem) for problem in problems]


def _once(rows: list[dict[str, Any]], problems: list[str]) -> list[dict[str, Any]]:
    """Leave out runs that tables could not tell from another one: no seed counts twice in a mean.

    Keys differ, so a field that no table knows must; finished runs come before failed ones.
    """
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in sorted(rows, key=lambda row: (row["status"], row["key"])):
        what = (row["method"], row["options"], row["version"], row["setting"], row["seed"])
        first = found.setdefault(what, row)
        if first is not row:
            problems.append(
                f"{row['key']}: ignored, {first['key']} is the same run under another key; "
                "`kdreid diff` shows in what they differ."
            )
    kept = {row["key"] for row in found.values()}
    return [row for row in rows if row["key"] in kept]


def _row(path: Path, content: dict[str, Any], runs: Path) -> dict[str, Any]:
    """The table row of one run; raises on anything that is not as it must be."""
    folder = path.parent.relative_to(runs).as_posix()
    if content["key"] != folder:
        raise ValueError(_misplaced(path, content["key"], runs))
    spec = content["spec"]
    if spec.get("key", folder) != folder:
        raise ValueError(f"its spec is of the run {spec['key']}, which is not its folder")
    row = _identity(spec) | {"key": folder, "folder": str(path.parent)}
    if path.name == FAILURE:
        return row | _failure(content)
    if content["format"] != FORMAT:
        raise ValueError(f"its format is {content['format']}; this version reads {FORMAT}")
    paper, notes = content.get("paper"), content.get("notes") or []
    if not isinstance(notes, list):
        raise TypeError("its notes are no list")
    counts = content.get("operations") or {}
    return row | {
        **_scores(content["result"]["evaluations"]),
        "label": str(content.get("label") or spec["method"]),
        "scoring": str(content.get("scoring_version", "")),
        "status": "done",
        "failure": "",
        "message": "",
        "reference": f"{paper['year']} {paper['venue']}" if paper else "",
        "notes": tuple(map(str, notes)),
        "parameters": counts.get("parameters"),
        "operations": counts.get("macs_with_rest"),
        "data": _data(content),
    }


def _data(content: dict[str, Any]) -> dict[str, Any]:
    """Training images and identities, where a record has them; queries and draws by evaluation."""
    evaluations = content["result"]["evaluations"]
    counted = content.get("data") or {}
    return {
        **{name: counted[name] for name in ("train_images", "train_identities") if name in counted},
        "queries": {name: int(draws[0]["queries"]) for name, draws in evaluations.items()},
        "draws": {name: len(draws) for name, draws in evaluations.items()},
    }


def _misplaced(path: Path, key: object, runs: Path) -> str:
    """What to say of a run's file in another folder than its own: a copy, a link or a leftover."""
    said = f"it is of the run {key}, which is not its folder"
    if not isinstance(key, str) or not (runs / key / path.name).is_file():
        return said
    same = (runs / key / path.name).samefile(path)
    return f"{said}: {'a link' if same else 'a copy'}; that run is gathered itself"


def _identity(spec: dict[str, Any]) -> dict[str, Any]:
    """What a run is, from its spec."""
    fields = {name: spec[name] for name in AGREED} | dict(spec["recipe"])
    teachers = tuple((str(teacher["key"]), str(teacher["network"])) for teacher in spec["teachers"])
    keys = [key for key, _ in teachers]
    student = _digest(fields)
    return {
        **{name: str(spec[name]) for name in AGREED},
        "method": str(spec["method"]),
        "label": str(spec["method"]),
        "seed": _whole(spec["seed"], "seed"),
        "options": ", ".join(f"{name}={value}" for name, value in sorted(spec["options"].items())),
        "version": f"{spec.get('source', '')[:8]}/{spec.get('training_version', '')}",
        "teacher": " + ".join(dict.fromkeys(network for _, network in teachers)),
        "teacher_key": ", ".join(keys),
        "teachers": teachers,
        "student_setting": student,
        "setting": _digest([student, keys]) if keys else student,
        "fields": json.dumps(fields, sort_keys=True),
    }


def _failure(content: dict[str, Any]) -> dict[str, Any]:
    """What a failed run has in place of scores."""
    return {
        "status": "failed",
        "failure": str(content["kind"]),
        "message": str(content.get("message", "")),
        "scoring": "",
        "evaluation": "",
        "reference": "",
        "notes": (),
        "evaluations": (),
        "spreads": {},
        "data": {},
    }


def _scores(evaluations: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Scores of the first evaluation and, if there are several, of each under its name."""
    found = {name: _of_draws(evaluations[name]) for name in sorted(evaluations, key=_by_size)}
    name = next(iter(found))
    draws = evaluations[name]
    scores: dict[str, Any] = {column: fmean(found[name][column]) for column in found[name]}
    for one, columns in found.items() if len(found) > 1 else ():
        for column, values in columns.items():
            scores[f"{one} {column}"] = fmean(values)
            if len(values) > 1:
                scores[f"{one} {column} sd"] = stdev(values)
    spreads = {
        column: max((stdev(f[column]) for f in found.values() if len(f[column]) > 1), default=0.0)
        for column in found[name]
    }
    return scores | {
        "evaluation": name,
        "draws": len(draws),
        "queries": _whole(draws[0]["queries"], "number of queries"),
        "evaluations": tuple(found),
        "spreads": spreads,
    }


def _by_size(name: str) -> tuple[int, str]:
    """Order of evaluations: test800 before test1600, although the records sort them as text."""
    return int("".join(filter(str.isdecimal, name)) or 0), name


def _of_draws(draws: list[dict[str, Any]]) -> dict[str, list[float]]:
    """Every score of one evaluation, draw by draw."""
    columns = {
        "mAP": [draw["mAP"] for draw in draws],
        "mINP": [draw["mINP"] for draw in draws],
        **{f"R{rank}": [draw["cmc"][str(rank)] for draw in draws] for rank in (1, 5, 10)},
    }
    for column, values in columns.items():
        if not all(type(value) in (int, float) and 0 <= value <= 1 for value in values):
            raise ValueError(f"its {column} is not a fraction between 0 and 1: {values}")
    return columns


def _whole(value: object, name: str) -> int:
    if type(value) is not int:
        raise ValueError(f"its {name} is not a whole number: {value!r}")
    return value


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:8]

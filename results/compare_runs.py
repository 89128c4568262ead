"""Where two runs differ, from what was asked for to the first step that went otherwise.

Sections, in the order in which one thing causes the next: `config`, `code`, `data`, `teacher`,
`environment`, `result`. Whether the difference in mAP is more than the noise between queries is
tested on the queries that both answered; two single runs say nothing of the noise between seeds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.runs.layout import PER_QUERY
from harness.runs.per_query import load_identity_sums
from harness.runs.reader import StoredRun, load_curve
from results.statistics.paired_test import paired_test

UNKNOWN = "not recorded"
CODE = ("source", "training_version")
DATA = ("dataset", "fingerprint")
MACHINE = ("device", "threads")
BESIDE = ("key", "teachers", *CODE, *DATA, *MACHINE)
RECORDED_CODE = ("kd-reid-bench", "commit", "dirty", "patch")
ELSEWHERE = (*RECORDED_CODE, "data", "command", "finished")


@dataclass(frozen=True, slots=True)
class FieldDifference:
    """One thing that differs; None where a run does not have it."""

    name: str
    first: Any
    second: Any


@dataclass(frozen=True, slots=True)
class CurveDivergence:
    """From which step on one part of the loss differs, with both values there."""

    column: str
    step: int
    first: float
    second: float


@dataclass(frozen=True, slots=True)
class CurveComparison:
    """How two curves compare at the steps that both tell of."""

    steps: int  # how many
    last_equal: int | None  # the last step before any difference
    partings: tuple[CurveDivergence, ...]  # the earliest first
    problem: str = ""  # why they cannot be compared


@dataclass(frozen=True, slots=True)
class ScoreDifference:
    """The difference in mAP of one evaluation, first minus second, in points."""

    evaluation: str
    mean: float
    interval: tuple[float, float] | None  # at 95 %
    p: float | None
    queries: int
    identities: int
    problem: str = ""  # why there is no test

    @property
    def is_significant(self) -> bool:
        """Whether it is more than the noise between queries."""
        return self.interval is not None and not self.interval[0] <= 0 <= self.interval[1]


@dataclass(frozen=True, slots=True)
class RunDiff:
    """Everything in which two runs differ."""

    first: str  # keys
    second: str
    sections: dict[str, tuple[FieldDifference, ...]]
    courses: CurveComparison
    verdicts: tuple[ScoreDifference, ...]


def diff_runs(first: StoredRun, second: StoredRun) -> RunDiff:
    """Compare what the folders of two runs tell."""
    one, two = _sections(first), _sections(second)
    return RunDiff(
        first.key,
        second.key,
        {name: tuple(_unequal(one[name], two[name])) for name in one},
        compare_curves(first, second),
        tuple(_verdicts(first, second)),
    )


def compare_curves(first: StoredRun, second: StoredRun) -> CurveComparison:
    """The first step at which the curves differ, part by part."""
    try:
        one, two = load_curve(first.folder), load_curve(second.folder)
    except ValueError as error:
        return CurveComparison(0, None, (), f"{error}")
    shared = sorted(one.keys() & two.keys())
    if not shared:
        return CurveComparison(0, None, (), "the curves have no step in common")
    found: dict[str, CurveDivergence] = {}
    for step in shared:
        for column in one[step].keys() & two[step].keys() - found.keys():
            left, right = one[step][column], two[step][column]
            if left != right and not (math.isnan(left) and math.isnan(right)):
                found[column] = CurveDivergence(column, step, left, right)
    partings = sorted(found.values(), key=lambda part: (part.step, part.column))
    before = [step for step in shared if not partings or step < partings[0].step]
    return CurveComparison(len(shared), before[-1] if before else None, tuple(partings))


def _sections(run: StoredRun) -> dict[str, dict[str, Any]]:
    spec, told = run.spec, run.environment
    return {
        "config": _flat({name: spec[name] for name in spec if name not in BESIDE}),
        "code": _some(spec, CODE)
        | _some(told, RECORDED_CODE)
        | {"scoring_version": run.record.get("scoring_version")},
        "data": _some(spec, DATA),  # wherever it lies
        "teacher": dict(_teachers(run)),
        "environment": {f"{name} of the spec": spec.get(name) for name in MACHINE}
        | {name: told[name] for name in told if name not in ELSEWHERE},
        "result": {"status": run.status, **dict(_results(run))},
    }


def _teachers(run: StoredRun) -> Iterator[tuple[str, Any]]:
    for number, (teacher, weights) in enumerate(
        zip(run.teachers, run.teacher_weights, strict=False), 1
    ):
        prefix = f"{number}." if len(run.teachers) > 1 else ""
        for name, value in _flat({k: v for k, v in teacher.items() if k != "teachers"}).items():
            yield f"{prefix}{name}", value
        yield f"{prefix}weights after training", weights


def _results(run: StoredRun) -> Iterator[tuple[str, Any]]:
    if run.failure:
        yield "failure", run.failure.get("kind")
    for name, scores in run.scores().items():
        for score, value in scores.items():
            yield f"{name} {score}", round(value, 4)
    for name in ("steps", "model"):
        yield name, run.result.get(name)


def _verdicts(first: StoredRun, second: StoredRun) -> Iterator[ScoreDifference]:
    """One for every evaluation that both runs have scores in."""
    one, two = first.scores(), second.scores()
    for name in (name for name in one if name in two):
        mean = one[name]["mAP"] - two[name]["mAP"]
        try:
            left, right = (load_identity_sums(run.folder / PER_QUERY)[name] for run in (first, second))
            if left.queries != right.queries:
                raise ValueError("they were scored on other queries")
            found = paired_test(left.parts["mAP"][None], right.parts["mAP"][None], left.weights)
        except (ValueError, KeyError) as error:
            reason = f"{PER_QUERY} lacks {error}" if isinstance(error, KeyError) else str(error)
            yield ScoreDifference(name, mean, None, None, 0, 0, reason)
            continue
        low, high = (100 * bound for bound in found.interval())
        size = left.count, len(left.weights)
        yield ScoreDifference(name, 100 * found.mean, (low, high), found.p, *size)


def _unequal(one: Mapping[str, Any], two: Mapping[str, Any]) -> Iterator[FieldDifference]:
    for name in dict.fromkeys([*one, *two]):
        if one.get(name) != two.get(name):
            yield FieldDifference(name, one.get(name), two.get(name))


def _some(content: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: content.get(name) for name in names}


def _flat(content: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested objects as `recipe.epochs`."""
    found: dict[str, Any] = {}
    for name, value in content.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = value
    return found

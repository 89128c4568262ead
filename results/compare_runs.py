"""Compare two runs, from their specs to the first step at which their losses differ.

Sections are in the order in which one causes the next: `config`, `code`, `data`, `teacher`,
`environment`, `result`. The difference in mAP is tested on the queries of both runs; two single
runs do not show the variation between seeds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.runs.layout import PER_QUERY
from harness.runs.origin import code_of_record
from harness.runs.per_query import load_identity_sums
from harness.runs.reader import StoredRun, load_curve
from harness.runs.scan import describe_error
from harness.runs.score_check import check_scores
from results.statistics.paired_test import paired_test

# Fields of a spec by section; all others are configuration.
CODE_FIELDS = ("source", "training_version")
DATA_FIELDS = ("dataset", "fingerprint")  # not the folder, which does not change numbers
MACHINE_FIELDS = ("device", "threads")
OTHER_FIELDS = ("key", "teachers", *CODE_FIELDS, *DATA_FIELDS, *MACHINE_FIELDS)
# Fields of a record's environment that belong to another section or differ between any two runs.
RECORDED_CODE = ("kd-reid-bench", "commit", "dirty", "patch", "checkout")
NOT_ENVIRONMENT = (*RECORDED_CODE, "data", "command", "finished")


@dataclass(frozen=True, slots=True)
class FieldDifference:
    """A field with two values; None where a run does not have it."""

    name: str
    first: Any
    second: Any


@dataclass(frozen=True, slots=True)
class CurveDivergence:
    """The first step at which one part of the loss differs, and its two values there."""

    column: str
    step: int
    first: float
    second: float


# `kdreid diff --json` prints the fields of the next three classes under these names.


@dataclass(frozen=True, slots=True)
class CurveComparison:
    """Comparison of two curves at the steps that both have."""

    steps: int  # number of these steps
    last_equal: int | None  # last step before any difference
    partings: tuple[CurveDivergence, ...]  # the earliest first
    problem: str = ""  # why the curves cannot be compared


@dataclass(frozen=True, slots=True)
class ScoreDifference:
    """The difference in mAP of one evaluation, first minus second, in points."""

    evaluation: str
    mean: float | None  # None if a record's scores are not those of its queries
    interval: tuple[float, float] | None  # at 95 %, in points
    p: float | None
    queries: int
    identities: int
    problem: str = ""  # why it was not tested

    @property
    def is_significant(self) -> bool:
        """True if the interval excludes zero."""
        return self.interval is not None and not self.interval[0] <= 0 <= self.interval[1]


@dataclass(frozen=True, slots=True)
class RunDiff:
    """All differences between two runs."""

    first: str  # keys
    second: str
    sections: dict[str, tuple[FieldDifference, ...]]
    courses: CurveComparison
    verdicts: tuple[ScoreDifference, ...]


def diff_runs(first: StoredRun, second: StoredRun) -> RunDiff:
    """Compare two runs by what their folders contain."""
    one, two = _sections(first), _sections(second)
    return RunDiff(
        first=first.key,
        second=second.key,
        sections={name: tuple(_differences(one[name], two[name])) for name in one},
        courses=compare_curves(first, second),
        verdicts=tuple(_score_differences(first, second)),
    )


def compare_curves(first: StoredRun, second: StoredRun) -> CurveComparison:
    """Find the first step at which the curves of two runs differ, for each part of the loss."""
    try:
        one, two = load_curve(first.folder), load_curve(second.folder)
    except ValueError as error:
        return CurveComparison(0, None, (), f"{error}")
    shared = sorted(one.keys() & two.keys())
    if not shared:
        return CurveComparison(0, None, (), "the curves have no step in common")
    by_column: dict[str, CurveDivergence] = {}
    for step in shared:
        for column in one[step].keys() & two[step].keys() - by_column.keys():
            left, right = one[step][column], two[step][column]
            if left != right and not (math.isnan(left) and math.isnan(right)):
                by_column[column] = CurveDivergence(column, step, left, right)
    divergences = sorted(by_column.values(), key=lambda one: (one.step, one.column))
    equal = [step for step in shared if not divergences or step < divergences[0].step]
    return CurveComparison(len(shared), equal[-1] if equal else None, tuple(divergences))


def _sections(run: StoredRun) -> dict[str, dict[str, Any]]:
    """Return the fields of a run by section."""
    spec, environment = run.spec, run.environment
    return {
        "config": _flatten({name: spec[name] for name in spec if name not in OTHER_FIELDS}),
        "code": {
            **{name: spec.get(name) for name in CODE_FIELDS},
            **{name: environment.get(name) for name in RECORDED_CODE},
            **code_of_record(run.record),
            "scoring_version": run.record.get("scoring_version"),
        },
        "data": {name: spec.get(name) for name in DATA_FIELDS},
        "teacher": dict(_teacher_fields(run)),
        "environment": {
            **{f"{name} of the spec": spec.get(name) for name in MACHINE_FIELDS},
            **{name: environment[name] for name in environment if name not in NOT_ENVIRONMENT},
        },
        "result": {"status": run.status, **dict(_result_fields(run))},
    }


def _teacher_fields(run: StoredRun) -> Iterator[tuple[str, Any]]:
    for number, (teacher, weights) in enumerate(
        zip(run.teachers, run.teacher_weights, strict=False), 1
    ):
        prefix = f"{number}." if len(run.teachers) > 1 else ""
        own = {name: value for name, value in teacher.items() if name != "teachers"}
        for name, value in _flatten(own).items():
            yield f"{prefix}{name}", value
        yield f"{prefix}weights after training", weights


def _result_fields(run: StoredRun) -> Iterator[tuple[str, Any]]:
    if run.failure:
        yield "failure", run.failure.get("kind")
    doubt = " (not that of its queries)" if any(_score_problems(run)) else ""
    for evaluation, scores in run.scores().items():
        for score, value in scores.items():
            yield f"{evaluation} {score}", f"{value:.4f}{doubt}" if doubt else round(value, 4)
    for name in ("steps", "model"):
        yield name, run.result.get(name)


def _score_differences(first: StoredRun, second: StoredRun) -> Iterator[ScoreDifference]:
    """Yield the difference of every evaluation that both runs have scores of."""
    one, two = first.scores(), second.scores()
    problem = "; ".join(_score_problems(first, second))
    for evaluation in (name for name in one if name in two):
        if problem:
            yield ScoreDifference(evaluation, None, None, None, 0, 0, problem)
            continue
        try:
            left, right = (
                load_identity_sums(run.folder / PER_QUERY)[evaluation] for run in (first, second)
            )
            if left.queries != right.queries:
                raise ValueError("they were scored on different queries")
            # One seed each: (1, G).
            test = paired_test(left.parts["mAP"][None], right.parts["mAP"][None], left.weights)
        except (ValueError, KeyError) as error:
            reason = f"{PER_QUERY} lacks {error}" if isinstance(error, KeyError) else str(error)
            mean = one[evaluation]["mAP"] - two[evaluation]["mAP"]
            yield ScoreDifference(evaluation, mean, None, None, 0, 0, reason)
            continue
        low, high = (100 * bound for bound in test.interval())
        yield ScoreDifference(
            evaluation=evaluation,
            mean=100 * test.mean,
            interval=(low, high),
            p=test.p,
            queries=left.count,
            identities=len(left.weights),
        )


def _score_problems(*runs: StoredRun) -> Iterator[str]:
    """Yield why runs are not to be compared: their scores are not those of their queries."""
    for run in runs:
        if not run.record:
            continue
        try:
            check_scores(run.folder, run.result["evaluations"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            yield f"{run.key}: {describe_error(error)}"


def _differences(one: Mapping[str, Any], two: Mapping[str, Any]) -> Iterator[FieldDifference]:
    for name in dict.fromkeys([*one, *two]):
        if one.get(name) != two.get(name):
            yield FieldDifference(name, one.get(name), two.get(name))


def _flatten(content: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested objects as one, with names such as `recipe.epochs`."""
    flat: dict[str, Any] = {}
    for name, value in content.items():
        if isinstance(value, dict):
            flat |= _flatten(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = value
    return flat

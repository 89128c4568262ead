"""Estimate how long a plan will take, from the records of earlier runs of the same kind.

The time of a cohort is the sum of what its runs take by themselves, plus what they share (data and
the teacher's forward pass) once, plus preparing and scoring. Records contain all four. The time of
a run depends on its method, network and batch; records of other methods on the same network are
used where a method has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from harness.core.errors import FileError
from harness.core.files import read_json
from harness.core.name_lists import name_some
from harness.runs.layout import RECORD, iter_run_folders
from harness.runs.progress import format_duration
from harness.runs.spec import Recipe, RunSpec

PRINTED_RUNS = 3  # of those without an estimate
RunKind = tuple[object, ...]
TeacherKind = tuple[str, int, int]  # network, height and width


@dataclass(frozen=True, slots=True)
class StepTiming:
    """The timings of one record, in seconds."""

    method: str
    kind: RunKind
    dataset: str
    teachers: tuple[TeacherKind, ...]
    own: float  # of a step, for this run alone
    shared: float | None  # of a step, for what its cohort shares; None: not measured
    ends: float  # preparing, as this run's share of its cohort's, and scoring
    device: str  # model name


@dataclass(frozen=True, slots=True)
class Estimate:
    """The time that a cohort or a plan takes on one device, and the records behind it."""

    seconds: float | None  # None: unknown
    records: tuple[StepTiming, ...] = ()
    exact: bool = True  # whether there are records of every method on its dataset
    missing: tuple[str, ...] = ()  # names of runs that no record helps to estimate

    def describe(self, device_kind: str) -> str:
        """Return the estimate in words.

        Args:
            device_kind: GPU or CPU.
        """
        if self.seconds is None:
            names = name_some(self.missing, PRINTED_RUNS)
            return f"no estimate: no earlier record has timings like those of {names}"
        qualification = "" if self.exact else ", partly of other methods or datasets"
        devices = sorted({record.device for record in self.records})
        on = f" on {' and '.join(devices)}" if devices else ""
        hours = self.seconds / 3600
        time = f"{hours:.1f} {device_kind} hours" if hours >= 0.1 else format_duration(self.seconds)
        count = len(self.records)
        noun = "record" if count == 1 else "records"
        return f"about {time}, from {count} {noun}{qualification}{on}"


def read_timings(runs: Path) -> list[StepTiming]:
    """Return the timings of all records below a runs folder; records without them are skipped."""
    timings = []
    for folder in iter_run_folders(runs, []):
        # Skipped if it cannot be read: the plan says so, and an estimate needs not every record.
        with suppress(FileError, KeyError, TypeError, ValueError, ZeroDivisionError):
            if (record := read_json(folder / RECORD)) is not None:
                timings.append(_parse_timing(record))
    return timings


def estimate(
    cohort: Sequence[RunSpec],
    steps: int,
    timings: Sequence[StepTiming],
    *,
    done: Iterable[str] = (),
) -> Estimate:
    """Estimate the time of a cohort.

    Args:
        cohort: Its runs.
        steps: Number of training steps of each run.
        timings: Of earlier runs.
        done: Keys of runs that take no time because they are done.
    """
    finished = set(done)
    pending = [spec for spec in cohort if spec.key not in finished]
    if not pending:
        return Estimate(0.0)
    similar = {spec: _similar_runs(spec, timings) for spec in pending}
    if missing := tuple(spec.name for spec, (records, _) in similar.items() if not records):
        return Estimate(None, missing=missing)
    used = tuple(dict.fromkeys(record for records, _ in similar.values() for record in records))
    own = sum(median(record.own for record in records) for records, _ in similar.values())
    # The teacher's forward pass is part of what a cohort with a teacher shares.
    with_teacher = [record for record in used if record.teachers] or used
    shared = [record.shared for record in with_teacher if record.shared is not None]
    ends = sum(median(record.ends for record in records) for records, _ in similar.values())
    seconds = steps * (own + (median(shared) if shared else 0.0)) + ends
    return Estimate(seconds, used, all(is_same for _, is_same in similar.values()))


def sum_estimates(estimates: Sequence[Estimate]) -> Estimate:
    """Return the estimate of a plan from those of its cohorts; unknown if one of them is."""
    missing = tuple(name for one in estimates for name in one.missing)
    seconds = sum(one.seconds for one in estimates if one.seconds is not None)
    used = tuple(dict.fromkeys(record for one in estimates for record in one.records))
    is_exact = all(one.exact for one in estimates)
    return Estimate(None if missing else seconds, used, is_exact, missing)


def _similar_runs(spec: RunSpec, timings: Sequence[StepTiming]) -> tuple[list[StepTiming], bool]:
    """Return the timings that are most like a run's, and whether they are of its own method."""
    kind = _kind(spec.network, spec.recipe, spec.device, spec.threads)
    same_kind = [timing for timing in timings if timing.kind == kind]
    teachers = tuple((teacher.network, *teacher.recipe.size) for teacher in spec.teachers)
    same_teachers = [timing for timing in same_kind if timing.teachers == teachers]
    same_method = [timing for timing in same_teachers if timing.method == spec.method]
    candidates = [
        [timing for timing in same_method if timing.dataset == spec.dataset],
        same_method,
        same_teachers,
        [timing for timing in same_kind if bool(timing.teachers) == bool(teachers)],
    ]
    for position, similar in enumerate(candidates):
        if similar:
            return similar, position == 0
    return [], False


def _parse_timing(record: Mapping[str, Any]) -> StepTiming:
    """Return the timings of one record.

    Raises:
        KeyError: The record has no timings; likewise for the other errors.
        TypeError: A value is not a number.
        ValueError: A value is impossible.
        ZeroDivisionError: The run had no steps.
    """
    spec, timings = record["spec"], record["timings"]
    recipe = Recipe(**spec["recipe"] | {"milestones": tuple(spec["recipe"]["milestones"])})
    shared = None
    if timings.get("steps"):
        shared = (timings["training_cohort"] - timings["training_own"]) / timings["steps"]
    return StepTiming(
        method=spec["method"],
        kind=_kind(spec["network"], recipe, spec["device"], spec["threads"]),
        dataset=spec["dataset"],
        teachers=tuple(
            (teacher["network"], teacher["recipe"]["height"], teacher["recipe"]["width"])
            for teacher in spec["teachers"]
        ),
        own=timings["training"] / record["result"]["steps"],
        shared=None if shared is None else max(0.0, shared),
        ends=timings["preparing"] / timings["cohort"] + timings["scoring"],
        device=str(record["environment"]["device_name"]),
    )


def _kind(network: str, recipe: Recipe, device: str, threads: int) -> RunKind:
    """Return what the time of a step depends on besides the method and the machine."""
    if recipe.sampling == "identities":
        images = recipe.identities * recipe.images_each
    else:
        images = recipe.batch
    return (
        network,
        images,
        recipe.height,
        recipe.width,
        recipe.precision,
        device,
        threads,
        recipe.last_stride,
        recipe.stem,
        recipe.distillation_batches,
    )

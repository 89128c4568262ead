"""How long a plan will take, from what earlier runs of the same kind took; or that none did.

A cohort's time is the sum of its runs' own passes, plus the shared part (data and the teacher's
forward) once, plus preparing and scoring. Records tell all four. A run's own pass depends on its
method, network and batch; where a method has no record yet, others on that network stand in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from harness.core.files import read_json
from harness.runs.layout import RECORD, iter_run_folders
from harness.runs.progress import format_duration
from harness.runs.spec import Recipe, RunSpec

SHOWN = 3  # runs named that nothing is known of
Kind = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class StepTiming:
    """What one record tells: seconds a step, and seconds at the ends."""

    method: str
    kind: Kind  # network, batch, size, precision, device
    dataset: str
    teachers: tuple[str, ...]  # networks
    own: float  # a step of this run alone
    shared: float | None  # a step of what its cohort shares; None where it was not measured
    ends: float  # preparing, by cohort, and scoring
    device: str  # its name
    memory: int | None  # bytes of the GPU, of its cohort


@dataclass(frozen=True, slots=True)
class Estimate:
    """Hours of one device for a cohort, what that stands on, and what is not known."""

    seconds: float | None
    records: tuple[StepTiming, ...] = ()
    exact: bool = True  # every method was measured itself
    missing: tuple[str, ...] = ()  # names of runs that nothing is known of

    def words(self, kind: str) -> str:
        """One sentence; `kind` is GPU or CPU."""
        if self.seconds is None:
            more = f" and {len(self.missing) - SHOWN} more" if len(self.missing) > SHOWN else ""
            names = ", ".join(self.missing[:SHOWN]) + more
            return f"no estimate: no earlier record tells the time of {names}"
        about = "" if self.exact else ", partly of other methods or datasets"
        devices = sorted({one.device for one in self.records})
        on = f" on {' and '.join(devices)}" if devices else ""
        hours = self.seconds / 3600
        number = f"{hours:.1f} {kind} hours" if hours >= 0.1 else format_duration(self.seconds)
        count = len(self.records)
        plural = "record" if count == 1 else "records"
        return f"about {number}, from {count} {plural}{about}{on}"


def read_timings(runs: Path) -> list[StepTiming]:
    """What all records below `runs` tell; those without timings of this form are left out."""
    found = []
    for folder in iter_run_folders(runs):
        record = read_json(folder / RECORD)
        if record is not None:
            try:
                found.append(_read(record))
            except (KeyError, TypeError, ValueError, ZeroDivisionError):
                continue
    return found


def estimate(
    cohort: Sequence[RunSpec], steps: int, known: Sequence[StepTiming], *, done: Iterable[str] = ()
) -> Estimate:
    """The time of a cohort whose runs take `steps` steps; `done` are keys that need none."""
    finished = set(done)
    left = [spec for spec in cohort if spec.key not in finished]
    if not left:
        return Estimate(0.0)
    found = {spec: _like(spec, known) for spec in left}
    if missing := tuple(spec.name for spec, (same, _) in found.items() if not same):
        return Estimate(None, missing=missing)
    used = tuple(dict.fromkeys(one for same, _ in found.values() for one in same))
    own = sum(median(one.own for one in same) for same, _ in found.values())
    # The teacher's forward is part of what a cohort with a teacher shares.
    taught = [one for one in used if one.teachers] or used
    shared = [one.shared for one in taught if one.shared is not None]
    ends = sum(median(one.ends for one in same) for same, _ in found.values())
    seconds = steps * (own + (median(shared) if shared else 0.0)) + ends
    return Estimate(seconds, used, all(itself for _, itself in found.values()))


def sum_estimates(estimates: Sequence[Estimate]) -> Estimate:
    """The sum of a plan's cohorts; unknown if one is."""
    missing = tuple(name for one in estimates for name in one.missing)
    known = sum(one.seconds for one in estimates if one.seconds is not None)
    used = tuple(dict.fromkeys(record for one in estimates for record in one.records))
    return Estimate(None if missing else known, used, all(one.exact for one in estimates), missing)


def _like(spec: RunSpec, known: Sequence[StepTiming]) -> tuple[list[StepTiming], bool]:
    """The nearest records of the same network and batch, and whether they are of this method."""
    kind = _kind(spec.network, spec.recipe, spec.device, spec.threads)
    same = [one for one in known if one.kind == kind]
    teachers = tuple(teacher.network for teacher in spec.teachers)
    taught = [one for one in same if one.teachers == teachers]
    nearer = [
        [one for one in taught if one.method == spec.method and one.dataset == spec.dataset],
        [one for one in taught if one.method == spec.method],
        taught,
        [one for one in same if bool(one.teachers) == bool(teachers)],
    ]
    for place, found in enumerate(nearer):
        if found:
            return found, place == 0
    return [], False


def _read(record: Mapping[str, Any]) -> StepTiming:
    """One record's times.

    Raises:
        KeyError, TypeError, ValueError, ZeroDivisionError: it does not tell them.
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
        teachers=tuple(teacher["network"] for teacher in spec["teachers"]),
        own=timings["training"] / record["result"]["steps"],
        shared=None if shared is None else max(0.0, shared),
        ends=timings["preparing"] / timings["cohort"] + timings["scoring"],
        device=str(record["environment"]["device_name"]),
        memory=(record.get("memory") or {}).get("gpu"),
    )


def _kind(network: str, recipe: Recipe, device: str, threads: int) -> Kind:
    """What a step's time depends on, besides the method and the machine."""
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

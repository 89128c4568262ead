"""What a training step costs with each method: a few steps of every student, trained alone.

Times in records are of cohorts, which share data and teacher; here each run has both to itself. The
runs take turns, so that a machine that slows down slows all of them. A step is a whole one: batch,
teacher, student, losses, update. Nothing of it is kept but the times.
"""

from __future__ import annotations

import math
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from harness.analysis.embeddings import FeatureExtractor
from harness.core.errors import SetupError
from harness.core.files import write_json
from harness.core.lease import try_acquire
from harness.core.session import RunContext
from harness.data.batches import BatchStream
from harness.data.images import OpenedDataset
from harness.runs.lookup import find_run, finished_runs
from harness.runs.record import read_record
from harness.runs.spec import RunSpec
from harness.training.environment import capture_environment
from harness.training.loop import LoopContext, train
from harness.training.networks import load_teacher, start_training_run

FILE = Path("report") / "measured" / "cost.json"  # below a runs folder
WARM_UP = 2  # steps of a turn that are not counted
TURNS = 3


class FirstSteps(BatchStream):
    """The training batches of a run, but only the first `steps` of them."""

    def __init__(self, data: OpenedDataset, spec: RunSpec, steps: int, purpose: str = "") -> None:
        super().__init__(data.dataset, data.train, spec.recipe, spec.seed, purpose)
        self.steps = min(self.steps, steps)


def training_cost(
    words: Sequence[str], steps: int, context: RunContext, root: Path | None
) -> list[dict[str, Any]]:
    """Seconds a step of the named runs, by default of one seed of every finished student.

    Raises:
        UsageError: a word names no run or several.
        SetupError: there is none, its files or images are not there, or a step fails.
    """
    specs = [find_run(context.runs, word) for word in words] or _students(context.runs)
    if not specs:
        raise SetupError(f"There is no finished run in {context.runs}; kdreid run makes some.")
    sources = FeatureExtractor(context, root)
    seconds: dict[RunSpec, list[float]] = {spec: [] for spec in specs}
    with context.reporter.task("timing steps") as progress:
        for turn in range(TURNS):
            for number, (spec, times) in enumerate(seconds.items(), 1):
                counted = _seconds(spec, sources.data(spec), context, math.ceil(steps / TURNS))
                times.extend(counted)
                progress(turn * len(seconds) + number, TURNS * len(seconds), spec.name)
    rows = [
        {
            "key": spec.key,
            "seconds": statistics.median(times),
            "least": min(times),
            "most": max(times),
            "counted": len(times),
            "steps": read_record(context.runs, spec)["result"]["steps"],
        }
        for spec, times in seconds.items()
    ]
    content = {"environment": capture_environment(context.device), "rows": rows}
    write_json(context.runs / FILE, content)
    return rows


def _students(runs: Path) -> list[RunSpec]:
    """Of all finished runs but teachers the lowest seed of each kind."""
    specs = finished_runs(runs)
    taught = {teacher.key for spec in specs for teacher in spec.teachers}
    kinds: dict[tuple[object, ...], RunSpec] = {}
    for spec in sorted((s for s in specs if s.key not in taught), key=lambda spec: spec.seed):
        kind = (
            spec.dataset,
            spec.fingerprint,
            spec.method,
            spec.options,
            spec.network,
            spec.recipe,
            tuple(teacher.network for teacher in spec.teachers),
            spec.head,
            spec.source,
        )
        kinds.setdefault(kind, spec)
    return list(kinds.values())


def _seconds(spec: RunSpec, data: OpenedDataset, context: RunContext, steps: int) -> list[float]:
    """Of each counted step of one turn."""
    teacher = load_teacher(spec.teachers, data, context)
    ends: list[float] = []

    def tick(_done: int, _total: int, _note: str) -> None:
        if context.device.type == "cuda":
            torch.cuda.synchronize(context.device)
        ends.append(time.perf_counter())

    with tempfile.TemporaryDirectory() as folder:
        lease = try_acquire(Path(folder))
        if lease is None:
            raise SetupError(f"{folder} is not free to work in.")
        with lease:
            training_run = start_training_run(spec, lease, teacher, data, context)
            second = None
            if teacher is not None and spec.recipe.distillation_batches == "separate":
                second = FirstSteps(data, spec, steps + WARM_UP, "distillation")
            loop = LoopContext(
                FirstSteps(data, spec, steps + WARM_UP),
                second,
                spec.recipe,
                context.device,
                context.stop,
                context.workers,
                float("inf"),
                tick,
            )
            failures = train([training_run], teacher, loop)
    for failure in failures.values():
        raise SetupError(f"{spec.key}: a step failed ({failure.kind}). {failure.message}")
    if len(ends) <= WARM_UP:
        raise SetupError(f"{spec.key} trains for {len(ends)} steps: too few to time.")
    return [
        after - before for before, after in zip(ends[WARM_UP - 1 :], ends[WARM_UP:], strict=False)
    ]

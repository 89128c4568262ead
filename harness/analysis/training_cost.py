"""Time of a training step with each method: a few steps of every student, trained alone.

The times in records are those of cohorts, whose runs share data and teacher; here each run has both
to itself. The runs take turns, so that a machine that slows down slows all of them. A step includes
loading the batch, the teacher, the student, the losses and the update. The trained weights are
discarded.
"""

from __future__ import annotations

import math
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.analysis.features import ImageCache
from harness.core.devices import synchronize
from harness.core.errors import SetupError
from harness.core.files import write_json
from harness.core.lease import try_acquire
from harness.core.session import RunContext
from harness.data.batches import BatchStream
from harness.data.images import OpenedDataset
from harness.planning.names import resolve_recorded_methods
from harness.runs.layout import TRAINING_COST
from harness.runs.lookup import finished_runs, resolve_specs
from harness.runs.record import read_record
from harness.runs.report_folder import report_folder
from harness.runs.spec import RunSpec
from harness.training.environment import capture_environment
from harness.training.loop import LoopContext, train
from harness.training.networks import load_teacher, start_training_run

WARM_UP_STEPS = 2  # at the beginning of each turn, not counted
TURNS = 3


class FirstBatches(BatchStream):
    """The first batches of a run's training.

    Args:
        data: The run's images.
        spec: The run.
        steps: Number of batches, unless the run's training is shorter.
        purpose: Purpose of the stream, see `BatchStream`.
    """

    def __init__(self, data: OpenedDataset, spec: RunSpec, steps: int, purpose: str = "") -> None:
        super().__init__(data.dataset, data.train, spec.recipe, spec.seed, purpose)
        self.steps = min(self.steps, steps)


def measure_training_cost(
    handles: Sequence[str], steps: int, context: RunContext, data_root: Path | None
) -> list[dict[str, Any]]:
    """Measure the time of a training step and write it to the report's folder.

    Args:
        handles: Names of finished runs, as `harness.runs.lookup` resolves them; none for the lowest
            seed of every finished student.
        steps: Timed steps of each run in all turns together.
        context: The runs folder, the device, the workers and the reporter.
        data_root: Folder that contains the datasets; None to find them as in training.

    Returns:
        One row per run: its `key`; `seconds` (median), `least` and `most` of a step; `counted`, the
        number of timed steps; and `steps`, that of the whole training.

    Raises:
        UsageError: A handle names no run, or several, or a method is of another origin.
        SetupError: There is no finished run, its weights or images are not found, a step fails, or
            its training is too short.
    """
    specs = resolve_specs(handles, context.runs) if handles else _students(context.runs)
    if not specs:
        raise SetupError(f"There is no finished run in {context.runs}. Train some with kdreid run.")
    resolve_recorded_methods(spec.method for spec in specs)
    images = ImageCache(context, data_root)
    seconds: dict[RunSpec, list[float]] = {spec: [] for spec in specs}
    with context.reporter.task("timing steps") as progress:
        for turn in range(TURNS):
            for number, spec in enumerate(specs, 1):
                data = images.open(spec)
                seconds[spec] += _time_steps(spec, data, context, math.ceil(steps / TURNS))
                progress(turn * len(specs) + number, TURNS * len(specs), spec.name)
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
    write_json(report_folder(context.runs) / TRAINING_COST, content)
    return rows


def _students(runs: Path) -> list[RunSpec]:
    """Return the lowest seed of every finished student; runs that only teach are no students."""
    specs = finished_runs(runs)
    teachers = {teacher.key for spec in specs for teacher in spec.teachers}
    students: dict[tuple[object, ...], RunSpec] = {}
    for spec in sorted((s for s in specs if s.key not in teachers), key=lambda spec: spec.seed):
        all_but_seed = (
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
        students.setdefault(all_but_seed, spec)
    return list(students.values())


def _time_steps(spec: RunSpec, data: OpenedDataset, context: RunContext, steps: int) -> list[float]:
    """Return the seconds of each counted step of one turn."""
    teacher = load_teacher(spec.teachers, data, context)
    step_ends: list[float] = []

    def record_time(done: int, total: int, note: str = "") -> None:  # noqa: ARG001
        synchronize(context.device)
        step_ends.append(time.perf_counter())

    with tempfile.TemporaryDirectory() as folder:
        lease = try_acquire(Path(folder))
        if lease is None:
            raise SetupError(f"The temporary folder {folder} is in use by another process.")
        with lease:
            training_run = start_training_run(spec, lease, teacher, data, context)
            distillation_stream = None
            if teacher is not None and spec.recipe.distillation_batches == "separate":
                distillation_stream = FirstBatches(
                    data, spec, steps + WARM_UP_STEPS, "distillation"
                )
            loop = LoopContext(
                stream=FirstBatches(data, spec, steps + WARM_UP_STEPS),
                distillation_stream=distillation_stream,
                recipe=spec.recipe,
                device=context.device,
                stop=context.stop,
                workers=context.workers,
                checkpoint_seconds=math.inf,
                on_step=record_time,
            )
            failures = train([training_run], teacher, loop)
    for failure in failures.values():
        raise SetupError(f"A step of {spec.key} failed ({failure.kind}). {failure.message}")
    if len(step_ends) <= WARM_UP_STEPS:
        raise SetupError(
            f"{spec.key} trains for {len(step_ends)} steps only; timing takes more than "
            f"{WARM_UP_STEPS}."
        )
    starts, ends = step_ends[WARM_UP_STEPS - 1 : -1], step_ends[WARM_UP_STEPS:]
    return [end - start for start, end in zip(starts, ends, strict=True)]

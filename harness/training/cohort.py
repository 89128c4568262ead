"""Carry out one cohort: build, prepare, train, evaluate, record. The one impure function.

Whatever it does is under the leases of the runs it was given; whatever it leaves is on disk.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import partial

from harness.core.lease import Lease
from harness.core.memory import reset_peak_memory
from harness.core.session import RunContext
from harness.data.batches import BatchStream
from harness.data.images import OpenedDataset
from harness.evaluation.scoring import evaluate_network, tie_warnings
from harness.models import EnsembleTeacher, ReIDNetwork
from harness.runs.code_version import git_state
from harness.runs.layout import PER_QUERY
from harness.runs.record import read_record, write_failure, write_record
from harness.runs.spec import SCORING_VERSION, RunSpec
from harness.runs.states import FailureKind
from harness.training.loop import LoopContext, RunFailure, capture_failure, train
from harness.training.networks import load_network, load_teacher, start_training_run
from harness.training.progress_file import ProgressWriter
from harness.training.recording import score_and_record
from harness.training.state import TrainingRun


def run_cohort(
    members: Sequence[RunSpec],
    leases: Mapping[str, Lease],
    data: OpenedDataset,
    context: RunContext,
) -> dict[str, RunFailure]:
    """Train and score the runs of a cohort; return, by key, those that failed.

    Raises:
        InterruptedRunError: a stop was requested; what was reached is on disk.
        SetupError: the cohort cannot start at all, for example without its teacher.
    """
    began, recipe, seed = time.monotonic(), members[0].recipe, members[0].seed
    git_state()  # as the code is now; files may be edited while it trains
    reset_peak_memory(context.device)
    teachers = next((spec.teachers for spec in members if spec.teachers), ())
    teacher = load_teacher(teachers, data, context)
    stream = BatchStream(data.dataset, data.train, recipe, seed)
    second = None
    if teacher is not None and recipe.distillation_batches == "separate":
        second = BatchStream(data.dataset, data.train, recipe, seed, "distillation")
    training_runs: list[TrainingRun] = []
    failures: dict[str, RunFailure] = {}

    def enter(spec: RunSpec) -> None:
        training_runs.append(start_training_run(spec, leases[spec.key], teacher, data, context))

    for spec in members:
        context.stop.raise_if_requested()
        if failure := capture_failure(partial(enter, spec)):
            failures[spec.key] = failure
    prepared = time.monotonic()
    with context.reporter.task(_cohort_title(members)) as progress:
        pace = ProgressWriter(training_runs, progress)
        loop = LoopContext(
            stream,
            second,
            recipe,
            context.device,
            context.stop,
            context.workers,
            context.checkpoint_seconds,
            pace,
            lambda *who: capture_failure(partial(_record_failure, pace, context, *who)),
        )
        left, timings = _train(training_runs, teacher, loop)
    failures |= left
    timings["preparing"] = prepared - began
    going = [
        training_run for training_run in training_runs if training_run.spec.key not in failures
    ]
    with context.reporter.task("scoring") as progress:
        for number, training_run in enumerate(going, 1):
            finish = partial(score_and_record, training_run, data, context, timings, len(members))
            if failure := capture_failure(finish):
                failures[training_run.spec.key] = failure
            progress(number, len(going))
    for spec in members:
        if (failure := failures.get(spec.key)) and not pace.is_stopped(spec.key):
            _record_failure(pace, context, spec, failure)
    return failures


def _record_failure(
    pace: ProgressWriter, context: RunContext, spec: RunSpec, failure: RunFailure
) -> None:
    """Say on disk that a run failed, as soon as it has, however long its company goes on."""
    if failure.kind is not FailureKind.LOST:
        write_failure(context.runs, spec, failure.kind, failure.message, failure.trace)
    pace.stop(spec.key)


def rescore(spec: RunSpec, data: OpenedDataset, context: RunContext) -> None:
    """Score a finished run's network again, by the present version of the protocol."""
    record = read_record(context.runs, spec)
    network = load_network(spec, data, context)
    per_query = context.runs / spec.key / PER_QUERY
    evaluations = evaluate_network(network, data.dataset, data.test, context.device, per_query)
    record["result"]["evaluations"] = evaluations
    notes = [*data.dataset.notes, *tie_warnings(spec.key, evaluations)]
    write_record(context.runs, spec, record | {"scoring_version": SCORING_VERSION, "notes": notes})


def _train(
    training_runs: Sequence[TrainingRun],
    teacher: ReIDNetwork | EnsembleTeacher | None,
    loop: LoopContext,
) -> tuple[dict[str, RunFailure], dict[str, float]]:
    """Train a cohort; who failed, and the seconds and steps since this start or resume."""
    began, steps = time.monotonic(), loop.stream.steps
    start = min((training_run.step for training_run in training_runs), default=steps)
    before = sum(training_run.seconds for training_run in training_runs)
    failures = train(training_runs, teacher, loop)
    return failures, {
        "training_cohort": time.monotonic() - began,
        "training_own": sum(training_run.seconds for training_run in training_runs) - before,
        "steps": steps - start,
    }


def _cohort_title(members: Sequence[RunSpec]) -> str:
    """How progress names a cohort."""
    if len(members) == 1:
        return members[0].name
    return f"{members[0].dataset} seed {members[0].seed}: {len(members)} runs side by side"

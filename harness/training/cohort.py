"""Train a cohort: load its teacher, prepare its methods, train, score and record every run.

All of it happens under the leases of the runs, and all that it produces is on disk.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from harness.core.lease import Lease
from harness.core.memory import reset_peak_memory
from harness.core.session import RunContext
from harness.data.batches import BatchStream
from harness.data.images import OpenedDataset
from harness.evaluation.scoring import evaluate_network, tie_warnings
from harness.models import EnsembleTeacher, ReIDNetwork
from harness.runs.code_version import git_state
from harness.runs.layout import PER_QUERY
from harness.runs.origin import code_digests
from harness.runs.record import read_record, write_failure, write_record
from harness.runs.spec import SCORING_VERSION, Recipe, RunSpec
from harness.runs.states import FailureKind
from harness.training.failures import RunFailure, blame_takeover, capture_failure
from harness.training.loop import LoopContext, train
from harness.training.networks import load_network, load_teacher, start_training_run
from harness.training.progress_file import ProgressWriter
from harness.training.recording import score_and_record
from harness.training.state import TrainingRun


def run_cohort(
    specs: Sequence[RunSpec],
    leases: Mapping[str, Lease],
    data: OpenedDataset,
    context: RunContext,
) -> dict[str, RunFailure]:
    """Train and score the runs of a cohort, from their checkpoints if there are any.

    Args:
        specs: Runs with the same dataset, seed, recipe and teacher; some may have no teacher.
        leases: The lease that this process holds on each run, by key.
        data: The dataset that the runs were planned with, opened for a run that has the teacher
            if there is one.
        context: The runs folder, the device and the reporter.

    Returns:
        The failures by key of the runs that have no record; all others are done.

    Raises:
        RunInterrupted: A stop was requested; all progress is on disk.
        TeacherUnusableError: The teacher cannot be loaded.
    """
    start = time.monotonic()
    # Read and kept now, because files may be edited while the cohort trains.
    git_state(), code_digests()
    reset_peak_memory(context.device)
    teacher = load_teacher(_teachers(specs), data, context)
    streams = _make_streams(specs[0], teacher, data)
    training_runs, failures = _start_all(specs, leases, teacher, data, context)
    preparing = time.monotonic() - start

    with context.reporter.task(_cohort_title(specs)) as progress:
        writer = ProgressWriter(training_runs, progress)
        loop = _loop_context(specs[0].recipe, streams, context, writer, leases)
        loop_failures, timings = _train_timed(training_runs, teacher, loop)
    failures |= loop_failures

    trained = [run for run in training_runs if run.spec.key not in failures]
    timings["preparing"] = preparing
    failures |= _score_all(trained, data, context, timings, len(specs))
    for spec in specs:
        if failure := failures.get(spec.key):
            failures[spec.key] = blame_takeover(failure, leases[spec.key])
            loop.on_failure(spec, failure)
    return failures


def rescore(spec: RunSpec, lease: Lease, data: OpenedDataset, context: RunContext) -> None:
    """Score a finished run's network again, by the present version of the protocol.

    Args:
        spec: The run.
        lease: This process's lease on it.
        data: The dataset that it was trained on.
        context: The runs folder and the device.

    Raises:
        LeaseLostError: Another process has taken over the run.
        SetupError: The run's files are missing or are not those that its record describes.
    """
    record = read_record(context.runs, spec)
    network = load_network(spec, data, context)
    per_query = context.runs / spec.key / PER_QUERY
    evaluations = evaluate_network(
        network, data.dataset, data.test, context.device, per_query, lease.check
    )
    record["result"]["evaluations"] = evaluations
    changes: dict[str, Any] = {
        "scoring_version": SCORING_VERSION,
        "data_flags": [*data.dataset.data_flags],
        "notes": [*data.dataset.notes, *tie_warnings(spec.key, evaluations)],
    }
    if code := record.get("code"):
        changes["code"] = {**code, "evaluation": code_digests()["evaluation"]}
    lease.check()
    write_record(context.runs, spec, record | changes)


def _teachers(specs: Sequence[RunSpec]) -> tuple[RunSpec, ...]:
    """Return the teacher of the cohort; a plain student among its runs has none."""
    return next((spec.teachers for spec in specs if spec.teachers), ())


def _make_streams(
    spec: RunSpec, teacher: ReIDNetwork | EnsembleTeacher | None, data: OpenedDataset
) -> tuple[BatchStream, BatchStream | None]:
    """Return the stream of batches, and a second one for the methods' losses if they have it."""
    make_stream = partial(BatchStream, data.dataset, data.train, spec.recipe, spec.seed)
    if teacher is None:
        return make_stream(), None
    if spec.recipe.distillation_batches != "separate":
        return make_stream(teacher_pixels=data.teacher_train), None
    return make_stream(), make_stream("distillation", teacher_pixels=data.teacher_train)


def _loop_context(
    recipe: Recipe,
    streams: tuple[BatchStream, BatchStream | None],
    context: RunContext,
    writer: ProgressWriter,
    leases: Mapping[str, Lease],
) -> LoopContext:
    def on_failure(spec: RunSpec, failure: RunFailure) -> None:
        # Captured: a run that cannot even write its failure must not end the cohort.
        lease = leases[spec.key]
        capture_failure(partial(_record_failure, writer, context, spec, failure, lease))

    return LoopContext(
        stream=streams[0],
        distillation_stream=streams[1],
        recipe=recipe,
        device=context.device,
        stop=context.stop,
        workers=context.workers,
        checkpoint_seconds=context.checkpoint_seconds,
        on_step=writer,
        on_failure=on_failure,
    )


def _start_all(
    specs: Sequence[RunSpec],
    leases: Mapping[str, Lease],
    teacher: ReIDNetwork | EnsembleTeacher | None,
    data: OpenedDataset,
    context: RunContext,
) -> tuple[list[TrainingRun], dict[str, RunFailure]]:
    """Build or resume every run; a run that cannot start fails alone."""
    training_runs: list[TrainingRun] = []
    failures: dict[str, RunFailure] = {}

    def start(spec: RunSpec) -> None:
        training_runs.append(start_training_run(spec, leases[spec.key], teacher, data, context))

    for spec in specs:
        context.stop.raise_if_requested()
        if failure := capture_failure(partial(start, spec)):
            failures[spec.key] = failure
    return training_runs, failures


def _train_timed(
    training_runs: Sequence[TrainingRun],
    teacher: ReIDNetwork | EnsembleTeacher | None,
    loop: LoopContext,
) -> tuple[dict[str, RunFailure], dict[str, float]]:
    """Train a cohort; return its failures, and the seconds and steps since this start or resume."""
    start, total = time.monotonic(), loop.stream.steps
    first_step = min((run.step for run in training_runs), default=total)
    seconds_before = sum(run.seconds for run in training_runs)
    failures = train(training_runs, teacher, loop)
    return failures, {
        "training_cohort": time.monotonic() - start,
        "training_own": sum(run.seconds for run in training_runs) - seconds_before,
        "steps": total - first_step,
    }


def _score_all(
    training_runs: Sequence[TrainingRun],
    data: OpenedDataset,
    context: RunContext,
    timings: Mapping[str, float],
    cohort_size: int,
) -> dict[str, RunFailure]:
    """Score trained runs and write their records; return the failures by key."""
    failures: dict[str, RunFailure] = {}
    with context.reporter.task("scoring") as progress:
        for number, run in enumerate(training_runs, 1):
            score = partial(score_and_record, run, data, context, timings, cohort_size)
            if failure := capture_failure(score):
                failures[run.spec.key] = failure
            progress(number, len(training_runs))
    return failures


def _record_failure(
    writer: ProgressWriter, context: RunContext, spec: RunSpec, failure: RunFailure, lease: Lease
) -> None:
    """Write a run's failure once, at once, although the other runs of its cohort still train."""
    if writer.is_stopped(spec.key):
        return
    failure = blame_takeover(failure, lease)
    # A lost run's folder belongs to another process; one that is trained again has its result.
    if failure.kind is not FailureKind.LOST and spec.key not in context.again:
        write_failure(context.runs, spec, failure.kind, failure.message, failure.trace)
    writer.stop(spec.key)


def _cohort_title(specs: Sequence[RunSpec]) -> str:
    """Return the name of a cohort for its progress bar."""
    if len(specs) == 1:
        return specs[0].name
    return f"{specs[0].dataset} seed {specs[0].seed}: {len(specs)} runs side by side"

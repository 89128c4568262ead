"""Training loop: a cohort of runs on one data stream with one frozen teacher.

Every run has its own network, adapters, optimiser and scaler, and nothing random passes from one to
the next, so that a run's numbers do not depend on the other runs of its cohort. A run that fails
leaves the cohort; the others continue.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from harness.core.progress import ProgressCallback, ignore_progress
from harness.core.seeding import derive_seed
from harness.core.signals import StopRequest
from harness.data.batches import BatchStream, RawBatch
from harness.models import EnsembleTeacher, ReIDNetwork, as_float32
from harness.runs.spec import Recipe, RunSpec
from harness.training.failures import DivergedError, RunFailure, capture_failure
from harness.training.lr_schedule import learning_rate
from harness.training.objective import supervised_loss
from harness.training.state import TrainingRun
from methods import Outputs

AUTOCAST = {"bf16": torch.bfloat16, "fp16": torch.float16}
CURVE_ROWS_PER_EPOCH = 10


def ignore_failure(spec: RunSpec, failure: RunFailure) -> None:
    """Do nothing: `on_failure` for callers that only read the returned failures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopContext:
    """Everything that the training loop needs in addition to the runs.

    Attributes:
        stream: Batches of the supervised losses.
        distillation_stream: Batches of the methods' losses, if they have their own.
        recipe: Precision, losses and learning rate.
        device: Device of the networks.
        stop: Read between two steps.
        workers: Threads that read batches ahead.
        checkpoint_seconds: Seconds between two checkpoints.
        on_step: Called after every step.
        on_failure: Called with a run that failed, at the end of the step in which it did.
    """

    stream: BatchStream
    distillation_stream: BatchStream | None = None
    recipe: Recipe
    device: torch.device
    stop: StopRequest
    workers: int = 1
    checkpoint_seconds: float = 300.0
    on_step: ProgressCallback = ignore_progress
    on_failure: Callable[[RunSpec, RunFailure], object] = ignore_failure


@dataclass(frozen=True, slots=True)
class TeacherBatch:
    """Batch with the teacher's outputs for it.

    Attributes:
        images: (B, 3, H, W) float32, at the student's size.
        labels: (B,) int64.
        outputs: The teacher's outputs for them at its own size, float32.
        is_separate: Whether the supervised losses see another batch.
    """

    images: Tensor
    labels: Tensor
    outputs: Outputs
    is_separate: bool


def train(
    training_runs: Sequence[TrainingRun],
    teacher: ReIDNetwork | EnsembleTeacher | None,
    context: LoopContext,
) -> dict[str, RunFailure]:
    """Train every run of a cohort to the last step.

    Args:
        training_runs: The runs, which are changed in place. Resumed ones may be at different steps.
        teacher: The frozen teacher; None for a cohort without distillation.
        context: Data, device and callbacks.

    Returns:
        The failures by key of the runs that did not reach the last step.

    Raises:
        RunInterrupted: A stop was requested; all runs are saved.
    """
    active, failures = list(training_runs), dict[str, RunFailure]()
    total = context.stream.steps
    first_step = min((run.step for run in active), default=total)
    last_save = time.monotonic()
    for step, batch, distillation_batch in _iterate_batches(context, first_step):
        images, labels = batch.to(context.device)
        # A process that is killed while it saves leaves runs at different steps. Those ahead wait
        # for the others, so that each run sees every batch once.
        due = [run for run in active if run.step == step]
        teacher_batch = None
        if teacher is not None and any(run.method is not None for run in due):
            seen = (images, labels) if distillation_batch is None else None
            teacher_batch = _run_teacher(teacher, distillation_batch or batch, seen, context)
        for run in due:
            update = partial(_update, run, images, labels, teacher_batch, context)
            if failure := capture_failure(update):
                failures[run.spec.key] = failure
        # Read once: if a signal arrived between the decision to save and the decision to stop, the
        # loop would stop without having saved.
        is_stopping = context.stop.requested
        if is_stopping or time.monotonic() - last_save >= context.checkpoint_seconds:
            _save(active, failures)
            last_save = time.monotonic()
        for run in active:
            if (failure := failures.get(run.spec.key)) is not None:
                context.on_failure(run.spec, failure)
        active = [run for run in active if run.spec.key not in failures]
        if not active:
            break
        context.on_step(step + 1, total, _describe_loss(active))
        if is_stopping:
            context.stop.raise_if_requested()
    return failures


def compute_outputs(
    network: ReIDNetwork | EnsembleTeacher, images: Tensor, context: LoopContext
) -> Outputs:
    """Run a network in the recipe's precision and return its outputs in float32.

    Args:
        network: The network, in the mode of the caller's choice.
        images: (B, 3, H, W) float32.
        context: Its recipe and device.
    """
    dtype = AUTOCAST.get(context.recipe.precision)
    with torch.autocast(context.device.type, dtype=dtype, enabled=dtype is not None):
        outputs = network(images)
    return as_float32(outputs)


def _iterate_batches(
    context: LoopContext, first_step: int
) -> Iterator[tuple[int, RawBatch, RawBatch | None]]:
    """Yield the steps with their batch, and that of the methods' losses if it is another."""
    batches = context.stream.iterate(first_step, context.workers)
    if context.distillation_stream is None:
        yield from ((step, batch, None) for step, batch in batches)
        return
    others = context.distillation_stream.iterate(first_step, context.workers)
    for (step, batch), (_, other) in zip(batches, others, strict=False):
        yield step, batch, other


def _run_teacher(
    teacher: ReIDNetwork | EnsembleTeacher,
    batch: RawBatch,
    seen: tuple[Tensor, Tensor] | None,
    context: LoopContext,
) -> TeacherBatch:
    """Run the frozen teacher once for all runs of the cohort, on images of its own size.

    Args:
        teacher: The teacher.
        batch: The batch of the methods' losses.
        seen: Its images and labels if the supervised losses see them, too; None if the batch is
            a separate one.
        context: Device and recipe.
    """
    images, labels = seen or batch.to(context.device)
    own_images = batch.teacher_images(context.device)
    with torch.no_grad():
        outputs = compute_outputs(
            teacher.eval(), images if own_images is None else own_images, context
        )
    return TeacherBatch(images, labels, outputs, is_separate=seen is None)


def _update(
    run: TrainingRun,
    images: Tensor,
    labels: Tensor,
    teacher_batch: TeacherBatch | None,
    context: LoopContext,
) -> None:
    """Do one step of one run: forward pass, losses, backward pass, SGD."""
    start, step, spec = time.perf_counter(), run.step, run.spec
    rate = learning_rate(context.recipe, step, context.stream.steps_per_epoch)
    # For methods that draw random numbers: the same ones whichever runs were updated before.
    torch.manual_seed(derive_seed("step", spec.seed, spec.method, step))
    outputs = compute_outputs(run.network.train(), images, context)
    losses = supervised_loss(outputs, labels, context.recipe)
    if run.method is not None and teacher_batch is not None:
        if teacher_batch.is_separate:
            outputs = compute_outputs(run.network, teacher_batch.images, context)
        loss = run.method(outputs, teacher_batch.outputs, teacher_batch.labels)
        losses["distillation"] = run.method.weight * loss
    total = torch.stack(list(losses.values())).sum()
    if not bool(total.isfinite()):
        values = ", ".join(f"{name} {value.item():.4g}" for name, value in losses.items())
        raise DivergedError(f"The loss is not finite at step {step + 1}: {values}.")
    for group in run.optimiser.param_groups:
        group["lr"] = rate
    run.optimiser.zero_grad(set_to_none=True)
    run.scaler.scale(total).backward()  # type: ignore[no-untyped-call]
    run.scaler.step(run.optimiser)
    run.scaler.update()
    run.step += 1
    run.seconds += time.perf_counter() - start
    if step % max(1, context.stream.steps_per_epoch // CURVE_ROWS_PER_EPOCH) == 0:
        parts = {name: value.item() for name, value in losses.items()}
        run.curve.append({"step": step + 1, "lr": rate, "loss": total.item(), **parts})


def _save(runs: Sequence[TrainingRun], failures: dict[str, RunFailure]) -> None:
    """Save every run that has not failed; a run that cannot be saved has failed."""
    for run in runs:
        if run.spec.key not in failures and (failure := capture_failure(run.save)):
            failures[run.spec.key] = failure


def _describe_loss(runs: Sequence[TrainingRun]) -> str:
    """Return the cohort's mean loss at its last recorded steps, for the progress bar."""
    losses = [run.curve[-1]["loss"] for run in runs if run.curve]
    return f"loss {sum(losses) / len(losses):.2f}" if losses else ""

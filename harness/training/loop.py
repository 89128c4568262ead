"""The one training loop: a cohort of runs on one data stream behind one frozen teacher.

Every run has its own network, adapters, optimiser and scaler, and nothing random passes from one to
the next, so that a run's numbers do not depend on its company. A run that fails leaves; the others
go on.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import repeat

import torch
from torch import Tensor

from harness.core.errors import RunInterrupted
from harness.core.lease import LeaseLostError
from harness.core.seeding import derive_seed
from harness.core.signals import StopRequest
from harness.data.batches import BatchStream
from harness.models import EnsembleTeacher, ReIDNetwork, as_float32
from harness.runs.spec import Recipe, RunSpec
from harness.runs.states import FailureKind
from harness.training.lr_schedule import learning_rate
from harness.training.objective import supervised_loss
from harness.training.state import TrainingRun
from methods import Outputs

AUTOCAST = {"bf16": torch.bfloat16, "fp16": torch.float16}
CURVE_ROWS_PER_EPOCH = 10


class DivergedError(Exception):
    """A loss or a weight is no longer a number."""


@dataclass(frozen=True, slots=True)
class RunFailure:
    """Reason for which a run left its cohort."""

    kind: FailureKind
    message: str
    trace: str


@dataclass(frozen=True, slots=True)
class LoopContext:
    """What the loop needs besides the runs: the data, the device and how to behave on it."""

    stream: BatchStream
    distillation_stream: (
        BatchStream | None
    )  # for the methods' losses, where they have batches of their own
    recipe: Recipe
    device: torch.device
    stop: StopRequest
    workers: int = 1
    interval: float = 300.0  # seconds between checkpoints
    on_step: Callable[[int, int, str], None] = lambda _done, _total, _note: None
    on_failure: Callable[[RunSpec, RunFailure], object] = lambda _spec, _failure: (
        None
    )  # told at once


@dataclass(frozen=True, slots=True)
class TeacherBatch:
    """What the teacher says about a batch; `own`: the objective sees another batch."""

    images: Tensor
    labels: Tensor
    outputs: Outputs
    is_separate: bool


def train(
    training_runs: Sequence[TrainingRun],
    teacher: ReIDNetwork | EnsembleTeacher | None,
    loop: LoopContext,
) -> dict[str, RunFailure]:
    """Bring every trainee to the last step; return, by key, those that did not get there.

    Raises:
        InterruptedRunError: a stop was requested; all trainees are saved.
    """
    going, failures = list(training_runs), {}
    saved, stream = time.monotonic(), loop.stream
    start = min((training_run.step for training_run in going), default=stream.steps)
    others = (
        loop.distillation_stream.iterate(start, loop.workers)
        if loop.distillation_stream
        else repeat(None)
    )
    for (step, raw), other in zip(stream.iterate(start, loop.workers), others, strict=False):
        images, labels = raw.to(loop.device)
        active = [
            training_run for training_run in going if training_run.step == step
        ]  # others are ahead
        lesson = None
        if teacher is not None and any(training_run.method for training_run in active):
            shown = other[1].to(loop.device) if other else (images, labels)
            with torch.no_grad():
                taught = _outputs(teacher.eval(), shown[0], loop)
            lesson = TeacherBatch(*shown, taught, is_separate=other is not None)
        for training_run in active:
            if failure := capture_failure(
                partial(_update, training_run, images, labels, lesson, loop)
            ):
                failures[training_run.spec.key] = failure
        stopping = loop.stop.requested  # read once: what is left after this step is on disk
        if stopping or time.monotonic() - saved >= loop.interval:
            _save(going, failures)
            saved = time.monotonic()
        for training_run in going:
            if (failure := failures.get(training_run.spec.key)) is not None:
                loop.on_failure(training_run.spec, failure)
        going = [training_run for training_run in going if training_run.spec.key not in failures]
        if not going:
            break
        loop.on_step(step + 1, stream.steps, _note(going))
        if stopping:
            loop.stop.raise_if_requested()
    return failures


def capture_failure(work: Callable[[], object]) -> RunFailure | None:
    """Do what belongs to one run alone; whatever goes wrong is its failure and nobody else's."""
    try:
        work()
    except RunInterrupted:
        raise
    except DivergedError as error:
        return RunFailure(FailureKind.DIVERGED, str(error), "")
    except LeaseLostError as error:
        return RunFailure(FailureKind.LOST, str(error), "")
    except (torch.OutOfMemoryError, MemoryError) as error:
        return RunFailure(FailureKind.MEMORY, f"Out of memory: {error}", traceback.format_exc())
    except OSError as error:
        return RunFailure(FailureKind.DISK, f"{error}", traceback.format_exc())
    except Exception as error:
        message = f"{type(error).__name__}: {error}"
        return RunFailure(FailureKind.ERROR, message, traceback.format_exc())
    return None


def _outputs(network: ReIDNetwork | EnsembleTeacher, images: Tensor, loop: LoopContext) -> Outputs:
    """A forward pass in the recipe's precision, handed on in float32."""
    dtype = AUTOCAST.get(loop.recipe.precision)
    with torch.autocast(loop.device.type, dtype=dtype, enabled=dtype is not None):
        outputs = network(images)
    return as_float32(outputs)


def _update(
    training_run: TrainingRun,
    images: Tensor,
    labels: Tensor,
    lesson: TeacherBatch | None,
    loop: LoopContext,
) -> None:
    """One step of one run: forward, losses, backward, SGD."""
    began, step, spec = time.perf_counter(), training_run.step, training_run.spec
    rate = learning_rate(loop.recipe, step, loop.stream.steps_per_epoch)
    torch.manual_seed(derive_seed("step", spec.seed, spec.method, step))  # for methods that draw
    outputs = _outputs(training_run.network.train(), images, loop)
    parts = supervised_loss(outputs, labels, loop.recipe)
    if training_run.method is not None and lesson is not None:
        if lesson.is_separate:
            outputs = _outputs(training_run.network, lesson.images, loop)
        loss = training_run.method(outputs, lesson.outputs, lesson.labels)
        parts["distillation"] = training_run.method.weight * loss
    loss = torch.stack(list(parts.values())).sum()
    if not bool(loss.isfinite()):
        values = ", ".join(f"{name} {value.item():.4g}" for name, value in parts.items())
        raise DivergedError(f"The loss is not finite at step {step + 1}: {values}.")
    for group in training_run.optimiser.param_groups:
        group["lr"] = rate
    training_run.optimiser.zero_grad(set_to_none=True)
    training_run.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
    training_run.scaler.step(training_run.optimiser)
    training_run.scaler.update()
    training_run.step += 1
    training_run.seconds += time.perf_counter() - began
    if step % max(1, loop.stream.steps_per_epoch // CURVE_ROWS_PER_EPOCH) == 0:
        losses = {name: value.item() for name, value in parts.items()}
        training_run.curve.append({"step": step + 1, "lr": rate, "loss": loss.item(), **losses})


def _save(training_runs: Sequence[TrainingRun], failures: dict[str, RunFailure]) -> None:
    for training_run in training_runs:
        if training_run.spec.key not in failures and (
            failure := capture_failure(training_run.save)
        ):
            failures[training_run.spec.key] = failure


def _note(training_runs: Sequence[TrainingRun]) -> str:
    losses = [
        training_run.curve[-1]["loss"] for training_run in training_runs if training_run.curve
    ]
    return f"loss {sum(losses) / len(losses):.2f}" if losses else ""

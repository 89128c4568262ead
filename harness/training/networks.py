"""Build students, load trained networks, and run the frozen teacher."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import torch

from harness.core.errors import SetupError
from harness.core.lease import Lease
from harness.core.seeding import seeded_rng
from harness.core.session import RunContext
from harness.data.batches import PREPARE_BATCH, unaugmented_batches
from harness.data.images import OpenedDataset
from harness.models import EnsembleTeacher, ReIDNetwork, as_float32, build_network
from harness.plugins.lookup import resolve_method
from harness.runs.layout import MODEL
from harness.runs.record import read_record
from harness.runs.spec import RunSpec
from harness.training.prepare import prepare_method
from harness.training.state import TrainingRun, weights_sha256
from methods import Outputs, create


def load_network(spec: RunSpec, data: OpenedDataset, context: RunContext) -> ReIDNetwork:
    """The trained network of a run that is done, on the device, in evaluation mode.

    Raises:
        SetupError: its files are absent or are not those that its record speaks of.
    """
    record = read_record(context.runs, spec)
    path = context.runs / spec.key / MODEL
    network = _network(spec, data)
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError) as error:
        raise SetupError(
            f"{path} cannot be read ({error}). Remove the folder to train it again."
        ) from error
    if weights_sha256(state) != record["result"]["model"]:
        raise SetupError(
            f"{path} is not what its record describes. Remove the folder to train it again."
        )
    network.load_state_dict(state)
    return network.to(context.device).eval()


def load_teacher(
    teachers: Sequence[RunSpec], data: OpenedDataset, context: RunContext
) -> ReIDNetwork | EnsembleTeacher | None:
    """The frozen teacher: one network, or several that speak by the mean of their logits."""
    members = [load_network(spec, data, context) for spec in teachers]
    return EnsembleTeacher(members).eval() if len(members) > 1 else next(iter(members), None)


def start_training_run(
    spec: RunSpec,
    lease: Lease,
    teacher: ReIDNetwork | EnsembleTeacher | None,
    data: OpenedDataset,
    context: RunContext,
) -> TrainingRun:
    """A run as it starts, or as its checkpoint left it."""
    weights = (
        context.pretrained_files.get(spec.network) if spec.recipe.pretrained != "none" else None
    )
    network = _network(spec, data, weights).to(context.device)
    method, prepared = None, frozenset[str]()
    if spec.teachers and teacher is not None:
        with seeded_rng("adapters", spec.seed, spec.method):
            kind = resolve_method(spec.method)
            method = create(kind, network.widths, teacher.widths, dict(spec.options))
        method.to(context.device)
        folder = context.runs / spec.teachers[0].key
        widths = (network.widths, teacher.widths)
        batches = partial(_teacher_batches, teacher, data, context)
        prepared = prepare_method(method, spec, widths, folder, batches)
    trained = [*network.parameters(), *(method.parameters() if method else [])]
    optimiser = torch.optim.SGD(
        [parameter for parameter in trained if parameter.requires_grad],
        lr=spec.recipe.lr,
        momentum=spec.recipe.momentum,
        weight_decay=spec.recipe.weight_decay,
    )
    scaler = torch.amp.GradScaler(context.device.type, enabled=spec.recipe.precision == "fp16")
    folder = context.runs / spec.key
    training_run = TrainingRun(spec, folder, lease, network, method, optimiser, scaler, prepared)
    training_run.restore()
    return training_run


def _network(spec: RunSpec, data: OpenedDataset, weights: Path | None = None) -> ReIDNetwork:
    """The network of a run as it starts."""
    return build_network(
        spec.network,
        spec.head,
        len(data.dataset.identities),
        seed=spec.seed,
        weights=weights,
        last_stride=spec.recipe.last_stride,
        stem=spec.recipe.stem,
    )


def _teacher_batches(
    teacher: ReIDNetwork | EnsembleTeacher, data: OpenedDataset, context: RunContext
) -> Iterator[Outputs]:
    """The frozen teacher over the un-augmented training set, in order."""
    batches = unaugmented_batches(data.train, context.device, PREPARE_BATCH)
    total = math.ceil(len(data.train) / PREPARE_BATCH)
    with context.reporter.task("preparing on the teacher") as progress:
        for number, images in enumerate(batches, 1):
            context.stop.raise_if_requested()
            with torch.no_grad():
                outputs = as_float32(teacher(images))
            yield outputs  # outside the block, which would otherwise hold for whoever asks
            progress(number, total)

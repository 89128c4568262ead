"""Build students, load trained networks, and run the frozen teacher."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from harness.core.errors import DamagedFileError, SetupError
from harness.core.file_errors import damaged_file
from harness.core.files import file_exists
from harness.core.lease import Lease
from harness.core.seeding import seeded_rng
from harness.core.session import RunContext
from harness.data.images import OpenedDataset
from harness.models import EnsembleTeacher, ReIDNetwork, build_network
from harness.models.architectures import architecture_digest
from harness.plugins.lookup import resolve_method
from harness.runs.layout import MODEL, PREPARED
from harness.runs.record import read_record
from harness.runs.replacement import output_folder
from harness.runs.spec import RunSpec
from harness.training.failures import TeacherUnusableError
from harness.training.prepare import prepare_method
from harness.training.prepared_folder import PreparedFolder
from harness.training.run_warnings import preparation_report
from harness.training.state import TrainingRun, read_state, weights_sha256
from harness.training.teacher_batches import TeacherBatches
from methods import create


def load_network(spec: RunSpec, data: OpenedDataset, context: RunContext) -> ReIDNetwork:
    """Load the trained network of a finished run, in evaluation mode on the context's device.

    Raises:
        SetupError: The run's files are missing or are not those that its record describes.
    """
    record = read_record(context.runs, spec)
    path = context.runs / spec.key / MODEL
    network = _build(spec, data)
    again = f"To train the run again, remove {path.parent} and repeat the command that made it."
    if not file_exists(path):
        raise SetupError(f"There is no {path}. {again}")
    try:
        state = read_state(path)
        if not all(isinstance(value, torch.Tensor) for value in state.values()):
            raise damaged_file(path, "it does not hold a network")
        digest = weights_sha256(state)
    except DamagedFileError as error:
        message = f"{path} is damaged ({error.reason}). {again}"
        raise DamagedFileError(path, message, error.reason) from error
    if digest != record["result"]["model"]:
        raise SetupError(f"{path} is not what its record describes. {again}")
    network.load_state_dict(state)
    return network.to(context.device).eval()


def load_teacher(
    teachers: Sequence[RunSpec], data: OpenedDataset, context: RunContext
) -> ReIDNetwork | EnsembleTeacher | None:
    """Load the frozen teacher of a cohort: a network, an ensemble of several, or None.

    Raises:
        TeacherUnusableError: A teacher is not done, or its files are not those that its record
            describes.
    """
    try:
        networks = [load_network(spec, data, context) for spec in teachers]
    except SetupError as error:
        raise TeacherUnusableError(f"The teacher cannot be used: {error}") from error
    return EnsembleTeacher(networks).eval() if len(networks) > 1 else next(iter(networks), None)


def start_training_run(
    spec: RunSpec,
    lease: Lease,
    teacher: ReIDNetwork | EnsembleTeacher | None,
    data: OpenedDataset,
    context: RunContext,
) -> TrainingRun:
    """Build a run's network, method and optimiser, and restore its checkpoint if there is one.

    Args:
        spec: The run.
        lease: This process's lease on it.
        teacher: The frozen teacher; not used by a run without one.
        data: The dataset, which a method's `prepare` may read.
        context: The runs folder, the device and the files of initial weights.

    Raises:
        SetupError: The initial weights cannot be loaded, or the checkpoint cannot be read.
    """
    network = _build(spec, data, _initial_weights(spec, context)).to(context.device)
    method, prepared = None, frozenset[str]()
    if spec.teachers and teacher is not None:
        # Seeded by method, so that adapters start alike whichever runs were built before.
        with seeded_rng("adapters", spec.seed, spec.method):
            method_class = resolve_method(spec.method)
            method = create(method_class, network.widths, teacher.widths, dict(spec.options))
        method.to(context.device)
        widths = (network.widths, teacher.widths)
        batches = TeacherBatches(teacher, data.train_for_teacher, context)
        prepared = prepare_method(method, spec, widths, _prepared_folder(spec, context), batches)
        for warning in preparation_report(method).warnings:
            context.reporter.info(f"warning: {spec.key}: {warning}")
    parameters = [*network.parameters(), *(method.parameters() if method else [])]
    optimiser = torch.optim.SGD(
        [parameter for parameter in parameters if parameter.requires_grad],
        lr=spec.recipe.lr,
        momentum=spec.recipe.momentum,
        weight_decay=spec.recipe.weight_decay,
    )
    scaler = torch.amp.GradScaler(context.device.type, enabled=spec.recipe.precision == "fp16")
    folder = output_folder(context.runs, spec.key, context.again)
    run = TrainingRun(spec, folder, lease, network, method, optimiser, scaler, prepared)
    run.teacher_weights = _teacher_weights(spec, context)
    run.restore(context.reporter.info)
    return run


def _prepared_folder(spec: RunSpec, context: RunContext) -> PreparedFolder:
    """Return where methods store what they compute from the teacher of a run."""
    return PreparedFolder(
        path=context.runs / spec.teachers[0].key / PREPARED,
        teachers=_teacher_weights(spec, context),
        report=context.reporter.info,
        before_poll=context.stop.raise_if_requested,
    )


def _teacher_weights(spec: RunSpec, context: RunContext) -> tuple[str, ...]:
    """Return the digests of the weights of a run's teachers, which `load_network` has compared."""
    records = [read_record(context.runs, teacher) for teacher in spec.teachers]
    return tuple(str(record["result"]["model"]) for record in records)


def _initial_weights(spec: RunSpec, context: RunContext) -> Path | None:
    """Return the file of weights that a run starts from; None for random ones.

    Raises:
        SetupError: The run's key contains a file that is not known here.
    """
    if spec.recipe.pretrained == "none":
        return None
    weights = context.pretrained_files.get(spec.network)
    if weights is None and spec.weights != "none":  # random ones would make another run
        raise SetupError(
            f"{spec.key} starts from weights of {spec.network} with the digest {spec.weights}, but "
            f"their file is not known. Plan the run again with --weights {spec.network}=FILE."
        )
    return weights


def _build(spec: RunSpec, data: OpenedDataset, weights: Path | None = None) -> ReIDNetwork:
    """Build a run's network as its training starts.

    Raises:
        SetupError: The present code builds another network than the run's, or the weights do not
            fit.
    """
    recipe = spec.recipe
    present = architecture_digest(spec.network, spec.head, recipe.last_stride, recipe.stem)
    if present != spec.architecture:
        raise SetupError(
            f"The code of {spec.network} does not compute what it did when {spec.key} was planned. "
            "Go back to that code, or plan the runs again with kdreid run."
        )
    return build_network(
        spec.network,
        spec.head,
        len(data.dataset.identities),
        seed=spec.seed,
        weights=weights,
        last_stride=spec.recipe.last_stride,
        stem=spec.recipe.stem,
    )

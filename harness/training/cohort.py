"""Carry out one cohort: build, prepare, train, evaluate, record. The one impure function.

Whatever it does is under the leases of the runs it was given; whatever it leaves is on disk.
"""

from __future__ import annotations

import csv
import io
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import torch

from harness.core.errors import SetupError
from harness.core.files import write_atomically
from harness.core.lease import Lease
from harness.core.memory import peak, reset_peak
from harness.core.progress import Reporter
from harness.core.seeding import seeded
from harness.core.signals import Stop
from harness.data.batches import PREPARE_BATCH, Stream, plain_batches
from harness.data.dataset import Dataset
from harness.data.images import Pixels
from harness.evaluation.scoring import score, tie_notes
from harness.models import Joined, ReID, as_float32, build
from harness.plugins.lookup import method_class
from harness.runs.record import CURVE, MODEL, PER_QUERY, read_record, write_failure, write_record
from harness.runs.spec import SCORING_VERSION, RunSpec
from harness.training.environment import commit, describe
from harness.training.loop import CURVE_ROWS_PER_EPOCH, DivergedError, Failure, Loop, guarded, train
from harness.training.prepare import prepare
from harness.training.progress_file import Pace
from harness.training.recording import tally
from harness.training.state import Trainee, save_model, weights_sha256
from methods import Outputs, create


@dataclass(frozen=True)
class Session:
    """What all cohorts of one process share; none of it can change a number."""

    runs: Path
    device: torch.device
    stop: Stop
    reporter: Reporter
    weights: Mapping[str, Path]  # ImageNet weights by network
    workers: int = 1
    interval: float = 300.0  # seconds between checkpoints


@dataclass(frozen=True)
class Data:
    """A dataset with its decoded pixels."""

    dataset: Dataset
    train: Pixels
    test: Pixels


def execute(
    members: Sequence[RunSpec], leases: Mapping[str, Lease], data: Data, session: Session
) -> dict[str, Failure]:
    """Train and score the runs of a cohort; return, by key, those that failed.

    Raises:
        InterruptedRunError: a stop was requested; what was reached is on disk.
        SetupError: the cohort cannot start at all, for example without its teacher.
    """
    began, recipe, seed = time.monotonic(), members[0].recipe, members[0].seed
    commit()  # as the code is now; files may be edited while it trains
    reset_peak(session.device)
    teachers = next((spec.teachers for spec in members if spec.teachers), ())
    teacher = load_teacher(teachers, data, session)
    stream = Stream(data.dataset, data.train, recipe, seed)
    second = None
    if teacher is not None and recipe.distillation_batches == "separate":
        second = Stream(data.dataset, data.train, recipe, seed, "distillation")
    trainees: list[Trainee] = []
    failures: dict[str, Failure] = {}

    def enter(spec: RunSpec) -> None:
        trainees.append(build_trainee(spec, leases[spec.key], teacher, data, session))

    for spec in members:
        session.stop.check()
        if failure := guarded(partial(enter, spec)):
            failures[spec.key] = failure
    prepared = time.monotonic()
    with session.reporter.task(_title(members)) as progress:
        pace = Pace(trainees, progress)
        loop = Loop(
            stream,
            second,
            recipe,
            session.device,
            session.stop,
            session.workers,
            session.interval,
            pace,
            lambda *who: guarded(partial(_leave, pace, session, *who)),
        )
        left, timings = _train(trainees, teacher, loop)
    failures |= left
    timings["preparing"] = prepared - began
    going = [trainee for trainee in trainees if trainee.spec.key not in failures]
    with session.reporter.task("scoring") as progress:
        for number, trainee in enumerate(going, 1):
            finish = partial(_finish, trainee, data, session, timings, len(members))
            if failure := guarded(finish):
                failures[trainee.spec.key] = failure
            progress(number, len(going), "")
    for spec in members:
        if (failure := failures.get(spec.key)) and not pace.left(spec.key):
            _leave(pace, session, spec, failure)
    return failures


def _leave(pace: Pace, session: Session, spec: RunSpec, failure: Failure) -> None:
    """Say on disk that a run failed, as soon as it has, however long its company goes on."""
    if failure.kind != "lost":
        write_failure(session.runs, spec, failure.kind, failure.message, failure.trace)
    pace.leave(spec.key)


def load_network(spec: RunSpec, data: Data, session: Session) -> ReID:
    """The trained network of a run that is done, on the device, in evaluation mode.

    Raises:
        SetupError: its files are absent or are not those that its record speaks of.
    """
    record = read_record(session.runs, spec)
    path = session.runs / spec.key / MODEL
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
    return network.to(session.device).eval()


def load_teacher(teachers: Sequence[RunSpec], data: Data, session: Session) -> ReID | Joined | None:
    """The frozen teacher: one network, or several that speak by the mean of their logits."""
    members = [load_network(spec, data, session) for spec in teachers]
    return Joined(members).eval() if len(members) > 1 else next(iter(members), None)


def rescore(spec: RunSpec, data: Data, session: Session) -> None:
    """Score a finished run's network again, by the present version of the protocol."""
    record = read_record(session.runs, spec)
    network = load_network(spec, data, session)
    per_query = session.runs / spec.key / PER_QUERY
    evaluations = score(network, data.dataset, data.test, session.device, per_query)
    record["result"]["evaluations"] = evaluations
    notes = [*data.dataset.notes, *tie_notes(spec.key, evaluations)]
    write_record(session.runs, spec, record | {"scoring_version": SCORING_VERSION, "notes": notes})


def build_trainee(
    spec: RunSpec, lease: Lease, teacher: ReID | Joined | None, data: Data, session: Session
) -> Trainee:
    """A run as it starts, or as its checkpoint left it."""
    weights = session.weights.get(spec.network) if spec.recipe.pretrained != "none" else None
    network = _network(spec, data, weights).to(session.device)
    method, prepared = None, frozenset[str]()
    if spec.teachers and teacher is not None:
        with seeded("adapters", spec.seed, spec.method):
            kind = method_class(spec.method)
            method = create(kind, network.widths, teacher.widths, dict(spec.options))
        method.to(session.device)
        folder = session.runs / spec.teachers[0].key
        widths = (network.widths, teacher.widths)
        batches = partial(_teacher_batches, teacher, data, session)
        prepared = prepare(method, spec, widths, folder, batches)
    trained = [*network.parameters(), *(method.parameters() if method else [])]
    optimiser = torch.optim.SGD(
        [parameter for parameter in trained if parameter.requires_grad],
        lr=spec.recipe.lr,
        momentum=spec.recipe.momentum,
        weight_decay=spec.recipe.weight_decay,
    )
    scaler = torch.amp.GradScaler(session.device.type, enabled=spec.recipe.precision == "fp16")
    folder = session.runs / spec.key
    trainee = Trainee(spec, folder, lease, network, method, optimiser, scaler, prepared)
    trainee.restore()
    return trainee


def _network(spec: RunSpec, data: Data, weights: Path | None = None) -> ReID:
    """The network of a run as it starts."""
    return build(
        spec.network,
        spec.head,
        len(data.dataset.identities),
        seed=spec.seed,
        weights=weights,
        last_stride=spec.recipe.last_stride,
        stem=spec.recipe.stem,
    )


def _teacher_batches(teacher: ReID | Joined, data: Data, session: Session) -> Iterator[Outputs]:
    """The frozen teacher over the un-augmented training set, in order."""
    batches = plain_batches(data.train, session.device, PREPARE_BATCH)
    total = math.ceil(len(data.train) / PREPARE_BATCH)
    with session.reporter.task("preparing on the teacher") as progress:
        for number, images in enumerate(batches, 1):
            session.stop.check()
            with torch.no_grad():
                outputs = as_float32(teacher(images))
            yield outputs  # outside the block, which would otherwise hold for whoever asks
            progress(number, total, "")


def _finish(
    trainee: Trainee, data: Data, session: Session, timings: dict[str, float], company: int
) -> None:
    """Score a trained run and write its record."""
    spec, folder = trainee.spec, trainee.folder
    if not all(bool(p.isfinite().all()) for p in trainee.network.parameters()):
        raise DivergedError("The weights are not finite after the last step.")
    began = time.monotonic()
    evaluations = score(
        trainee.network, data.dataset, data.test, session.device, folder / PER_QUERY
    )
    _write_curve(folder / CURVE, trainee.curve)
    trainee.lease.check()
    result = {
        "steps": trainee.step,
        "model": save_model(folder / MODEL, trainee.network),
        "evaluations": evaluations,
    }
    method = method_class(spec.method)
    taught = [read_record(session.runs, t)["result"]["model"] for t in spec.teachers]
    content = {
        "label": method.label,
        "result": result,
        "scoring_version": SCORING_VERSION,
        "curve": {"file": CURVE, "thinned": trainee.curve[::CURVE_ROWS_PER_EPOCH]},
        "environment": describe(session.device, data.dataset.root),
        "timings": timings
        | {"training": trainee.seconds, "scoring": time.monotonic() - began, "cohort": company},
        "teachers": taught,  # digests of the weights that taught this run
        "memory": peak(session.device),  # of the whole cohort
        **tally(trainee, data.dataset),
        "paper": asdict(method.paper) if method.paper else None,
        "notes": [*data.dataset.notes, *tie_notes(spec.key, evaluations)],
    }
    write_record(session.runs, spec, content)


def _write_curve(path: Path, curve: list[dict[str, float]]) -> None:
    text = io.StringIO()
    columns = list(dict.fromkeys(name for row in curve for name in row))
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    writer.writerows(curve)
    write_atomically(path, lambda file: file.write(text.getvalue().encode()))


def _train(
    trainees: Sequence[Trainee], teacher: ReID | Joined | None, loop: Loop
) -> tuple[dict[str, Failure], dict[str, float]]:
    """Train a cohort; who failed, and the seconds and steps since this start or resume."""
    began, steps = time.monotonic(), loop.stream.steps
    start = min((trainee.step for trainee in trainees), default=steps)
    before = sum(trainee.seconds for trainee in trainees)
    failures = train(trainees, teacher, loop)
    return failures, {
        "training_cohort": time.monotonic() - began,
        "training_own": sum(trainee.seconds for trainee in trainees) - before,
        "steps": steps - start,
    }


def _title(members: Sequence[RunSpec]) -> str:
    """How progress names a cohort."""
    if len(members) == 1:
        return members[0].name
    return f"{members[0].dataset} seed {members[0].seed}: {len(members)} runs side by side"

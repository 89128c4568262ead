"""What a record tells beside scores: parameters, operations, images, options in force."""

from __future__ import annotations

import csv
import io
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import nn

from harness.core.files import atomic_write
from harness.core.memory import peak_memory
from harness.core.session import RunContext
from harness.data.dataset import Dataset
from harness.data.images import OpenedDataset
from harness.evaluation.scoring import evaluate_network, tie_warnings
from harness.models.complexity import measure_complexity
from harness.plugins.lookup import resolve_method
from harness.runs.layout import CURVE, MODEL, PER_QUERY
from harness.runs.record import read_record, write_record
from harness.runs.spec import SCORING_VERSION, RunSpec
from harness.training.environment import capture_environment
from harness.training.loop import CURVE_ROWS_PER_EPOCH, DivergedError
from harness.training.state import TrainingRun, save_model
from methods import defaults, options


def record_statistics(training_run: TrainingRun, dataset: Dataset) -> dict[str, Any]:
    """The record's fields `parameters`, `operations`, `data` and `options`.

    `parameters` are the trained ones, of the network that is kept and of the adapters that are not.
    `operations` are those of one image: all parameters of the kept network, multiply-accumulates of
    its convolutions and linear layers, and these with what VRKD counts besides. `data` are the
    images that the numbers were made from. `options` are all that the method had, given or usual.
    """
    recipe = training_run.spec.recipe
    counts = measure_complexity(training_run.network, recipe.height, recipe.width)
    return {
        "parameters": {
            "network": _trained(training_run.network),
            "adapters": _trained(training_run.method) if training_run.method else 0,
        },
        "operations": {
            "parameters": counts.parameters,
            "macs": counts.macs,
            "macs_with_rest": counts.macs_with_rest,
        },
        "data": image_counts(dataset),
        "options": effective_options(training_run.spec),
    }


def effective_options(spec: RunSpec) -> dict[str, Any]:
    """Every option of a distilled run's method: the given ones, the others at their defaults."""
    if not spec.teachers:
        return {}
    kind, given = resolve_method(spec.method), dict(spec.options)
    variant = str(given.get("variant", options(kind)["variant"].default))
    return {"variant": variant, **defaults(kind, variant), **given}


def image_counts(dataset: Dataset) -> dict[str, Any]:
    """How many images and identities there are to train on, and of a draw of each evaluation."""
    first = {name: draws[0] for name, draws in dataset.test_splits.items()}
    return {
        "train_images": len(dataset.train),
        "train_identities": len(dataset.identities),
        "queries": {name: len(draw.query) for name, draw in first.items()},
        "gallery": {name: len(draw.gallery) for name, draw in first.items()},
    }


def _trained(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


def score_and_record(
    training_run: TrainingRun,
    data: OpenedDataset,
    context: RunContext,
    timings: dict[str, float],
    company: int,
) -> None:
    """Score a trained run and write its record."""
    spec, folder = training_run.spec, training_run.folder
    if not all(bool(p.isfinite().all()) for p in training_run.network.parameters()):
        raise DivergedError("The weights are not finite after the last step.")
    began = time.monotonic()
    evaluations = evaluate_network(
        training_run.network, data.dataset, data.test, context.device, folder / PER_QUERY
    )
    _write_curve(folder / CURVE, training_run.curve)
    training_run.lease.check()
    result = {
        "steps": training_run.step,
        "model": save_model(folder / MODEL, training_run.network),
        "evaluations": evaluations,
    }
    method = resolve_method(spec.method)
    taught = [read_record(context.runs, t)["result"]["model"] for t in spec.teachers]
    content = {
        "label": method.label,
        "result": result,
        "scoring_version": SCORING_VERSION,
        "curve": {"file": CURVE, "thinned": training_run.curve[::CURVE_ROWS_PER_EPOCH]},
        "environment": capture_environment(context.device, data.dataset.root),
        "timings": timings
        | {
            "training": training_run.seconds,
            "scoring": time.monotonic() - began,
            "cohort": company,
        },
        "teachers": taught,  # digests of the weights that taught this run
        "memory": peak_memory(context.device),  # of the whole cohort
        **record_statistics(training_run, data.dataset),
        "paper": asdict(method.paper) if method.paper else None,
        "data_flags": [*data.dataset.data_flags],
        "notes": [*data.dataset.notes, *tie_warnings(spec.key, evaluations)],
    }
    write_record(context.runs, spec, content)


def _write_curve(path: Path, curve: list[dict[str, float]]) -> None:
    text = io.StringIO()
    columns = list(dict.fromkeys(name for row in curve for name in row))
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    writer.writerows(curve)
    atomic_write(path, lambda file: file.write(text.getvalue().encode()))

"""Score a trained run and write its record."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator, Mapping
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
from harness.runs.origin import code_digests, describe_differences
from harness.runs.record import write_record
from harness.runs.replacement import complete_replacement
from harness.runs.spec import SCORING_VERSION, RunSpec
from harness.training.environment import capture_environment
from harness.training.failures import DivergedError
from harness.training.loop import CURVE_ROWS_PER_EPOCH
from harness.training.run_warnings import distillation_terms, preparation_report, run_warnings
from harness.training.state import TrainingRun, save_model
from methods import defaults, options


def score_and_record(
    run: TrainingRun,
    data: OpenedDataset,
    context: RunContext,
    timings: Mapping[str, float],
    cohort_size: int,
) -> None:
    """Score a trained run and write its curve, its network and its record.

    Args:
        run: The run after its last step.
        data: The dataset that it was trained on.
        context: The runs folder and the device.
        timings: Seconds and steps of the cohort.
        cohort_size: Number of runs in the cohort.

    Raises:
        DivergedError: A weight is not finite.
        LeaseLostError: Another process has taken over the run.
    """
    spec, folder = run.spec, run.folder
    # The loss of the last step was finite, but the update that followed need not be.
    if not all(bool(parameter.isfinite().all()) for parameter in run.network.parameters()):
        raise DivergedError("The weights are not finite after the last step.")
    start = time.monotonic()
    evaluations = evaluate_network(
        run.network, data.dataset, data.test, context.device, folder / PER_QUERY, run.lease.check
    )
    run.lease.check()
    _write_curve(folder / CURVE, run.curve)
    result = {
        "steps": run.step,
        "model": save_model(folder / MODEL, run.network, run.lease.check),
        "evaluations": evaluations,
    }
    own_timings = {
        "training": run.seconds,
        "scoring": time.monotonic() - start,
        "cohort": cohort_size,
    }
    content = _record_content(run, data, context, result)
    run.lease.check()
    content["timings"] = dict(timings) | own_timings
    write_record(context.runs, spec, content, folder)
    for warning in content["warnings"]:
        context.reporter.info(f"warning: {spec.key}: {warning}")
    if spec.key in context.again:
        complete_replacement(context.runs / spec.key)


def _record_content(
    run: TrainingRun, data: OpenedDataset, context: RunContext, result: dict[str, Any]
) -> dict[str, Any]:
    """Return the fields of a record except its timings."""
    spec, method = run.spec, resolve_method(run.spec.method)
    tie_notes = tie_warnings(spec.key, result["evaluations"])
    return {
        "label": method.label,
        "result": result,
        "scoring_version": SCORING_VERSION,
        "curve": {"file": CURVE, "thinned": run.curve[::CURVE_ROWS_PER_EPOCH]},
        "code": code_digests(),
        "environment": capture_environment(context.device, data.dataset.root),
        "teachers": list(run.teacher_weights),
        "memory": peak_memory(context.device),  # of the whole cohort
        **record_statistics(run, data.dataset),
        "preparation": dict(preparation_report(run.method).values),
        "distillation": distillation_terms(run.curve),
        "warnings": run_warnings(run.method, run.curve),
        "paper": asdict(method.paper) if method.paper else None,
        "data_flags": [*data.dataset.data_flags],
        "notes": [*data.dataset.notes, *tie_notes, *origin_notes(run)],
    }


def origin_notes(run: TrainingRun) -> Iterator[str]:
    """Yield a note if other code or versions made the first steps of a run."""
    if names := run.differences_of_begin():
        yield f"{run.spec.key} was begun by {describe_differences(names)} and continued."


def record_statistics(run: TrainingRun, dataset: Dataset) -> dict[str, Any]:
    """Return the record's fields about the network, the images and the options.

    Returns:
        `parameters`: number of trained parameters of the network, which is kept, and of the
        method's adapters, which are not.
        `operations`: parameters of the kept network, and its multiply-accumulates for one image:
        those of convolutions and linear layers, and these with what VRKD counts in addition.
        `data`: see `image_counts`.
        `options`: see `effective_options`.
    """
    recipe = run.spec.recipe
    complexity = measure_complexity(run.network, recipe.height, recipe.width)
    return {
        "parameters": {
            "network": _count_trained(run.network),
            "adapters": _count_trained(run.method) if run.method else 0,
        },
        "operations": {
            "parameters": complexity.parameters,
            "macs": complexity.macs,
            "macs_with_rest": complexity.macs_with_rest,
        },
        "data": image_counts(dataset),
        "options": effective_options(run.spec),
    }


def effective_options(spec: RunSpec) -> dict[str, Any]:
    """Return every option of a distilled run's method, with defaults for those not given."""
    if not spec.teachers:
        return {}
    method, given = resolve_method(spec.method), dict(spec.options)
    variant = str(given.get("variant", options(method)["variant"].default))
    return {"variant": variant, **defaults(method, variant), **given}


def image_counts(dataset: Dataset) -> dict[str, Any]:
    """Return the numbers of training images and identities, and the sizes of the test sets.

    Queries and gallery are those of each evaluation's first split.
    """
    first = {name: splits[0] for name, splits in dataset.test_splits.items()}
    return {
        "train_images": len(dataset.train),
        "train_identities": len(dataset.identities),
        "queries": {name: len(split.query) for name, split in first.items()},
        "gallery": {name: len(split.gallery) for name, split in first.items()},
    }


def _count_trained(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


def _write_curve(path: Path, curve: list[dict[str, float]]) -> None:
    text = io.StringIO()
    columns = list(dict.fromkeys(name for row in curve for name in row))
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    writer.writerows(curve)
    atomic_write(path, text.getvalue().encode())

"""What a record tells beside scores: parameters, operations, images, options in force."""

from __future__ import annotations

from typing import Any

from torch import nn

from harness.data.dataset import Dataset
from harness.models.complexity import count
from harness.plugins.lookup import method_class
from harness.runs.spec import RunSpec
from harness.training.state import Trainee
from methods import defaults, options


def tally(trainee: Trainee, dataset: Dataset) -> dict[str, Any]:
    """The record's fields `parameters`, `operations`, `data` and `options`.

    `parameters` are the trained ones, of the network that is kept and of the adapters that are not.
    `operations` are those of one image: all parameters of the kept network, multiply-accumulates of
    its convolutions and linear layers, and these with what VRKD counts besides. `data` are the
    images that the numbers were made from. `options` are all that the method had, given or usual.
    """
    recipe = trainee.spec.recipe
    counts = count(trainee.network, recipe.height, recipe.width)
    return {
        "parameters": {
            "network": _trained(trainee.network),
            "adapters": _trained(trainee.method) if trainee.method else 0,
        },
        "operations": {
            "parameters": counts.parameters,
            "macs": counts.macs,
            "macs_with_rest": counts.macs_with_rest,
        },
        "data": images(dataset),
        "options": in_force(trainee.spec),
    }


def in_force(spec: RunSpec) -> dict[str, Any]:
    """Every option of a distilled run's method: the given ones, the others at their defaults."""
    if not spec.teachers:
        return {}
    kind, given = method_class(spec.method), dict(spec.options)
    variant = str(given.get("variant", options(kind)["variant"].default))
    return {"variant": variant, **defaults(kind, variant), **given}


def images(dataset: Dataset) -> dict[str, Any]:
    """How many images and identities there are to train on, and of a draw of each evaluation."""
    first = {name: draws[0] for name, draws in dataset.evaluations.items()}
    return {
        "train_images": len(dataset.train),
        "train_identities": len(dataset.identities),
        "queries": {name: len(draw.query) for name, draw in first.items()},
        "gallery": {name: len(draw.gallery) for name, draw in first.items()},
    }


def _trained(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters() if p.requires_grad)

"""Re-identification networks: backbones, heads, ensembles and their ImageNet weights.

Networks are chosen by name from `NETWORKS`, ensembles that teach as one network from `ENSEMBLES`.
Every network maps a batch of images, (B, 3, H, W) float32 and normalised, to `methods.Outputs`:

    >>> from harness.models import build_network
    >>> network = build_network("resnet18", "bnneck", identities=751)
    >>> outputs = network(torch.rand(8, 3, 256, 128))
    >>> outputs.embedding.shape, outputs.logits.shape
    (torch.Size([8, 512]), torch.Size([8, 751]))

Everything but the names is imported when it is used, because importing torch takes seconds.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from harness.models.registry import ENSEMBLES, NETWORKS, NetworkEntry

if TYPE_CHECKING:
    from harness.models.building import build_network, check_pretrained
    from harness.models.complexity import Complexity, measure_complexity
    from harness.models.ensemble import EnsembleTeacher
    from harness.models.pretrained import (
        download_weights,
        find_weights,
        read_weights,
        torchvision_cache_path,
        weights_digest,
    )
    from harness.models.reid import HEADS, Backbone, Head, ReIDNetwork, as_float32

__all__ = [
    "ENSEMBLES",
    "HEADS",
    "NETWORKS",
    "Backbone",
    "Complexity",
    "EnsembleTeacher",
    "Head",
    "NetworkEntry",
    "ReIDNetwork",
    "as_float32",
    "build_network",
    "check_pretrained",
    "download_weights",
    "find_weights",
    "measure_complexity",
    "read_weights",
    "torchvision_cache_path",
    "weights_digest",
]

_PLACES = {
    "building": ("build_network", "check_pretrained"),
    "complexity": ("Complexity", "measure_complexity"),
    "ensemble": ("EnsembleTeacher",),
    "pretrained": (
        "download_weights",
        "find_weights",
        "read_weights",
        "torchvision_cache_path",
        "weights_digest",
    ),
    "reid": ("HEADS", "Backbone", "Head", "ReIDNetwork", "as_float32"),
}
_MODULES = {name: module for module, names in _PLACES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

"""Re-identification networks: backbones, heads, ensembles and their ImageNet weights.

Networks are chosen by name from `NETWORKS`, ensembles that teach as one network from `ENSEMBLES`.
Every network maps a batch of images, (B, 3, H, W) float32 and normalised, to `methods.Outputs`:

    >>> network = build_network("resnet18", "bnneck", identities=751)
    >>> outputs = network(torch.rand(8, 3, 256, 128))
    >>> outputs.embedding.shape, outputs.logits.shape
    (torch.Size([8, 512]), torch.Size([8, 751]))
"""

from __future__ import annotations

from pathlib import Path

import torch

from harness.core.seeding import seeded_rng
from harness.models.complexity import Complexity, measure_complexity
from harness.models.ensemble import EnsembleTeacher
from harness.models.pretrained import (
    check_weights,
    download_weights,
    find_weights,
    read_weights,
    torchvision_cache_path,
    weights_digest,
)
from harness.models.registry import ENSEMBLES, NETWORKS, NetworkEntry
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


def build_network(
    network: str,
    head: str,
    identities: int,
    *,
    last_stride: int = 1,
    stem: str = "3x3",
    seed: int = 0,
    weights: Path | None = None,
) -> ReIDNetwork:
    """Build a network as a run starts it, in training mode on the CPU.

    Args:
        network: Name in `NETWORKS`.
        head: Name in `HEADS`; ignored by networks that have a head of their own.
        identities: Number of training identities, the width of the classifier.
        last_stride: Stride of the last stage, 1 or 2. This and `stem` apply to networks of
            torchvision only (`NetworkEntry.is_adjustable`).
        stem: Max pooling of the stem, "3x3" as in torchvision or "2x2".
        seed: Seed of the initial weights. They depend on nothing else than the seed, the network
            and the head; the global random state is left as it was.
        weights: File with torchvision's ImageNet weights for the backbone, see `find_weights`. The
            head always starts from random weights.

    Raises:
        KeyError: The network or the head is unknown.
        SetupError: The file is not readable, or its weights do not fit the network.
    """
    entry = NETWORKS[network]
    options = {"last_stride": last_stride, "stem": stem} if entry.is_adjustable else {}
    with seeded_rng("initial weights", seed, network, head):
        backbone = entry.backbone(**options)
        model = ReIDNetwork(backbone, (entry.head or HEADS[head])(backbone.widths[-1], identities))
    if weights is not None:
        model.backbone.load_pretrained(check_weights(weights, network, model.backbone))
    return model


def check_pretrained(network: str, weights: Path) -> None:
    """Check that a network can start from a file, without building it in memory.

    Args:
        network: Name in `NETWORKS`.
        weights: The file.

    Raises:
        SetupError: The file is not readable, or its weights do not fit the network.
    """
    with torch.device("meta"):
        backbone = NETWORKS[network].backbone()
    check_weights(weights, network, backbone)

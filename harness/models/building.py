"""Build networks by name, as runs start them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from harness.core.seeding import seeded_rng
from harness.models.pretrained import check_weights
from harness.models.registry import NETWORKS, Factory
from harness.models.reid import HEADS, ReIDNetwork


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
        backbone = _load(entry.backbone)(**options)
        make_head = _load(entry.head or HEADS[head])
        model = ReIDNetwork(backbone, make_head(backbone.widths[-1], identities))
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
        backbone = _load(NETWORKS[network].backbone)()
    check_weights(weights, network, backbone)


def _load(factory: Factory | Callable[..., Any]) -> Callable[..., Any]:
    return factory.load() if isinstance(factory, Factory) else factory

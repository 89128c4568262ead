"""The networks by name."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from harness.errors import SetupError
from harness.networks.reid import ReID, as_float32
from harness.networks.resnet import ResNet
from harness.networks.weights import read_weights
from harness.seeding import seeded

__all__ = ["NETWORKS", "ReID", "as_float32", "build"]

NETWORKS = {
    name: partial(ResNet, name) for name in ("resnet18", "resnet34", "resnet50", "resnet101")
}


def build(
    network: str, head: str, identities: int, *, seed: int = 0, weights: Path | None = None
) -> ReID:
    """A network as its run starts it: random numbers from (seed, network, head), or `weights`.

    Raises:
        SetupError: the weights are another network's.
    """
    with seeded("initial weights", seed, network, head):
        model = ReID(NETWORKS[network](), head, identities)
    if weights is not None:
        try:
            model.backbone.load_pretrained(read_weights(weights))
        except RuntimeError as error:
            raise SetupError(f"{weights} does not fit {network}: {error}") from error
    return model

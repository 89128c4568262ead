"""The networks by name."""

from __future__ import annotations

from pathlib import Path

from harness.errors import SetupError
from harness.networks.catalogue import NETWORKS, TEAMS, Network
from harness.networks.joined import Joined
from harness.networks.reid import HEADS, ReID, as_float32
from harness.networks.weights import read_weights
from harness.seeding import seeded

__all__ = ["NETWORKS", "TEAMS", "Joined", "Network", "ReID", "as_float32", "build"]


def build(
    network: str,
    head: str,
    identities: int,
    *,
    last_stride: int = 1,
    stem: str = "3x3",
    seed: int = 0,
    weights: Path | None = None,
) -> ReID:
    """A network as its run starts it: random numbers from (seed, network, head), or `weights`.

    Raises:
        SetupError: the weights are another network's.
    """
    known = NETWORKS[network]
    shape = {"last_stride": last_stride, "stem": stem} if known.adjustable else {}
    with seeded("initial weights", seed, network, head):
        backbone = known.backbone(**shape)
        model = ReID(backbone, (known.head or HEADS[head])(backbone.widths[-1], identities))
    if weights is not None:
        try:
            model.backbone.load_pretrained(read_weights(weights))
        except RuntimeError as error:
            raise SetupError(f"{weights} does not fit {network}: {error}") from error
    return model

"""The networks by name."""

from __future__ import annotations

from pathlib import Path

from harness.core.errors import SetupError
from harness.core.seeding import seeded_rng
from harness.models.ensemble import EnsembleTeacher
from harness.models.pretrained import read_weights
from harness.models.registry import ENSEMBLES, NETWORKS, NetworkEntry
from harness.models.reid import HEADS, ReIDNetwork, as_float32

__all__ = [
    "ENSEMBLES",
    "NETWORKS",
    "EnsembleTeacher",
    "NetworkEntry",
    "ReIDNetwork",
    "as_float32",
    "build",
]


def build(
    network: str,
    head: str,
    identities: int,
    *,
    last_stride: int = 1,
    stem: str = "3x3",
    seed: int = 0,
    weights: Path | None = None,
) -> ReIDNetwork:
    """A network as its run starts it: random numbers from (seed, network, head), or `weights`.

    Raises:
        SetupError: the weights are another network's.
    """
    known = NETWORKS[network]
    shape = {"last_stride": last_stride, "stem": stem} if known.adjustable else {}
    with seeded_rng("initial weights", seed, network, head):
        backbone = known.backbone(**shape)
        model = ReIDNetwork(backbone, (known.head or HEADS[head])(backbone.widths[-1], identities))
    if weights is not None:
        try:
            model.backbone.load_pretrained(read_weights(weights))
        except RuntimeError as error:
            raise SetupError(f"{weights} does not fit {network}: {error}") from error
    return model

"""Whose the default weights are. None was tuned for this benchmark's networks and data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

PAPER, AUTHORS = "its paper", "its authors"
REPDISTILLER, PDRD_AUTHORS, OURS = "RepDistiller", "PDRD's authors", "this benchmark"


@dataclass(frozen=True, slots=True)
class WeightSource:
    """A default weight of a method in one variant.

    Attributes:
        weight: The weight.
        whose: Who chose it.
        printed: Where it is printed, and for what.
    """

    weight: float
    whose: str
    printed: str


_SCRIPT = "scripts/run_cifar_distill.sh, for CIFAR-100 in batches of 64"
_CONFIGS = "configs of their later code, SCY-X/PDRD, for batches of 96"

WEIGHT_SOURCES: Mapping[str, Mapping[str, WeightSource]] = {
    "fitnet": {
        "original": WeightSource(100.0, REPDISTILLER, f"{_SCRIPT}; mdistiller has the same"),
        "pdrd": WeightSource(10.0, PDRD_AUTHORS, _CONFIGS),
    },
    "at": {
        "original": WeightSource(1000.0, AUTHORS, "szagoruyko/attention-transfer, for CIFAR-10")
    },
    "ft": {
        "original": WeightSource(
            4000.0,
            OURS,
            "the authors' 500 for 2048 entries (Jangho-Kim/Factor-Transfer-pytorch, for CIFAR), "
            "times the root of 131072 / 2048",
        )
    },
    "cckd": {
        "original": WeightSource(
            10.0,
            PDRD_AUTHORS,
            f"{_CONFIGS}, but for the loss of the variant pdrd; its paper has 0.003 with logit "
            "distillation beside it",
        ),
        "pdrd": WeightSource(10.0, PDRD_AUTHORS, _CONFIGS),
    },
    "sp": {
        "original": WeightSource(3000.0, REPDISTILLER, f"{_SCRIPT}; mdistiller has the same"),
        "pdrd": WeightSource(1000.0, PDRD_AUTHORS, _CONFIGS),
    },
    "vid": {"original": WeightSource(1.0, REPDISTILLER, _SCRIPT)},
    "rkd": {
        "original": WeightSource(
            1.0, AUTHORS, "lenscloth/RKD, for metric learning: 1 distance + 2 angle"
        ),
        "pdrd": WeightSource(
            1.0, PDRD_AUTHORS, f"{_CONFIGS}: 25 distance + 50 angle, as in RepDistiller"
        ),
    },
    "pkt": {
        "original": WeightSource(30000.0, REPDISTILLER, f"{_SCRIPT}; mdistiller has the same"),
        "pdrd": WeightSource(300000.0, PDRD_AUTHORS, _CONFIGS),
    },
    "kdpe": {
        "original": WeightSource(
            3.0,
            AUTHORS,
            "CVMI-Lab/KDEP, scripts/KDEP_MS-R50_R18.sh, for a ResNet-50 of Microsoft Vision; for a "
            "standard ImageNet ResNet-50 they take 20 (scripts/KDEP_SP-R50_R18.sh)",
        )
    },
    "csd": {
        "pdrd": WeightSource(1.0, PDRD_AUTHORS, _CONFIGS),
        "original": WeightSource(
            1.0, OURS, "as in the variant pdrd; its authors published no code"
        ),
    },
    "vrkd": {"original": WeightSource(1.0, PAPER, "lambda, at T = 2 with four teachers")},
    "pdrd": {"original": WeightSource(2.0, PAPER, "alpha, for batches of 96")},
    "none": {"original": WeightSource(0.0, OURS, "without effect")},
    "pairwise": {"original": WeightSource(2.0, OURS, "PDRD's alpha")},
    "pdrk": {"original": WeightSource(2.0, OURS, "PDRD's alpha")},
    "kd": {"original": WeightSource(1.0, PDRD_AUTHORS, f"{_CONFIGS}, at T = 2")},
}

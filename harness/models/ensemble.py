"""Several trained networks as one teacher, as in VRKD (section 3.2)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from harness.models.reid import ReIDNetwork
from methods import Outputs, Widths


class EnsembleTeacher(nn.Module):
    """Ensemble of frozen networks whose logits are the mean of its members' logits.

    It has no features, because those of its members differ: `widths.maps` is empty and
    `widths.embedding` is 0.

    Args:
        members: Networks with classifiers of the same identities.
    """

    def __init__(self, members: Sequence[ReIDNetwork]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.widths = Widths(maps=(), embedding=0, identities=members[0].widths.identities)

    def forward(self, images: Tensor) -> Outputs:
        """(B, 3, H, W) float32, normalised -> `Outputs` with logits (B, K) and empty features."""
        logits = torch.stack([member(images).logits for member in self.members]).mean(0)
        empty = logits.new_empty(len(images), 0)
        return Outputs((), empty, empty, empty, logits)

"""Several trained networks as one teacher whose logits are the mean of theirs (VRKD)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from harness.models.reid import ReIDNetwork
from methods import Outputs, Widths


class EnsembleTeacher(nn.Module):
    """A frozen committee; it has logits and nothing else, as its members' features differ."""

    def __init__(self, members: Sequence[ReIDNetwork]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.widths = Widths(maps=(), embedding=0, identities=members[0].widths.identities)

    def forward(self, images: Tensor) -> Outputs:
        """(B, 3, H, W) float32, normalised -> `Outputs` of which only `logits` holds anything."""
        logits = torch.stack([member(images).logits for member in self.members]).mean(0)
        nothing = logits.new_empty(len(images), 0)
        return Outputs((), nothing, nothing, nothing, logits)

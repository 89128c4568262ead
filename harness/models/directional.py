r"""Directional average pooling: what a VRKD teacher sees of the last map (VRKD, section 3.2).

Each of four kinds turns (B, C, n, n) into (B, C, 4), n being 8, 16 or 32:

    hap  full-width stripes, k = 5n/8 rows high, n/8 rows apart
    vap  the same of columns
    dap  the 2n diagonals j - i, of which the main one counts twice, in 4 groups of n/2
    aap  the same of the anti-diagonals i + j - (n - 1)

An entry is the mean over all elements of its stripe or group. The paper gives kernel sizes for
these three n alone; the mean over elements, not over means of diagonals, is the reading taken here.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor, nn

from harness.models.reid import FC256

KINDS = ("hap", "vap", "dap", "aap")
SIZES = (8, 16, 32)


class DirectionalPooling(nn.Module):
    """Average the last map along one direction into four entries a channel."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def forward(self, maps: Tensor) -> Tensor:
        """(B, C, n, n) -> (B, C, 4).

        Raises:
            ValueError: the map is not square, or n is none of 8, 16 and 32.
        """
        height, width = maps.shape[2:]
        if height != width or height not in SIZES:
            raise ValueError(
                "Directional pooling is defined for maps of 8x8, 16x16 and 32x32, but the last "
                f"map is {height}x{width}. Square inputs of 128, 256 or 512 pixels give these: "
                "--set recipe.height=256 --set recipe.width=256."
            )
        weights = directional_weights(self.kind, height).to(maps)
        return maps.flatten(2) @ weights.T


class Directional(FC256):
    """Directional pooling, flattened to 4C entries, then the 256-d feature and the classifier."""

    def __init__(self, width: int, identities: int, *, kind: str) -> None:
        super().__init__(4 * width, identities)
        self.pooling = DirectionalPooling(kind)

    def forward(self, pooled: Tensor, last_map: Tensor) -> tuple[Tensor, Tensor]:
        return super().forward(self.pooling(last_map).flatten(1), last_map)


@lru_cache
def directional_weights(kind: str, size: int) -> Tensor:
    """The four groups as rows of weights that sum to 1: (4, size * size) float32."""
    step, kernel = size // 8, 5 * size // 8
    row, column = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    groups = []
    for group in range(4):
        if kind in ("hap", "vap"):
            along = (row if kind == "hap" else column) - group * step
            chosen = (along >= 0) & (along < kernel)
        else:
            diagonal = column - row if kind == "dap" else row + column - (size - 1)
            first = (group - 2) * size // 2 + (1 if group < 2 else 0)  # 0 belongs to two groups
            chosen = (diagonal >= first) & (diagonal < first + size // 2)
        groups.append(chosen.flatten() / chosen.sum())
    return torch.stack(groups)

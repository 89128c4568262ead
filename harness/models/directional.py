r"""Directional average pooling of the last map in VRKD's teachers (VRKD, section 3.2).

Each of four kinds maps (B, C, n, n) to (B, C, 4), with n in {8, 16, 32}:

    hap  horizontal: stripes of full width, k = 5n/8 rows high, n/8 rows apart
    vap  vertical: the same with columns
    dap  diagonal: the 2n diagonals j - i, of which the main one counts twice, in 4 groups of n/2
    aap  anti-diagonal: the same with the anti-diagonals i + j - (n - 1)

An entry is the mean over all elements of its stripe or group. The paper gives kernel sizes for
these three n only, and leaves open whether a group's mean is over its elements or over the means of
its diagonals; here it is over its elements.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor, nn

from harness.models.reid import FC256

MAP_SIZES = (8, 16, 32)


class DirectionalPooling(nn.Module):
    """Averages of the last map along one direction, four per channel.

    Args:
        kind: One of `DIRECTIONS` in `harness/models/registry.py`.
    """

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def forward(self, maps: Tensor) -> Tensor:
        """Pool a map: (B, C, n, n) -> (B, C, 4).

        Raises:
            ValueError: The map is not square, or n is not in `MAP_SIZES`.
        """
        height, width = maps.shape[2:]
        if height != width or height not in MAP_SIZES:
            raise ValueError(
                "Directional pooling is defined for maps of 8x8, 16x16 and 32x32, but the last "
                f"map is {height}x{width}. Use square inputs of 128, 256 or 512 pixels: "
                "--set recipe.height=256 --set recipe.width=256."
            )
        weights = directional_weights(self.kind, height).to(maps)
        return maps.flatten(2) @ weights.T


class DirectionalHead(FC256):
    """Directional pooling, flattened to 4C entries, followed by the layers of `FC256`.

    Args:
        width: C, the number of channels of the last map.
        identities: K, the number of training identities.
        kind: One of `DIRECTIONS` in `harness/models/registry.py`.
    """

    def __init__(self, width: int, identities: int, *, kind: str) -> None:
        super().__init__(4 * width, identities)
        self.pooling = DirectionalPooling(kind)

    def forward(self, pooled: Tensor, last_map: Tensor) -> tuple[Tensor, Tensor]:
        return super().forward(self.pooling(last_map).flatten(1), last_map)


@lru_cache
def directional_weights(kind: str, size: int) -> Tensor:
    """Return the averaging weights of the four groups.

    Args:
        kind: One of `DIRECTIONS` in `harness/models/registry.py`.
        size: n, the height and width of the map, in `MAP_SIZES`.

    Returns:
        (4, n * n) float32; every row sums to 1.
    """
    step, kernel = size // 8, 5 * size // 8
    row, column = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    groups = []
    for group in range(4):
        if kind in ("hap", "vap"):
            along = (row if kind == "hap" else column) - group * step
            mask = (along >= 0) & (along < kernel)
        else:
            diagonal = column - row if kind == "dap" else row + column - (size - 1)
            # The main diagonal, 0, belongs to the two middle groups.
            first = (group - 2) * size // 2 + (1 if group < 2 else 0)
            mask = (diagonal >= first) & (diagonal < first + size // 2)
        groups.append(mask.flatten() / mask.sum())
    return torch.stack(groups)

r"""Attention transfer: match the places where the activations of an image are large.

With F a stage's map, (B, C, H, W), and vec(.) flattening to (B, H*W),

    Q = vec(mean_c F^2) / ||vec(mean_c F^2)||_2      # (B, H*W), one attention map per image
    L = sum_stages mean_{b,hw} (Q_student - Q_teacher)^2

The authors' code takes this mean of squares where the paper's Eq. 2 has the L2 norm; the usual
weight of 1000 belongs to the code. As each Q has unit length, a stage counts as 1 / (H*W).
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from methods.base import Method, Outputs, Paper
from methods.relations import match_sizes, normalise


class AT(Method):
    """Loss that matches the normalised energy of all stages (Eq. 2 as the authors programmed it).

    Args:
        weight: Factor of the loss, the sum over the stages.
    """

    name = "at"
    label = "AT"
    paper = Paper(
        authors="Zagoruyko and Komodakis",
        title=(
            "Paying More Attention to Attention: Improving the Performance of Convolutional "
            "Neural Networks via Attention Transfer"
        ),
        venue="ICLR",
        year=2017,
        url="https://arxiv.org/abs/1612.03928",
    )

    variants: ClassVar = {"original": {"weight": 1000.0}}

    def forward(self, student: Outputs, teacher: Outputs, labels: Tensor) -> Tensor:
        stages = []
        for ours, theirs in zip(student.maps, teacher.maps, strict=True):
            source, target = match_sizes(ours, theirs.detach())
            stages.append(F.mse_loss(attention(source), attention(target)))
        return torch.stack(stages).sum()


def attention(maps: Tensor) -> Tensor:
    """Compute the attention map of each image, of unit length: (B, C, H, W) -> (B, H*W)."""
    # Squares of small maps are tiny: a larger epsilon would damp them. At an all-zero map the
    # gradient is zero whatever epsilon is, because that of the square is.
    return normalise(maps.square().mean(dim=1).flatten(start_dim=1), epsilon=1e-12)

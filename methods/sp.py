r"""Similarity-preserving distillation: match the similarities of all pairs of images.

With Q the last feature map flattened to (B, C*H*W) and row(.) L2 normalisation of each row,

    G = row(Q @ Q.T)                                 # (B, B), for student and teacher alike
    L = ||G_teacher - G_student||_F^2 / B^2

Student and teacher may differ in C, H and W: both reduce to (B, B), so nothing is learned. The
variant `pdrd`, as PDRD's authors ran it, takes for G the cosines of the pooled features instead.
"""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor
from torch.nn import functional as F

from methods.base import Method, Outputs, Paper
from methods.relations import cosines, normalise, require_batch


class SP(Method):
    """Loss that matches the pairwise similarities of the batch (Eq. 4).

    Args:
        weight: Factor of the loss, the paper's gamma.
        variant: Similarities of the last maps (`original`), or cosines of the features (`pdrd`).
    """

    name = "sp"
    label = "SP"
    paper = Paper(
        authors="Tung and Mori",
        title="Similarity-Preserving Knowledge Distillation",
        venue="ICCV",
        year=2019,
        url="https://arxiv.org/abs/1907.09682",
    )

    variants: ClassVar = {"original": {"weight": 3000.0}, "pdrd": {"weight": 1000.0}}

    def forward(self, student: Outputs, teacher: Outputs, labels: Tensor) -> Tensor:
        if self.variant == "pdrd":
            require_batch(student.pooled, 2, self.name)
            return F.mse_loss(cosines(student.pooled), cosines(teacher.pooled.detach()))
        require_batch(student.maps[-1], 2, self.name)
        target = similarities(teacher.maps[-1].detach())
        return (target - similarities(student.maps[-1])).square().mean()


def similarities(maps: Tensor) -> Tensor:
    """Compute the row-normalised Gram matrix of a batch: (B, C, H, W) -> (B, B)."""
    flat = maps.flatten(start_dim=1)
    return normalise(flat @ flat.T)

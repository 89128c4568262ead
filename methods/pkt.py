r"""Probabilistic knowledge transfer: match the probabilities of being neighbours.

With x the pooled features divided by ||x||_2 + eps, eps = 1e-7,

    K_ij = (<x_i, x_j> + 1) / 2                      # (B, B)
    P_ij = K_ij / sum_k K_ik                         # rows sum to 1, the diagonal included
    L = mean_ij P_teacher log((P_teacher + eps) / (P_student + eps))

As a mean over B^2 entries of rows that sum to 1, L falls with 1 / B; it is small, hence the weight.
The variant `pdrd` is the same loss with the weight that PDRD's authors gave it.
"""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from methods.base import Method, Outputs, Paper
from methods.relations import lengths, require_batch

EPSILON = 1e-7  # the paper's code; L is so small that another value moves it by 1e-4


class PKT(Method):
    """Loss that matches conditional neighbour probabilities under the cosine kernel.

    Args:
        weight: Factor of the loss.
        variant: The same loss with the usual weight (`original`), or with PDRD's authors' (`pdrd`).
    """

    name = "pkt"
    label = "PKT"
    paper = Paper(
        authors="Passalis and Tefas",
        title="Learning Deep Representations with Probabilistic Knowledge Transfer",
        venue="ECCV",
        year=2018,
        url="https://arxiv.org/abs/1803.10837",
    )

    variants: ClassVar = {"original": {"weight": 3e4}, "pdrd": {"weight": 3e5}}

    def forward(self, student: Outputs, teacher: Outputs, labels: Tensor) -> Tensor:
        require_batch(student.pooled, 2, self.name)
        source = probabilities(student.pooled)
        target = probabilities(teacher.pooled.detach())
        return (target * ((target + EPSILON) / (source + EPSILON)).log()).mean()


def probabilities(rows: Tensor) -> Tensor:
    """Compute each row's probabilities of having the others as neighbours: (B, C) -> (B, B)."""
    unit = rows / (lengths(rows, dim=1)[:, None] + EPSILON)
    kernel = (unit @ unit.T + 1) / 2
    return kernel / kernel.sum(dim=1, keepdim=True)

r"""Correlation congruence: a batch's kernel matrix should agree between student and teacher.

With x = E(f) / ||E(f)||_2 of the pooled features f, (B, C), and E a trained linear map to
`dimension` entries (one per network), the Gaussian kernel of unit vectors is expanded to order P:

    k(x, y) = sum_{p=0..P} exp(-2 gamma) (2 gamma)^p / p! <x, y>^p
    L = 1 / B^2 sum_{i,j} (k(x_i, x_j)_student - k(x_i, x_j)_teacher)^2

The expansion holds for unit vectors only, hence the division. As the teacher's embedding is
trained too, both may shrink to a point: L = 0 alone does not prove that anything was learned.

The variant `pdrd`, as PDRD's authors ran it, multiplies the gaps of images that follow each other
in the batch and so depends on its order: with delta_i = |x_i,student - x_i,teacher|, (dimension,),

    L = 1 / (B - 1) sum_{i < B} <delta_i, delta_{i+1}>
"""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from methods.base import Method, Outputs, Paper, Widths
from methods.relations import cosines, normalise, require_batch


class CCKD(Method):
    """Loss that matches kernel matrices of the batch.

    Args:
        weight: Factor of the loss.
        dimension: Entries of the embeddings that are compared.
        gamma: Width of the Gaussian kernel; unused in the variant `pdrd`.
        order: P, the order of the kernel's expansion; unused in the variant `pdrd`.
        variant: Kernel matrices (`original`), or gaps of images that follow each other (`pdrd`).
    """

    name = "cckd"
    label = "CCKD"
    paper = Paper(
        authors="Peng, Jin, Liu, Li, Wu, Liu, Zhou and Zhang",
        title="Correlation Congruence for Knowledge Distillation",
        venue="ICCV",
        year=2019,
        url="https://arxiv.org/abs/1904.01802",
    )

    variants: ClassVar = {"original": {}, "pdrd": {}}

    def __init__(
        self,
        student: Widths,
        teacher: Widths,
        *,
        weight: float = 10.0,
        dimension: int = 128,
        gamma: float = 0.4,
        order: int = 2,
        variant: str = "original",
    ) -> None:
        super().__init__(student, teacher, weight=weight, variant=variant)
        self.student_embed = nn.Linear(student.maps[-1], dimension)
        self.teacher_embed = nn.Linear(teacher.maps[-1], dimension)
        self.gamma, self.order = gamma, order
        self.permutation_invariant = variant == "original"

    def forward(self, student: Outputs, teacher: Outputs, labels: Tensor) -> Tensor:
        require_batch(student.pooled, 2, self.name)
        source = self.student_embed(student.pooled)
        target = self.teacher_embed(teacher.pooled.detach())
        if self.variant == "pdrd":
            gaps = (normalise(source) - normalise(target)).abs()
            return (gaps[:-1] * gaps[1:]).sum(dim=1).mean()
        return F.mse_loss(self.kernel(source), self.kernel(target))

    def kernel(self, embeddings: Tensor) -> Tensor:
        """Compute the expanded Gaussian kernel of all pairs: (B, dimension) -> (B, B)."""
        products, scale = cosines(embeddings), math.exp(-2 * self.gamma)
        total = torch.full_like(products, scale)
        for power in range(1, self.order + 1):
            coefficient = scale * (2 * self.gamma) ** power / math.factorial(power)
            total = total + coefficient * products**power
        return total

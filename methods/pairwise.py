r"""Ablation of PDRD: match the similarities themselves, not their differences.

With C the cosines of the pooled features, (B, B),

    L = 1 / B sum_i || C_i, teacher - C_i, student ||_2
"""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from methods.base import Method, Outputs
from methods.pdrd import PDRD
from methods.relations import cosines, lengths, require_batch


class Pairwise(Method):
    """Loss that matches pairwise similarities (Eq. 4 of PDRD).

    Args:
        weight: Factor of the loss.
    """

    name = "pairwise"
    label = "L_pairwise"
    paper = PDRD.paper
    variants: ClassVar = {"original": {"weight": 2.0}}

    def forward(self, student: Outputs, teacher: Outputs, labels: Tensor) -> Tensor:
        require_batch(student.pooled, 2, self.name)
        gap = cosines(teacher.pooled.detach()) - cosines(student.pooled)
        return lengths(gap, dim=1).mean()

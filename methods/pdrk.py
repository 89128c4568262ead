r"""Ablation of PDRD: match differences of similarities, without an activation.

With C the cosines of the pooled features, (B, B), and A_ijk = C_ij - C_ik,

    L = 1 / B sum_i || A_i, teacher - A_i, student ||_F

Since A is linear in C, d = C_teacher - C_student is all it needs, in O(B^2) instead of O(B^3):

    || A_i, teacher - A_i, student ||_F = sqrt(2 B) || d_i - mean_j d_ij ||_2
"""

from __future__ import annotations

import math
from typing import ClassVar

from torch import Tensor

from methods.base import Method, Outputs
from methods.pdrd import PDRD
from methods.relations import cosines, lengths, require_batch


class PDRK(Method):
    """Loss that matches differences of similarities without an activation (Eq. 7 of PDRD).

    Args:
        weight: Factor of the loss.
    """

    name = "pdrk"
    label = "L_pdrk"
    paper = PDRD.paper
    variants: ClassVar = {"original": {"weight": 2.0}}

    def forward(self, student: Outputs, teacher: Outputs, labels: Tensor) -> Tensor:
        require_batch(student.pooled, 2, self.name)
        gap = cosines(teacher.pooled.detach()) - cosines(student.pooled)
        centred = gap - gap.mean(dim=1, keepdim=True)
        return math.sqrt(2 * len(gap)) * lengths(centred, dim=1).mean()

r"""Relational distillation: match distances within pairs and angles within triplets.

With x the pooled features, (B, C), mu the mean over the pairs with d > 0, and h the Huber loss,

    d_ij = ||x_j - x_i||_2 / mu                      # (B, B)
    e_ij = (x_j - x_i) / ||x_j - x_i||_2             # (B, B, C)
    a_ijk = <e_ij, e_ik>                             # (B, B, B), cosine of the angle at i
    L = distance_weight mean_ij h(d_student - d_teacher)
      + angle_weight mean_ijk h(a_student - a_teacher)

As in the authors' metric learning, the teacher's rows have unit length, the student's do not; in
the variant `pdrd` neither has, and the terms weigh 25 and 50 instead of 1 and 2.
"""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor
from torch.nn import functional as F

from methods.base import Method, Outputs, Paper, Widths
from methods.relations import EPSILON, lengths, normalise, require_batch


class RKD(Method):
    """Loss that matches relative distances and angles (RKD-DA).

    Args:
        weight: Factor of both terms.
        distance_weight: Factor of the term of distances.
        angle_weight: Factor of the term of angles.
        variant: Unit features of the teacher (`original`), or features as they are (`pdrd`).
    """

    name = "rkd"
    label = "RKD"
    paper = Paper(
        authors="Park, Kim, Lu and Cho",
        title="Relational Knowledge Distillation",
        venue="CVPR",
        year=2019,
        url="https://arxiv.org/abs/1904.05068",
    )

    variants: ClassVar = {
        "original": {"weight": 1.0, "distance_weight": 1.0, "angle_weight": 2.0},
        "pdrd": {"weight": 1.0, "distance_weight": 25.0, "angle_weight": 50.0},
    }

    def __init__(
        self,
        student: Widths,
        teacher: Widths,
        *,
        weight: float | None = None,
        distance_weight: float | None = None,
        angle_weight: float | None = None,
        variant: str = "original",
    ) -> None:
        super().__init__(student, teacher, weight=weight, variant=variant)
        self.distance_weight = self.of_variant("distance_weight", distance_weight)
        self.angle_weight = self.of_variant("angle_weight", angle_weight)

    def forward(self, student: Outputs, teacher: Outputs, labels: Tensor) -> Tensor:
        require_batch(student.pooled, 3, self.name)  # with two images both terms are always 0
        source = offsets(student.pooled)
        taught = teacher.pooled.detach()
        target = offsets(taught if self.variant == "pdrd" else normalise(taught))
        distance = F.smooth_l1_loss(distances(source), distances(target))
        angle = F.smooth_l1_loss(angles(source), angles(target))
        return self.distance_weight * distance + self.angle_weight * angle


def offsets(rows: Tensor) -> Tensor:
    """Compute x_j - x_i at [i, j] for all pairs of rows: (B, C) -> (B, B, C)."""
    # Subtracting before squaring keeps the digits that ||x||^2 + ||y||^2 - 2 <x, y> would lose
    # when all rows share a large offset.
    return rows[None, :] - rows[:, None]


def distances(offset: Tensor) -> Tensor:
    """Compute distances relative to the mean positive one: (B, B, C) -> (B, B)."""
    norms = lengths(offset, dim=2)
    positive = (norms > 0).sum().clamp_min(1)
    return norms / (norms.sum() / positive).clamp_min(EPSILON)


def angles(offset: Tensor) -> Tensor:
    """Compute the cosines of the angles at i between j and k: (B, B, C) -> (B, B, B)."""
    directions = normalise(offset)
    return directions @ directions.transpose(1, 2)

r"""Pairwise difference relational distillation: how much more alike j than k is to i should agree.

With C the cosines of the pooled features, (B, B), and sigma an activation,

    A_ijk = C_ij - C_ik                              # (B, B, B), differences seen from i
    L = 1 / B sum_i || sigma(A_i, teacher) - sigma(A_i, student) ||_F

The norm is neither squared nor divided by B^2: L grows about linearly with B, and the weight of 2
belongs to batches of 96.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from methods.base import Method, Outputs, Paper, Widths
from methods.relations import cosines, lengths, require_batch

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "mish": F.mish,
    "sigmoid": torch.sigmoid,
    "relu": F.relu,
}
ANCHORS = 32  # how many i are compared at once, to stay in the processor's cache


class PDRD(Method):
    """Match differences of similarities (Eq. 8); `activation` is its sigma, `weight` its alpha.

    Raises:
        ValueError: `activation` is not one of mish, sigmoid and relu.
    """

    name = "pdrd"
    label = "PDRD"
    paper = Paper(
        authors="Xie, Wu, Lin, Zhu and Zeng",
        title="Pairwise difference relational distillation for object re-identification",
        venue="Pattern Recognition",
        year=2024,
        url="https://doi.org/10.1016/j.patcog.2024.110455",
    )

    def __init__(
        self,
        student: Widths,
        teacher: Widths,
        *,
        weight: float = 2.0,
        activation: str = "mish",
        variant: str = "original",
    ) -> None:
        super().__init__(student, teacher, weight=weight, variant=variant)
        if activation not in ACTIVATIONS:
            raise ValueError(
                f"{self.name} has no activation {activation!r}. Allowed: {', '.join(ACTIVATIONS)}."
            )
        self.activation = activation

    def forward(self, student: Outputs, teacher: Outputs, labels: Tensor) -> Tensor:
        require_batch(student.pooled, 2, self.name)
        activate = ACTIVATIONS[self.activation]
        source = torch.split(cosines(student.pooled), ANCHORS)
        target = torch.split(cosines(teacher.pooled.detach()), ANCHORS)
        norms = [
            lengths(activate(differences(theirs)) - activate(differences(ours)), dim=(1, 2))
            for ours, theirs in zip(source, target, strict=True)
        ]
        return torch.cat(norms).mean()


def differences(rows: Tensor) -> Tensor:
    """Differences within each row, rows[i, j] - rows[i, k]: (A, B) -> (A, B, B)."""
    return rows[:, :, None] - rows[:, None, :]

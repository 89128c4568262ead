r"""Pairwise difference relational distillation: match the differences between similarities.

With C the cosines of the pooled features, (B, B), and sigma an activation,

    A_ijk = C_ij - C_ik                              # (B, B, B), differences at i
    L = 1 / B sum_i || sigma(A_i, teacher) - sigma(A_i, student) ||_F

The norm is neither squared nor divided by B^2: L grows about linearly with B, and the weight of 2
belongs to batches of 96.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from methods.base import Method, Outputs, Paper, Widths
from methods.relations import cosines, lengths, require_batch

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "mish": F.mish,
    "sigmoid": torch.sigmoid,
    "relu": F.relu,
}
ENTRIES = 1 << 19  # entries of A compared at once: 2 MiB, which stay in a core's cache


class PDRD(Method):
    """Loss that matches differences of similarities (Eq. 8).

    Args:
        weight: Factor of the loss, the paper's alpha.
        activation: The paper's sigma: mish, sigmoid or relu.

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
        source, target = cosines(student.pooled), cosines(teacher.pooled.detach())
        mean: Tensor = ByAnchors.apply(source, target, ACTIVATIONS[self.activation])
        return mean


class ByAnchors(torch.autograd.Function):
    """Mean over i of the norm of one anchor, (B, B), (B, B) -> (), without a tensor of B^3 entries.

    Forward takes a few anchors at a time and computes their part of the gradient at once, so that
    nothing but the (B, B) gradient is kept for backward.
    """

    @staticmethod
    def forward(
        ctx: Any,
        source: Tensor,
        target: Tensor,
        activate: Callable[[Tensor], Tensor],
    ) -> Tensor:
        count, learning = len(source), ctx.needs_input_grad[0]
        size = max(1, ENTRIES // count**2)
        # Filled in place: hundreds of small results kept between large ones freed would leave the
        # heap full of holes, as large in all as the (B, B, B) tensor that this avoids.
        norms, slopes = source.new_empty(count), torch.empty_like(source)
        for start in range(0, count, size):
            rows = slice(start, start + size)
            with torch.set_grad_enabled(learning):
                ours = differences(source[rows].detach()).requires_grad_(learning)
                activated = activate(ours)
            gap = activate(differences(target[rows])).sub_(activated.detach())
            norms[rows] = norm = lengths(gap, dim=(1, 2))
            if learning:
                gap.div_(norm.where(norm > 0, 1)[:, None, None])  # 0 where both networks agree
                (slope,) = torch.autograd.grad(activated, ours, gap)
                slopes[rows] = slope.sum(dim=1) - slope.sum(dim=2)
        ctx.save_for_backward(slopes / count)
        return norms.mean()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        return gradient * ctx.saved_tensors[0], None, None


def differences(rows: Tensor) -> Tensor:
    """Compute the differences within each row, rows[i, j] - rows[i, k]: (A, B) -> (A, B, B)."""
    return rows[:, :, None] - rows[:, None, :]

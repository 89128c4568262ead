r"""Distillation as efficient pre-training: match the teacher's scaled principal components.

With f the pooled last map before its ReLU, (B, C), m and V, (C_teacher, C_student), the mean and
the leading principal directions of the frozen teacher's f over the training set,

    y = (f_teacher - m) V                            # (B, C_student)
    z = sign(y) |y / T|^(1/n)                        # power temperature scaling
    L = mean_{b,c} (f_student - z)^2

Nothing is learned: V brings the teacher to the student's width, so that must not be the larger.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

import torch
from torch import Tensor
from torch.nn import functional as F

from methods.base import Method, Outputs, Paper, Widths

log = logging.getLogger(__name__)


class KDPE(Method):
    """Loss that matches scaled principal components.

    `mean`, (C_teacher,), and `components`, (C_teacher, C_student), are zero until `prepare`. They
    belong to the saved state: directions found again may differ in sign on another machine.

    Args:
        weight: Factor of the loss.
        temperature: T, the scale of the components.
        power: n, of the root that evens the components out.

    Raises:
        ValueError: The student's last stage is wider than the teacher's.
    """

    name = "kdpe"
    label = "KDPE"
    paper = Paper(
        authors="He, Sun, Yang, Bai and Qi",
        title=(
            "Knowledge Distillation as Efficient Pre-training: Faster Convergence, Higher "
            "Data-efficiency, and Better Transferability"
        ),
        venue="CVPR",
        year=2022,
        url="https://arxiv.org/abs/2203.05180",
    )

    mean: Tensor
    components: Tensor

    def __init__(
        self,
        student: Widths,
        teacher: Widths,
        *,
        weight: float = 3.0,
        temperature: float = 0.1,
        power: int = 3,
        variant: str = "original",
    ) -> None:
        super().__init__(student, teacher, weight=weight, variant=variant)
        ours, theirs = student.maps[-1], teacher.maps[-1]
        if ours > theirs:
            raise ValueError(
                f"{self.name} keeps as many principal components of the teacher as the student is "
                f"wide: at most {theirs}, but the student has {ours} channels."
            )
        self.temperature, self.power = temperature, power
        self.register_buffer("mean", torch.zeros(theirs))
        self.register_buffer("components", torch.zeros(theirs, ours))

    def prepare(self, batches: Callable[[], Iterable[Outputs]], generator: torch.Generator) -> None:
        """Compute mean and principal directions in one pass over the training set.

        Raises:
            ValueError: There are fewer than two images.
        """
        images, mean, scatter = moments(pool(batch.pre_relu.detach()) for batch in batches())
        if images < 2:
            raise ValueError(f"{self.name} needs at least 2 training images, but saw {images}.")
        wanted = self.components.shape[1]
        if images <= wanted:
            log.warning("%s seeks %d components in only %d images", self.name, wanted, images)
        self.mean.copy_(mean)
        self.components.copy_(directions(scatter, wanted))

    def forward(self, student: Outputs, teacher: Outputs, labels: Tensor) -> Tensor:
        projected = (pool(teacher.pre_relu.detach()) - self.mean) @ self.components
        scaled = (projected / self.temperature).abs().pow(1 / self.power)
        return F.mse_loss(pool(student.pre_relu), projected.sign() * scaled)


def pool(maps: Tensor) -> Tensor:
    """Average over height and width: (B, C, H, W) -> (B, C)."""
    return maps.mean(dim=(2, 3))


def moments(batches: Iterable[Tensor]) -> tuple[int, Tensor, Tensor]:
    """Compute count, mean and scatter matrix of all rows: (B, C)... -> (), (C,), (C, C) float64.

    Batches are merged by the exact update of count, mean and scatter, so no row is kept.
    """
    count, mean, scatter = 0, torch.zeros(()), torch.zeros(())
    for rows in (batch.double() for batch in batches):
        centre = rows.mean(dim=0)
        centred = rows - centre
        if count == 0:
            count, mean, scatter = len(rows), centre, centred.T @ centred
            continue
        shift, total = centre - mean, count + len(rows)
        scatter += centred.T @ centred + shift.outer(shift) * (count * len(rows) / total)
        mean = mean + shift * (len(rows) / total)
        count = total
    return count, mean, scatter


def directions(scatter: Tensor, count: int) -> Tensor:
    """Compute the leading eigenvectors, as columns by decreasing eigenvalue: (C, C) -> (C, count).

    The sign is fixed: the entry of largest magnitude in each column is positive.
    """
    vectors: Tensor = torch.linalg.eigh(scatter.cpu()).eigenvectors.flip(1)[:, :count]
    largest = vectors.abs().argmax(dim=0, keepdim=True)
    return vectors * vectors.gather(0, largest).sign()

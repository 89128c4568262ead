r"""Correlation congruence: a batch's kernel matrix should agree between student and teacher.

With f the pooled features, (B, C), x_student = E(f) / ||E(f)||_2, E a trained linear map to
`dimension` entries, and x_teacher = f / ||f||_2, the Gaussian kernel of unit vectors is expanded to
order P:

    k(x, y) = sum_{p=0..P} exp(-2 gamma) (2 gamma)^p / p! <x, y>^p
    L = 1 / B^2 sum_{i,j} (k(x_i, x_j)_student - k(x_i, x_j)_teacher)^2

The expansion holds for unit vectors only, hence the division. The matrices are B x B whatever the
widths, so that the teacher needs no map. With `teacher_embedding=trained` it has one, E(f), which
is trained too, as in the paper; then both embeddings shrink to a point, where L = 0 and nothing is
learned of the teacher.

The variant `pdrd`, as PDRD's authors ran it, trains both maps and multiplies the gaps of images
that follow each other in the batch, and so depends on its order: with
delta_i = |x_i,student - x_i,teacher|, (dimension,),

    L = 1 / (B - 1) sum_{i < B} <delta_i, delta_{i+1}>

The paper adds logit distillation to L and weighs L with 0.003; the weight of 10 here is that of
PDRD's authors for their form.
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
        dimension: Entries of an embedding.
        gamma: Width of the Gaussian kernel; unused in the variant `pdrd`.
        order: P, the order of the kernel's expansion; unused in the variant `pdrd`.
        teacher_embedding: Linear map of the teacher's features: `none`, `orthogonal` (random and
            frozen), or `trained`, with which the loss collapses.
        variant: Kernel matrices (`original`), or gaps of images that follow each other (`pdrd`).

    Raises:
        ValueError: `teacher_embedding` is not one of these, or is `none` in the variant `pdrd`.
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

    variants: ClassVar = {
        "original": {"teacher_embedding": "none"},
        "pdrd": {"teacher_embedding": "trained"},
    }

    def __init__(
        self,
        student: Widths,
        teacher: Widths,
        *,
        weight: float = 10.0,
        dimension: int = 128,
        gamma: float = 0.4,
        order: int = 2,
        teacher_embedding: str | None = None,
        variant: str = "original",
    ) -> None:
        super().__init__(student, teacher, weight=weight, variant=variant)
        self.student_embed = nn.Linear(student.maps[-1], dimension)
        embedding = self.of_variant("teacher_embedding", teacher_embedding)
        if embedding == "none" and variant == "pdrd":
            raise ValueError(
                "cckd's variant pdrd compares embeddings of one width: teacher_embedding must be "
                "trained or orthogonal."
            )
        self.teacher_embed = embed_teacher(embedding, teacher.maps[-1], dimension)
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


def embed_teacher(embedding: str, width: int, dimension: int) -> nn.Module:
    """Return the map of the teacher's features: (B, width) -> (B, dimension), or none.

    Args:
        embedding: `none`, `orthogonal` (orthonormal rows, or columns, that are not trained), or
            `trained`.
        width: Width of the features.
        dimension: Width of what is compared.

    Raises:
        ValueError: `embedding` is none of these.
    """
    if embedding == "none":
        return nn.Identity()
    if embedding == "trained":
        return nn.Linear(width, dimension)
    if embedding == "orthogonal":
        linear = nn.Linear(width, dimension, bias=False)
        nn.init.orthogonal_(linear.weight)
        return linear.requires_grad_(False)
    raise ValueError(
        f"teacher_embedding of cckd must be none, orthogonal or trained, but was {embedding!r}."
    )

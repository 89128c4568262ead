r"""Variational information distillation: the student's maps should predict the teacher's.

Each stage models the teacher's map t, (B, C, H, W), as Gaussian around a regression mu(s) of the
student's map, with one trained variance per teacher channel:

    var_c = softplus(a_c) + 1e-5
    L = sum_stages mean_{b,c,h,w} 1/2 [(t - mu(s))^2 / var_c + log var_c]

mu is three 1x1 convolutions with ReLU between. L has no lower bound: a perfect mu lets var shrink.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from methods.base import Method, Outputs, Paper, Widths
from methods.relations import match_sizes

FLOOR = 1e-5  # of the variance, so that its logarithm and inverse stay finite


class VID(Method):
    """Negative log-likelihood of the teacher's maps in all stages.

    `log_scales` holds the a_c of every stage; they and `regressors` are trained.

    Args:
        weight: Factor of the loss.
        initial_variance: The variance of every channel, var_c, before training.
    """

    name = "vid"
    label = "VID"
    paper = Paper(
        authors="Ahn, Hu, Damianou, Lawrence and Dai",
        title="Variational Information Distillation for Knowledge Transfer",
        venue="CVPR",
        year=2019,
        url="https://arxiv.org/abs/1904.05835",
    )

    def __init__(
        self,
        student: Widths,
        teacher: Widths,
        *,
        weight: float = 1.0,
        initial_variance: float = 5.0,
        variant: str = "original",
    ) -> None:
        super().__init__(student, teacher, weight=weight, variant=variant)
        scale = math.log(math.expm1(initial_variance - FLOOR))
        self.regressors = nn.ModuleList(
            regressor(ours, theirs) for ours, theirs in zip(student.maps, teacher.maps, strict=True)
        )
        self.log_scales = nn.ParameterList(
            nn.Parameter(torch.full((channels,), scale)) for channels in teacher.maps
        )

    def forward(self, student: Outputs, teacher: Outputs, labels: Tensor) -> Tensor:
        stages = []
        for ours, theirs, regress, log_scale in zip(
            student.maps, teacher.maps, self.regressors, self.log_scales, strict=True
        ):
            source, target = match_sizes(ours, theirs.detach())
            variance = (F.softplus(log_scale) + FLOOR).view(-1, 1, 1)
            residual = (target - regress(source)).square()
            stages.append(0.5 * (residual / variance + variance.log()).mean())
        return torch.stack(stages).sum()


def regressor(student: int, teacher: int) -> nn.Sequential:
    """Return a network that predicts a map: (B, student, H, W) -> (B, teacher, H, W)."""
    return nn.Sequential(
        nn.Conv2d(student, teacher, kernel_size=1, bias=False),
        nn.ReLU(),
        nn.Conv2d(teacher, teacher, kernel_size=1, bias=False),
        nn.ReLU(),
        nn.Conv2d(teacher, teacher, kernel_size=1, bias=False),
    )

r"""FitNets: a regressor of a middle map of the student should hit the teacher's map.

With F the second stage's map, (B, C, H, W), and r a 1x1 convolution, BatchNorm and ReLU,

    L = mean_{b,c,h,w} (r(F_student) - F_teacher)^2

r ends in a ReLU because the target is the output of one. Regressor and student train together;
the paper trains the student's first half on this loss alone before anything else.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from methods.base import Method, Outputs, Paper, Widths
from methods.relations import match_sizes


class FitNet(Method):
    """Regress the teacher's hint (Eq. 3, mean instead of half the sum), `regressor` is trained."""

    name = "fitnet"
    label = "FitNet"
    paper = Paper(
        authors="Romero, Ballas, Kahou, Chassang, Gatta and Bengio",
        title="FitNets: Hints for Thin Deep Nets",
        venue="ICLR",
        year=2015,
        url="https://arxiv.org/abs/1412.6550",
    )

    def __init__(
        self, student: Widths, teacher: Widths, *, weight: float = 100.0, variant: str = "original"
    ) -> None:
        super().__init__(student, teacher, weight=weight, variant=variant)
        self.regressor = nn.Sequential(
            nn.Conv2d(student.maps[1], teacher.maps[1], kernel_size=1),
            nn.BatchNorm2d(teacher.maps[1]),
            nn.ReLU(),
        )

    def forward(self, student: Outputs, teacher: Outputs, labels: Tensor) -> Tensor:
        source, hint = match_sizes(student.maps[1], teacher.maps[1].detach())
        return F.mse_loss(self.regressor(source), hint)

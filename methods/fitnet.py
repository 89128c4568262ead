r"""FitNets: a regressor of a middle map of the student should match the teacher's map.

With F one stage's map, (B, C, H, W), and r a 1x1 convolution, BatchNorm and ReLU,

    L = mean_{b,c,h,w} (r(F_student) - F_teacher)^2

r ends in a ReLU because the target is the output of one. Regressor and student train together;
the paper trains the student's first half on this loss alone before anything else. The second stage
is tapped, in the variant `pdrd` (as PDRD's authors ran it) the last one.
"""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn
from torch.nn import functional as F

from methods.base import Method, Outputs, Paper, Widths
from methods.relations import match_sizes


class FitNet(Method):
    """Loss of regressing the teacher's hint (Eq. 3 as a mean); `regressor` is trained.

    Args:
        weight: Factor of the loss.
        stage: Index of the stage whose maps are compared, from 0, or from -1 for the last.
        variant: The second stage (`original`), or the last with PDRD's authors' weight (`pdrd`).

    Raises:
        ValueError: A network has no such stage.
    """

    name = "fitnet"
    label = "FitNet"
    paper = Paper(
        authors="Romero, Ballas, Kahou, Chassang, Gatta and Bengio",
        title="FitNets: Hints for Thin Deep Nets",
        venue="ICLR",
        year=2015,
        url="https://arxiv.org/abs/1412.6550",
    )

    variants: ClassVar = {
        "original": {"weight": 100.0, "stage": 1},
        "pdrd": {"weight": 10.0, "stage": -1},
    }

    def __init__(
        self,
        student: Widths,
        teacher: Widths,
        *,
        weight: float | None = None,
        stage: int | None = None,
        variant: str = "original",
    ) -> None:
        super().__init__(student, teacher, weight=weight, variant=variant)
        self.stage = self.of_variant("stage", stage)
        stages = min(len(student.maps), len(teacher.maps))
        if not -stages <= self.stage < stages:
            raise ValueError(f"{self.name} has no stage {self.stage}: there are {stages}.")
        width = teacher.maps[self.stage]
        self.regressor = nn.Sequential(
            nn.Conv2d(student.maps[self.stage], width, kernel_size=1),
            nn.BatchNorm2d(width),
            nn.ReLU(),
        )

    def forward(self, student: Outputs, teacher: Outputs, labels: Tensor) -> Tensor:
        source, hint = match_sizes(student.maps[self.stage], teacher.maps[self.stage].detach())
        return F.mse_loss(self.regressor(source), hint)

"""No distillation: a student or a teacher that is trained by its own loss alone.

L = 0
"""

from __future__ import annotations

from torch import Tensor

from methods.base import Method, Outputs, Widths


class NoDistillation(Method):
    """Training without a teacher, the baseline of every other method.

    Args:
        weight: Has no effect, as the loss is 0.
    """

    name = "none"
    label = "Student"
    paper = None
    needs_features = False

    def __init__(
        self, student: Widths, teacher: Widths, *, weight: float = 0.0, variant: str = "original"
    ) -> None:
        super().__init__(student, teacher, weight=weight, variant=variant)

    def forward(self, student: Outputs, teacher: Outputs, labels: Tensor) -> Tensor:
        return student.pooled.new_zeros(())

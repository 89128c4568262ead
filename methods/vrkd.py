r"""Viewpoint-robust distillation: a student of one pooling learns from four directional teachers.

With z the logits, (B, K), the teacher's being the mean over its four directional networks, and
p(z) = softmax(z / T),

    L = T^2 KL(p(z_teacher) || p(z_student))         # mean over the batch

That mean is taken by the teacher network; this loss sees one teacher. Two readings of the paper:
its Eq. 2 as printed weighs the logarithm by the student's p and would drive the student away from
the teacher, so the teacher's p is meant; T^2 is not printed, but is in the work it cites and in
its first author's later code. Without `t2_scale` the weight is in effect T^2 times smaller.
"""

from __future__ import annotations

from torch import Tensor

from methods.base import Method, Outputs, Paper, Widths
from methods.relations import divergence, require_same_identities


class VRKD(Method):
    """Match softened probabilities (Eq. 2); `temperature` is T, `weight` the paper's lambda.

    Raises:
        ValueError: the two networks do not have equally many logits.
    """

    name = "vrkd"
    label = "VRKD"
    paper = Paper(
        authors="Xie, Shen, Zhu and Zeng",
        title="Viewpoint robust knowledge distillation for accelerating vehicle re-identification",
        venue="EURASIP Journal on Advances in Signal Processing",
        year=2021,
        url="https://doi.org/10.1186/s13634-021-00767-x",
    )

    def __init__(
        self,
        student: Widths,
        teacher: Widths,
        *,
        weight: float = 1.0,
        temperature: float = 2.0,
        t2_scale: bool = True,
        variant: str = "original",
    ) -> None:
        super().__init__(student, teacher, weight=weight, variant=variant)
        require_same_identities(student.identities, teacher.identities, self.name)
        self.temperature, self.t2_scale = temperature, t2_scale

    def forward(self, student: Outputs, teacher: Outputs, labels: Tensor) -> Tensor:
        temperature = self.temperature
        loss = divergence(student.logits / temperature, teacher.logits.detach() / temperature)
        return loss * temperature**2 if self.t2_scale else loss

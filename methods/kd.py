r"""Knowledge distillation: match the softened class probabilities of the teacher.

With z the logits, (B, K), and p(z) = softmax(z / T),

    L = T^2 KL(p(z_teacher) || p(z_student))         # mean over the batch

T^2 keeps the gradient's size when T changes, as it falls with 1 / T^2.
"""

from __future__ import annotations

from torch import Tensor

from methods.base import Method, Outputs, Paper, Widths
from methods.relations import divergence, require_same_identities


class KD(Method):
    """Loss that matches softened probabilities.

    Args:
        weight: Factor of the loss.
        temperature: T, by which the logits are divided.
        t2_scale: Whether the loss is multiplied by T^2, which keeps the size of its gradient.

    Raises:
        ValueError: The two networks have different numbers of logits.
    """

    name = "kd"
    label = "KD"
    paper = Paper(
        authors="Hinton, Vinyals and Dean",
        title="Distilling the Knowledge in a Neural Network",
        venue="arXiv",
        year=2015,
        url="https://arxiv.org/abs/1503.02531",
    )
    needs_features = False

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

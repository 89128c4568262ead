r"""Viewpoint-robust distillation: a student of one pooling learns from four directional teachers.

With z the logits, (B, K), the teacher's being the mean over its four directional networks, and
p(z) = softmax(z / T),

    L = T^2 KL(p(z_teacher) || p(z_student))         # mean over the batch

That mean is taken by the teacher network; this loss sees one teacher. Two readings of the paper:
its Eq. 2 as printed weighs the logarithm by the student's p and would drive the student away from
the teacher, so we take the teacher's p; T^2 is not printed, but is in the work it cites and in
its first author's later code. Without `t2_scale` the weight is in effect T^2 times smaller.
"""

from __future__ import annotations

from methods.base import Paper
from methods.kd import KD


class VRKD(KD):
    """Loss that matches softened probabilities (Eq. 2).

    Args:
        weight: Factor of the loss, the paper's lambda.

    Raises:
        ValueError: The two networks have different numbers of logits.
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

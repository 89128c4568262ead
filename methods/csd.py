r"""Contextual similarity distillation: the student, as a query, ranks the teacher's gallery alike.

With t_i the teacher's pooled features and s_i = pool(projector(F_student)), all of unit length,
and N(i) the K images of the batch nearest to i by the teacher's cosine (i itself comes first),

    p_ik = softmax_{k in N(i)} (<t_i, t_k> / tau_g)  # (B, K)
    q_ik = softmax_{k in N(i)} (<s_i, t_k> / tau_q)  # (B, K)
    L = 1 / B sum_i KL(p_i || q_i)

The student meets features of the teacher, so its projector (3x3 convolution of stride 2, BatchNorm,
ReLU) maps to the teacher's width. With tau_q unlike tau_g, L is not 0 at a perfect student. The
paper finds N(i) in the whole training set; this variant, as PDRD's authors ran it, in the batch.
"""

from __future__ import annotations

from torch import Tensor, nn

from methods.base import Method, Outputs, Paper, Widths
from methods.relations import divergence, normalise, require_batch


class CSD(Method):
    """Match similarities to neighbours; `neighbours` is K, 0 takes the whole batch.

    `tau_q` is the student's temperature, `tau_g` the teacher's; `projector` is trained.
    """

    name = "csd"
    label = "CSD"
    paper = Paper(
        authors="Wu, Wang, Zhou, Li and Tian",
        title="Contextual Similarity Distillation for Asymmetric Image Retrieval",
        venue="CVPR",
        year=2022,
        url="https://openaccess.thecvf.com/content/CVPR2022/html/Wu_Contextual_Similarity_"
        "Distillation_for_Asymmetric_Image_Retrieval_CVPR_2022_paper.html",
    )
    variants = ("pdrd",)

    def __init__(
        self,
        student: Widths,
        teacher: Widths,
        *,
        weight: float = 1.0,
        neighbours: int = 0,
        tau_q: float = 1.0,
        tau_g: float = 0.01,
        variant: str = "pdrd",
    ) -> None:
        super().__init__(student, teacher, weight=weight, variant=variant)
        self.neighbours, self.tau_q, self.tau_g = neighbours, tau_q, tau_g
        self.projector = nn.Sequential(
            nn.Conv2d(student.maps[-1], teacher.maps[-1], kernel_size=3, stride=2, padding=1),
            nn.BatchNorm2d(teacher.maps[-1]),
            nn.ReLU(),
        )

    def forward(self, student: Outputs, teacher: Outputs, labels: Tensor) -> Tensor:
        require_batch(teacher.pooled, max(2, self.neighbours), self.name)
        queries = self.projector(student.maps[-1]).mean(dim=(2, 3))
        return self.contextual_divergence(queries, teacher.pooled.detach())

    def contextual_divergence(self, queries: Tensor, gallery: Tensor) -> Tensor:
        """KL(p || q) over each image's neighbours: (B, C), (B, C) -> ()."""
        unit = normalise(gallery)
        similarity = unit @ unit.T
        nearest = similarity.topk(self.neighbours or len(unit), dim=1).indices
        target = similarity.gather(1, nearest)
        source = (normalise(queries) @ unit.T).gather(1, nearest)
        return divergence(source / self.tau_q, target / self.tau_g)

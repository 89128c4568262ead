r"""Contextual similarity distillation: match similarities to the teacher's nearest neighbours.

With t_i the teacher's pooled features, s_i the student's brought to the teacher's width by the
projector, g_k the gallery, all of unit length, and N(i) the K rows of the gallery nearest to t_i,

    p_ik = softmax_{k in N(i)} (<t_i, g_k> / tau_g)  # (B, K)
    q_ik = softmax_{k in N(i)} (<s_i, g_k> / tau_q)  # (B, K)
    L = 1 / B sum_i KL(p_i || q_i)

The variant `pdrd`, as PDRD's authors ran it, takes the batch's t for the gallery (i itself comes
first), and a 3x3 convolution of stride 2, BatchNorm, ReLU and pooling for the projector. The
variant `original` takes the teacher's features of the whole training set, as the paper does, and a
linear projector. With tau_q unlike tau_g, L is not 0 at a perfect student.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from methods.base import Method, Outputs, Paper, Widths
from methods.relations import divergence, normalise, require_batch

log = logging.getLogger(__name__)


class CSD(Method):
    """Loss that matches similarities to neighbours; `projector` is trained.

    `bank`, (N, C_teacher), holds unit rows; it is empty before `prepare` and in the variant `pdrd`.
    The paper's own K and temperatures could not be checked: K = 96 is PDRD's authors' batch.

    Args:
        weight: Factor of the loss.
        neighbours: K, the neighbours of each image that are compared; 0: the whole gallery.
        tau_q: Temperature of the student's similarities.
        tau_g: Temperature of the teacher's similarities.
        variant: Gallery: the batch (`pdrd`), or the whole training set (`original`).
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
    variants: ClassVar = {"pdrd": {"neighbours": 0}, "original": {"neighbours": 96}}

    bank: Tensor

    def __init__(
        self,
        student: Widths,
        teacher: Widths,
        *,
        weight: float = 1.0,
        neighbours: int | None = None,
        tau_q: float = 1.0,
        tau_g: float = 0.01,
        variant: str = "pdrd",
    ) -> None:
        super().__init__(student, teacher, weight=weight, variant=variant)
        self.neighbours = self.of_variant("neighbours", neighbours)
        self.tau_q, self.tau_g = tau_q, tau_g
        ours, theirs = student.maps[-1], teacher.maps[-1]
        self.projector: nn.Module
        if variant == "pdrd":
            convolution = nn.Conv2d(ours, theirs, kernel_size=3, stride=2, padding=1)
            self.projector = nn.Sequential(convolution, nn.BatchNorm2d(theirs), nn.ReLU())
        else:
            self.projector = nn.Linear(ours, theirs)
        self.register_buffer("bank", torch.zeros(0, theirs))

    def prepare(self, batches: Callable[[], Iterable[Outputs]], generator: torch.Generator) -> None:
        """Fill the bank with the teacher's features of the training set (variant `original`)."""
        if self.variant == "pdrd":
            return
        rows = [normalise(batch.pooled.detach()).cpu() for batch in batches()]
        self.bank = torch.cat(rows).to(self.bank)
        if len(self.bank) < self.neighbours:
            log.warning("csd seeks %d neighbours in %d images", self.neighbours, len(self.bank))

    def forward(self, student: Outputs, teacher: Outputs, labels: Tensor) -> Tensor:
        taught = normalise(teacher.pooled.detach())
        if self.variant == "pdrd":
            require_batch(taught, max(2, self.neighbours), self.name)
            queries = self.projector(student.maps[-1]).mean(dim=(2, 3))
            return self.contextual_divergence(queries, taught, taught)
        if not len(self.bank):
            raise ValueError(f"{self.name} has no bank yet: `prepare` has not run.")
        return self.contextual_divergence(self.projector(student.pooled), taught, self.bank)

    def contextual_divergence(self, queries: Tensor, taught: Tensor, gallery: Tensor) -> Tensor:
        """Compute KL(p || q) over each image's neighbours.

        Args:
            queries: (B, C), the student's features.
            taught: (B, C), the teacher's features, of unit length.
            gallery: (N, C), features of unit length.

        Returns:
            A scalar, the mean over the images.
        """
        similarity = taught @ gallery.T
        count = min(self.neighbours or len(gallery), len(gallery))
        nearest = similarity.topk(count, dim=1).indices
        target = similarity.gather(1, nearest)
        source = (normalise(queries) @ gallery.T).gather(1, nearest)
        return divergence(source / self.tau_q, target / self.tau_g)

    def _load_from_state_dict(self, state_dict: Mapping[str, Any], prefix: str, *rest: Any) -> None:
        """Accept a bank of any size, which is not known when the method is built."""
        if (stored := state_dict.get(f"{prefix}bank")) is not None:
            self.bank = self.bank.new_empty(stored.shape)
        super()._load_from_state_dict(state_dict, prefix, *rest)

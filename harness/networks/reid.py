"""A Re-ID network: a backbone of four stages, global average pooling, a head.

maps -> pooled = mean over H and W -> head -> embedding (retrieval), logits (classification)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor, nn

from methods import Outputs, Widths


class Backbone(nn.Module):
    """Images to stage maps; `widths` are their channel counts, shallow to deep."""

    widths: tuple[int, ...]

    def load_pretrained(self, state: Mapping[str, Any]) -> None:
        """Take over ImageNet weights in the form in which their publisher stores them."""
        raise NotImplementedError

    def forward(self, images: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
        """(B, 3, H, W) -> the stages' maps after their last ReLU, and the last map before it."""
        raise NotImplementedError


class ReID(nn.Module):
    """Backbone, pooling and head together; what every run trains and every table scores."""

    def __init__(self, backbone: Backbone, head: str, identities: int) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = HEADS[head](backbone.widths[-1], identities)
        self.widths = Widths(backbone.widths, self.head.embedding, identities)

    def forward(self, images: Tensor) -> Outputs:
        """(B, 3, H, W) float32, normalised -> `Outputs`."""
        maps, pre_relu = self.backbone(images)
        pooled = maps[-1].mean((2, 3))
        embedding, logits = self.head(pooled)
        return Outputs(maps, pre_relu, pooled, embedding, logits)


class Head(nn.Module):
    """Pooled features to the retrieval feature, `embedding` wide, and the logits."""

    embedding: int

    def forward(self, pooled: Tensor) -> tuple[Tensor, Tensor]:
        """(B, C) -> (B, embedding), (B, K)."""
        raise NotImplementedError


class BNNeck(Head):
    """Batch normalisation between pooling and a bias-free classifier (Luo et al., CVPRW 2019)."""

    def __init__(self, width: int, identities: int) -> None:
        super().__init__()
        self.embedding = width
        self.neck = nn.BatchNorm1d(width)
        self.neck.bias.requires_grad_(False)  # as its authors do: features stay centred
        self.classifier = nn.Linear(width, identities, bias=False)
        nn.init.normal_(self.classifier.weight, std=0.001)

    def forward(self, pooled: Tensor) -> tuple[Tensor, Tensor]:
        embedding = self.neck(pooled)
        return embedding, self.classifier(embedding)


class FC256(Head):
    """A 256-d retrieval feature, batch-normalised before the classifier (VRKD)."""

    def __init__(self, width: int, identities: int) -> None:
        super().__init__()
        self.embedding = 256
        self.reduce = nn.Linear(width, 256)
        self.neck = nn.BatchNorm1d(256)
        self.classifier = nn.Linear(256, identities)

    def forward(self, pooled: Tensor) -> tuple[Tensor, Tensor]:
        embedding = self.reduce(pooled)
        return embedding, self.classifier(self.neck(embedding))


HEADS: dict[str, Callable[[int, int], Head]] = {"bnneck": BNNeck, "fc256": FC256}


def as_float32(outputs: Outputs) -> Outputs:
    """The same outputs with every tensor in float32, as losses want them."""
    return Outputs(
        tuple(m.float() for m in outputs.maps),
        outputs.pre_relu.float(),
        outputs.pooled.float(),
        outputs.embedding.float(),
        outputs.logits.float(),
    )

"""A Re-ID network: a backbone of four stages, global average pooling, a head.

maps -> pooled = mean over H and W -> head -> embedding (retrieval), logits (classification)

Heads see the last map too: VRKD's teachers pool it in their own way.
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
        raise NotImplementedError(f"{type(self).__name__} has no published weights.")

    def forward(self, images: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
        """(B, 3, H, W) -> the stages' maps after their last ReLU, and the last map before it."""
        raise NotImplementedError


class ReIDNetwork(nn.Module):
    """Backbone, pooling and head together; what every run trains and every table scores."""

    def __init__(self, backbone: Backbone, head: Head) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head
        self.widths = Widths(backbone.widths, head.embedding, head.identities)

    def forward(self, images: Tensor) -> Outputs:
        """(B, 3, H, W) float32, normalised -> `Outputs`."""
        maps, pre_relu = self.backbone(images)
        pooled = maps[-1].mean((2, 3))
        embedding, logits = self.head(pooled, maps[-1])
        return Outputs(maps, pre_relu, pooled, embedding, logits)


class Head(nn.Module):
    """Features to the retrieval feature, `embedding` wide, and the logits of `identities`."""

    def __init__(self, embedding: int, identities: int) -> None:
        super().__init__()
        self.embedding, self.identities = embedding, identities

    def forward(self, pooled: Tensor, last_map: Tensor) -> tuple[Tensor, Tensor]:
        """(B, C), (B, C, H, W) -> (B, embedding), (B, K)."""
        raise NotImplementedError


class BNNeck(Head):
    """Batch normalisation between pooling and a bias-free classifier (Luo et al., CVPRW 2019)."""

    def __init__(self, width: int, identities: int) -> None:
        super().__init__(width, identities)
        self.neck = nn.BatchNorm1d(width)
        self.neck.bias.requires_grad_(False)  # as its authors do: features stay centred
        self.classifier = nn.Linear(width, identities, bias=False)
        nn.init.normal_(self.classifier.weight, std=0.001)

    def forward(self, pooled: Tensor, last_map: Tensor) -> tuple[Tensor, Tensor]:
        embedding = self.neck(pooled)
        return embedding, self.classifier(embedding)


class FC256(Head):
    """A 256-d retrieval feature, batch-normalised before the classifier (VRKD)."""

    def __init__(self, width: int, identities: int) -> None:
        super().__init__(256, identities)
        self.reduce = nn.Linear(width, 256)
        self.neck = nn.BatchNorm1d(256)
        self.classifier = nn.Linear(256, identities)

    def forward(self, pooled: Tensor, last_map: Tensor) -> tuple[Tensor, Tensor]:
        embedding = self.reduce(pooled)
        return embedding, self.classifier(self.neck(embedding))


class ClassBlock(Head):
    """Norm, ReLU, a quarter of the width, norm, classifier: the head of PDRD's authors' later code.

    A ResNet-18 is retrieved by 128 entries, a ResNet-101 by 512.
    """

    def __init__(self, width: int, identities: int) -> None:
        super().__init__(width // 4, identities)
        self.reduce = nn.Sequential(
            nn.BatchNorm1d(width),
            nn.ReLU(),
            nn.Linear(width, width // 4, bias=False),
            nn.BatchNorm1d(width // 4),
        )
        self.classifier = nn.Linear(width // 4, identities, bias=False)

    def forward(self, pooled: Tensor, last_map: Tensor) -> tuple[Tensor, Tensor]:
        embedding = self.reduce(pooled)
        return embedding, self.classifier(embedding)


HEADS: dict[str, Callable[[int, int], Head]] = {
    "bnneck": BNNeck,
    "fc256": FC256,
    "classblock": ClassBlock,
}


def as_float32(outputs: Outputs) -> Outputs:
    """The same outputs with every tensor in float32, as losses want them."""
    return Outputs(
        tuple(m.float() for m in outputs.maps),
        outputs.pre_relu.float(),
        outputs.pooled.float(),
        outputs.embedding.float(),
        outputs.logits.float(),
    )


def max_pool(stem: str) -> nn.MaxPool2d:
    """The pooling of the stem: torchvision's 3x3, or 2x2 as in PDRD's authors' later code."""
    return nn.MaxPool2d(2) if stem == "2x2" else nn.MaxPool2d(3, stride=2, padding=1)

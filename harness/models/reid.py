"""Re-identification networks: a backbone of several stages, global average pooling and a head.

    maps -> pooled = mean over H and W -> head -> embedding (for retrieval), logits (for training)

Heads also receive the last map, because VRKD's teachers pool it differently.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor, nn

from methods import Outputs, Widths


class Backbone(nn.Module):
    """Base class of backbones, which map images to the feature maps of their stages.

    Attributes:
        widths: Number of channels of each returned map, from shallow to deep.
    """

    widths: tuple[int, ...]

    def rename_published(self, state: Mapping[str, Any]) -> dict[str, Any]:
        """Return published ImageNet weights under the names of this backbone, for all its tensors.

        Args:
            state: The state dictionary that the publisher distributes.

        Raises:
            NotImplementedError: No weights were published for this backbone.
        """
        raise NotImplementedError(f"{type(self).__name__} has no published weights.")

    def load_pretrained(self, state: Mapping[str, Any]) -> None:
        """Load ImageNet weights, given as the state dictionary that their publisher distributes.

        Raises:
            NotImplementedError: No weights were published for this backbone.
            RuntimeError: The weights do not fit.
        """
        self.load_state_dict(self.rename_published(state))

    def forward(self, images: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
        """Compute the feature maps of every stage.

        Args:
            images: (B, 3, H, W) float32, normalised.

        Returns:
            The maps (B, C, h, w) of the stages after their last ReLU, C as in `widths`; and the
            last of them before that ReLU.
        """
        raise NotImplementedError


class Head(nn.Module):
    """Base class of heads, which map features to an embedding and to logits.

    Args:
        embedding: D, the width of the embedding.
        identities: K, the number of training identities.
    """

    def __init__(self, embedding: int, identities: int) -> None:
        super().__init__()
        self.embedding, self.identities = embedding, identities

    def forward(self, pooled: Tensor, last_map: Tensor) -> tuple[Tensor, Tensor]:
        """Compute the embedding and the logits.

        Args:
            pooled: (B, C), the mean of the last map over its pixels.
            last_map: (B, C, h, w).

        Returns:
            The embedding (B, D), with which images are retrieved, and the logits (B, K).
        """
        raise NotImplementedError


class ReIDNetwork(nn.Module):
    """Backbone, global average pooling and head; students and teachers alike.

    Attributes:
        widths: Channels of the backbone's maps, width of the embedding, number of identities.
    """

    def __init__(self, backbone: Backbone, head: Head) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head
        self.widths = Widths(backbone.widths, head.embedding, head.identities)

    def forward(self, images: Tensor) -> Outputs:
        """(B, 3, H, W) float32, normalised -> `Outputs` of the batch."""
        maps, pre_relu = self.backbone(images)
        pooled = maps[-1].mean((2, 3))
        embedding, logits = self.head(pooled, maps[-1])
        return Outputs(maps, pre_relu, pooled, embedding, logits)


class BNNeck(Head):
    """Batch normalisation between pooling and a bias-free classifier (Luo et al., CVPRW 2019).

    The embedding is the normalised feature, as wide as the last map.
    """

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
    """A linear layer to 256 entries, batch normalisation and a classifier (VRKD).

    The embedding is the 256-dimensional feature before normalisation.
    """

    def __init__(self, width: int, identities: int) -> None:
        super().__init__(256, identities)
        self.reduce = nn.Linear(width, 256)
        self.neck = nn.BatchNorm1d(256)
        self.classifier = nn.Linear(256, identities)

    def forward(self, pooled: Tensor, last_map: Tensor) -> tuple[Tensor, Tensor]:
        embedding = self.reduce(pooled)
        return embedding, self.classifier(self.neck(embedding))


class ClassBlock(Head):
    """Normalisation, ReLU, a linear layer to a quarter of the width, normalisation, classifier.

    This is the head of the code that PDRD's authors published later. The embedding, after the
    second normalisation, has 128 entries for a ResNet-18 and 512 for a ResNet-101.
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
    """Return the outputs with every tensor in float32, in which losses are computed."""
    return Outputs(
        tuple(m.float() for m in outputs.maps),
        outputs.pre_relu.float(),
        outputs.pooled.float(),
        outputs.embedding.float(),
        outputs.logits.float(),
    )


def make_stem_pooling(stem: str) -> nn.MaxPool2d:
    """Return the stem's max pooling: "3x3" as in torchvision, or "2x2".

    2x2 is the pooling of the code that PDRD's authors published later. Both halve the map.
    """
    return nn.MaxPool2d(2) if stem == "2x2" else nn.MaxPool2d(3, stride=2, padding=1)

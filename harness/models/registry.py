"""The registry of networks, and of ensembles of networks that act as one teacher."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from harness.models.cnn import CNN, SDCCNN
from harness.models.densenet import DenseNet
from harness.models.directional import DIRECTIONS, DirectionalHead
from harness.models.reid import Backbone, Head
from harness.models.resnet import ResNet


@dataclass(frozen=True, slots=True)
class NetworkEntry:
    """Registration of a network.

    Attributes:
        backbone: Factory of the backbone. Adjustable networks take `last_stride` and `stem`.
        pretrained: Torchvision's name of the network whose ImageNet weights the backbone loads;
            None if no weights were published.
        head: Factory (last map's channels, identities) of the network's own head, which replaces
            the head that a run chooses; None for networks that take any head.
    """

    backbone: Callable[..., Backbone]
    pretrained: str | None
    head: Callable[[int, int], Head] | None = None

    @property
    def is_adjustable(self) -> bool:
        """True if the last stride and the stem can be chosen."""
        return self.pretrained is not None


def _torchvision_entry(backbone: Callable[..., Backbone], name: str) -> NetworkEntry:
    return NetworkEntry(partial(backbone, name), name)


def _directional_entry(direction: str) -> NetworkEntry:
    head = partial(DirectionalHead, kind=direction)
    return NetworkEntry(partial(ResNet, "resnet18"), "resnet18", head)


NETWORKS: dict[str, NetworkEntry] = {
    "resnet18": _torchvision_entry(ResNet, "resnet18"),
    "resnet34": _torchvision_entry(ResNet, "resnet34"),
    "resnet50": _torchvision_entry(ResNet, "resnet50"),
    "resnet101": _torchvision_entry(ResNet, "resnet101"),
    "densenet121": _torchvision_entry(DenseNet, "densenet121"),
    "cnn5": NetworkEntry(CNN, None),
    # The name states it wherever it is printed: this is not its authors' network.
    "sdc-cnn-reconstructed": NetworkEntry(SDCCNN, None),
    **{f"resnet18-{direction}": _directional_entry(direction) for direction in DIRECTIONS},
}

ENSEMBLES: dict[str, tuple[str, ...]] = {
    # VRKD's teacher (section 3.2).
    "resnet18-directional": tuple(f"resnet18-{direction}" for direction in DIRECTIONS),
}

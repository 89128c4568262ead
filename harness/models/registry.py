"""The networks by name, and teams of networks that make one teacher."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from harness.models.cnn import CNN, SDCCNN
from harness.models.densenet import DenseNet
from harness.models.directional import KINDS, Directional
from harness.models.reid import Backbone, Head
from harness.models.resnet import ResNet


@dataclass(frozen=True, slots=True)
class NetworkEntry:
    """What the catalogue knows of a network."""

    backbone: Callable[..., Backbone]
    pretrained: str | None  # torchvision's name for its ImageNet weights; None: has none
    head: Callable[[int, int], Head] | None = None  # its own, whatever head a run asks for

    @property
    def adjustable(self) -> bool:
        """Whether last stride and stem can be chosen."""
        return self.pretrained is not None


def _torchvision(kind: Callable[..., Backbone], name: str) -> NetworkEntry:
    return NetworkEntry(partial(kind, name), name)


NETWORKS: dict[str, NetworkEntry] = {
    name: _torchvision(ResNet, name) for name in ("resnet18", "resnet34", "resnet50", "resnet101")
}
NETWORKS["densenet121"] = _torchvision(DenseNet, "densenet121")
NETWORKS["cnn5"] = NetworkEntry(CNN, None)
NETWORKS["sdc-cnn-reconstructed"] = NetworkEntry(SDCCNN, None)  # wherever it is printed, it says so
for kind in KINDS:
    NETWORKS[f"resnet18-{kind}"] = NetworkEntry(
        partial(ResNet, "resnet18"), "resnet18", partial(Directional, kind=kind)
    )

ENSEMBLES: dict[str, tuple[str, ...]] = {
    "resnet18-directional": tuple(f"resnet18-{kind}" for kind in KINDS),  # VRKD's teacher
}

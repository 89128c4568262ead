"""The registry of networks, and of ensembles of networks that act as one teacher."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # needs torch
    from harness.models.reid import Backbone, Head

DIRECTIONS = ("hap", "vap", "dap", "aap")  # of pooling, see harness/models/directional.py


@dataclass(frozen=True, slots=True)
class Factory:
    """A class of backbones or heads, which is imported when it is loaded.

    Attributes:
        module: Its module in this package.
        name: Its name.
        args: Its first arguments.
        keywords: Its arguments by name.
    """

    module: str
    name: str
    args: tuple[Any, ...] = ()
    keywords: Mapping[str, Any] = field(default_factory=dict)

    def load(self) -> Callable[..., Any]:
        """Import the class; return it with its arguments."""
        kind = getattr(import_module(f"harness.models.{self.module}"), self.name)
        return partial(kind, *self.args, **self.keywords)


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

    backbone: Factory | Callable[..., Backbone]
    pretrained: str | None
    head: Factory | Callable[[int, int], Head] | None = None

    @property
    def is_adjustable(self) -> bool:
        """True if the last stride and the stem can be chosen."""
        return self.pretrained is not None


def _torchvision_entry(
    module: str, kind: str, name: str, head: Factory | None = None
) -> NetworkEntry:
    return NetworkEntry(Factory(module, kind, (name,)), name, head)


def _directional_entry(direction: str) -> NetworkEntry:
    head = Factory("directional", "DirectionalHead", keywords={"kind": direction})
    return _torchvision_entry("resnet", "ResNet", "resnet18", head)


NETWORKS: dict[str, NetworkEntry] = {
    "resnet18": _torchvision_entry("resnet", "ResNet", "resnet18"),
    "resnet34": _torchvision_entry("resnet", "ResNet", "resnet34"),
    "resnet50": _torchvision_entry("resnet", "ResNet", "resnet50"),
    "resnet101": _torchvision_entry("resnet", "ResNet", "resnet101"),
    "densenet121": _torchvision_entry("densenet", "DenseNet", "densenet121"),
    "cnn5": NetworkEntry(Factory("cnn", "CNN"), None),
    # The name states it wherever it is printed: this is not its authors' network.
    "sdc-cnn-reconstructed": NetworkEntry(Factory("cnn", "SDCCNN"), None),
    **{f"resnet18-{direction}": _directional_entry(direction) for direction in DIRECTIONS},
}

ENSEMBLES: dict[str, tuple[str, ...]] = {
    # VRKD's teacher (section 3.2).
    "resnet18-directional": tuple(f"resnet18-{direction}" for direction in DIRECTIONS),
}

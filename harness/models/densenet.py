"""Torchvision's DenseNet-121 as a backbone of four stages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn
from torchvision import models

from harness.models.reid import Backbone, make_stem_pooling


class DenseNet(Backbone):
    """A DenseNet without its classifier (Huang et al., CVPR 2017).

    A stage's map is taken after the batch normalisation and the ReLU that follow its dense block.

    Args:
        name: Torchvision's name, such as "densenet121".
        last_stride: With 1 the last transition does not halve the map: an image of H x W gives maps
            of 1/4, 1/8, 1/16 and 1/16 of its height and width. With 2 the last is 1/32.
        stem: Max pooling of the stem, "3x3" or "2x2".

    Attributes:
        widths: (256, 512, 1024, 1024) for DenseNet-121.
    """

    def __init__(self, name: str, *, last_stride: int = 1, stem: str = "3x3") -> None:
        super().__init__()
        body = models.get_model(name, weights=None).features
        self.stem = nn.Sequential(body.conv0, body.norm0, body.relu0, make_stem_pooling(stem))
        self.blocks = nn.ModuleList(getattr(body, f"denseblock{n}") for n in (1, 2, 3, 4))
        transitions = [getattr(body, f"transition{n}") for n in (1, 2, 3)]
        self.norms = nn.ModuleList([*(t.norm for t in transitions), body.norm5])
        self.convolutions = nn.ModuleList(t.conv for t in transitions)
        strides = (2, 2, last_stride)
        self.pools = nn.ModuleList(nn.AvgPool2d(s) if s > 1 else nn.Identity() for s in strides)
        self.widths = (*(t.norm.num_features for t in transitions), body.norm5.num_features)

    def forward(self, images: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
        maps, current = [], self.stem(images)
        for number, (block, norm) in enumerate(zip(self.blocks, self.norms, strict=True)):
            pre_relu = norm(block(current))
            maps.append(pre_relu.relu())
            if number < len(self.pools):
                current = self.pools[number](self.convolutions[number](maps[-1]))
        return tuple(maps), pre_relu

    def rename_published(self, state: Mapping[str, Any]) -> dict[str, Any]:
        """Return torchvision's weights under this module's names, without the classifier's."""
        return {_rename_key(k): v for k, v in state.items() if not k.startswith("classifier.")}


_KEY_PATTERNS = [
    (r"^conv0\.", "stem.0."),
    (r"^norm0\.", "stem.1."),
    (r"^norm5\.", "norms.3."),
    *((rf"^denseblock{n}\.", f"blocks.{n - 1}.") for n in (1, 2, 3, 4)),
    *((rf"^transition{n}\.norm\.", f"norms.{n - 1}.") for n in (1, 2, 3)),
    *((rf"^transition{n}\.conv\.", f"convolutions.{n - 1}.") for n in (1, 2, 3)),
]


def _rename_key(key: str) -> str:
    """Translate a key of torchvision's state dictionary to this module's."""
    key = key.removeprefix("features.")
    # Files of torchvision's first release write the parts of a dense layer as norm.1, conv.2.
    key = re.sub(r"\.(norm|relu|conv)\.([12])\.", r".\1\2.", key)
    for pattern, replacement in _KEY_PATTERNS:
        key = re.sub(pattern, replacement, key)
    return key

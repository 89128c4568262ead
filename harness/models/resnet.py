"""Torchvision's residual networks as backbones of four stages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn
from torchvision import models
from torchvision.models.resnet import BasicBlock, Bottleneck

from harness.models.reid import Backbone, make_stem_pooling


class ResNet(Backbone):
    """A ResNet without its classifier (He et al., CVPR 2016).

    Args:
        name: Torchvision's name, such as "resnet18".
        last_stride: With 1 the fourth stage keeps the resolution of the third: an image of H x W
            gives maps of 1/4, 1/8, 1/16 and 1/16 of its height and width. With 2 the last is 1/32.
        stem: Max pooling of the stem, "3x3" or "2x2".

    Attributes:
        widths: (64, 128, 256, 512) for basic blocks, four times that for bottlenecks.
    """

    def __init__(self, name: str, *, last_stride: int = 1, stem: str = "3x3") -> None:
        super().__init__()
        # Residual branches that start at zero let a network without pre-training start learning
        # at once; where pre-trained weights are loaded they overwrite this.
        body = models.get_model(name, weights=None, zero_init_residual=True)
        self.stem = nn.Sequential(body.conv1, body.bn1, body.relu, make_stem_pooling(stem))
        self.stages = nn.ModuleList([body.layer1, body.layer2, body.layer3, body.layer4])
        if last_stride == 1:
            _keep_resolution(body.layer4[0])
        expansion = body.layer1[0].expansion
        self.widths = tuple(width * expansion for width in (64, 128, 256, 512))

    def forward(self, images: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
        maps = []
        current = self.stem(images)
        for stage in self.stages[:-1]:
            current = stage(current)
            maps.append(current)
        last = list(self.stages[-1].children())
        for block in last[:-1]:
            current = block(current)
        pre_relu = residual_sum(last[-1], current)
        return (*maps, pre_relu.relu()), pre_relu

    def rename_published(self, state: Mapping[str, Any]) -> dict[str, Any]:
        """Return torchvision's weights under this module's names, without the classifier's."""
        return {_rename_key(k): v for k, v in state.items() if not k.startswith("fc.")}


_PARTS = {"conv1": "stem.0", "bn1": "stem.1"} | {f"layer{n + 1}": f"stages.{n}" for n in range(4)}


def _rename_key(key: str) -> str:
    """Translate a key of torchvision's state dictionary to this module's."""
    part, _, rest = key.partition(".")
    return f"{_PARTS.get(part, part)}.{rest}"


def residual_sum(block: nn.Module, inputs: Tensor) -> Tensor:
    """Compute the output of a residual block before the ReLU that ends it.

    Args:
        block: Torchvision's `BasicBlock` or `Bottleneck`.
        inputs: (B, C_in, h, w).

    Returns:
        (B, C_out, h', w'), halved if the block has stride 2.

    Raises:
        TypeError: The block is of another class.
    """
    if isinstance(block, BasicBlock):
        layers = [(block.conv1, block.bn1), (block.conv2, block.bn2)]
    elif isinstance(block, Bottleneck):
        layers = [(block.conv1, block.bn1), (block.conv2, block.bn2), (block.conv3, block.bn3)]
    else:
        raise TypeError(f"{type(block).__name__} is not one of torchvision's residual blocks.")
    current = inputs
    for number, (convolution, normalisation) in enumerate(layers, 1):
        current = normalisation(convolution(current))
        if number < len(layers):
            current = current.relu()
    skip = inputs if block.downsample is None else block.downsample(inputs)
    return current + skip


def _keep_resolution(block: nn.Module) -> None:
    """Set the stride of a stage's first block to 1."""
    for module in block.modules():
        if isinstance(module, nn.Conv2d) and module.stride == (2, 2):
            module.stride = (1, 1)

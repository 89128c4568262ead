"""torchvision's residual networks, tapped after every stage.

With last stride 1, the default, the fourth stage keeps the third one's resolution: an image of
H x W gives maps of 1/4, 1/8, 1/16 and 1/16 of its height and width. With 2 it halves it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn
from torchvision import models
from torchvision.models.resnet import BasicBlock, Bottleneck

from harness.models.reid import Backbone, max_pool


class ResNet(Backbone):
    """A ResNet without its classifier, in four stages.

    Attributes:
        widths: (64, 128, 256, 512) for basic blocks, four times that for bottlenecks.
    """

    def __init__(self, name: str, *, last_stride: int = 1, stem: str = "3x3") -> None:
        super().__init__()
        # Residual branches that start at zero let a network without pre-training start learning
        # at once; where pre-trained weights are loaded they overwrite this.
        body = models.get_model(name, weights=None, zero_init_residual=True)
        self.stem = nn.Sequential(body.conv1, body.bn1, body.relu, max_pool(stem))
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
        pre_relu = before_relu(last[-1], current)
        return (*maps, pre_relu.relu()), pre_relu

    def load_pretrained(self, state: Mapping[str, Any]) -> None:
        """Take torchvision's weights of the same network; its classifier is left out."""
        renamed = {
            _RENAMED.get(key.partition(".")[0], key.partition(".")[0])
            + "."
            + key.partition(".")[2]: v
            for key, v in state.items()
            if not key.startswith("fc.")
        }
        self.load_state_dict(renamed)


_RENAMED = {"conv1": "stem.0", "bn1": "stem.1"} | {f"layer{n + 1}": f"stages.{n}" for n in range(4)}


def before_relu(block: nn.Module, inputs: Tensor) -> Tensor:
    """What a residual block adds up, before the ReLU that ends it: (B, C, H, W)."""
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

"""The two networks of VRKD's tables that are trained from scratch: the five-layer CNN and SDC-CNN.

SDC-CNN (Zhu et al., "short and densely connected") is a reconstruction: its authors published no
code, and the layout here is the one that meets the parameters and operations VRKD prints for it
(10.86 M, 9.2 G at 128x128), out of many that come close.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from harness.models.reid import Backbone


class CNN(Backbone):
    """Five times convolution, batch normalisation, 3x3 max pooling of stride 2, ReLU.

    Pooling before the ReLU gives the same numbers as after it, and the map before the ReLU with
    them. The last four of the five maps are shown.
    """

    widths = (64, 128, 192, 256)

    def __init__(self) -> None:
        super().__init__()
        channels, kernels = (3, 32, *self.widths), (5, 5, 3, 3, 3)
        self.stages = nn.ModuleList(
            nn.Sequential(conv_bn(inputs, outputs, kernel), nn.MaxPool2d(3, stride=2, padding=1))
            for inputs, outputs, kernel in zip(channels, channels[1:], kernels, strict=False)
        )

    def forward(self, images: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
        maps, current = [], images
        for stage in self.stages:
            pre_relu = stage(current)
            current = pre_relu.relu()
            maps.append(current)
        return tuple(maps[1:]), pre_relu


class ShortDenseUnit(nn.Module):
    """A few convolutions of one width, each seeing the input and all before it."""

    def __init__(self, inputs: int, width: int, layers: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            conv_bn(inputs + number * width, width, 3) for number in range(layers)
        )

    def forward(self, images: Tensor) -> Tensor:
        """(B, inputs, H, W) -> (B, width, H, W), before its ReLU."""
        seen = [images]
        for layer in self.layers:
            pre_relu: Tensor = layer(torch.cat(seen, dim=1))
            seen.append(pre_relu.relu())
        return pre_relu


class SDCCNN(Backbone):
    """A 5x5 convolution, then four times 3x3 max pooling of stride 2 and a short dense unit."""

    widths = (128, 128, 128, 320)

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(conv_bn(3, 64, 5), nn.ReLU())
        inputs, layers = (64, *self.widths), (5, 3, 3, 4)
        self.stages = nn.ModuleList(
            nn.Sequential(
                nn.MaxPool2d(3, stride=2, padding=1), ShortDenseUnit(before, width, count)
            )
            for before, width, count in zip(inputs, self.widths, layers, strict=False)
        )

    def forward(self, images: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
        maps, current = [], self.stem(images)
        for stage in self.stages:
            pre_relu = stage(current)
            current = pre_relu.relu()
            maps.append(current)
        return tuple(maps), pre_relu


def conv_bn(inputs: int, outputs: int, kernel: int) -> nn.Sequential:
    """Convolution of unchanged size and BN: (B, inputs, H, W) -> (B, outputs, H, W)."""
    convolution = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs))

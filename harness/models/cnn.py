"""The two networks of VRKD's Table 1 that are trained from scratch: a five-layer CNN and SDC-CNN.

SDC-CNN (Zhu et al., "short and densely connected") is a reconstruction, since its authors published
no code. Of the layouts that were tried, the one here has the parameters and operations that VRKD
prints (10.86 M, 9.2 G at 128x128).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from harness.models.reid import Backbone


class CNN(Backbone):
    """Five stages of convolution, batch normalisation, 3x3 max pooling of stride 2 and ReLU.

    The maps of the last four stages are returned; an image of H x W gives maps of 1/4 to 1/32 of
    its height and width.
    """

    widths = (64, 128, 192, 256)

    def __init__(self) -> None:
        super().__init__()
        channels, kernels = (3, 32, *self.widths), (5, 5, 3, 3, 3)
        # Max pooling commutes with ReLU. Pooling first makes the map before the ReLU available.
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
    """Convolutions of one width, each of which receives the input and all previous outputs.

    Args:
        inputs: Number of channels of the input.
        width: Number of channels of each convolution's output.
        layers: Number of convolutions.
    """

    def __init__(self, inputs: int, width: int, layers: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            conv_bn(inputs + number * width, width, 3) for number in range(layers)
        )

    def forward(self, images: Tensor) -> Tensor:
        """(B, inputs, H, W) -> (B, width, H, W), the last convolution's output before its ReLU."""
        maps = [images]
        for layer in self.layers:
            pre_relu: Tensor = layer(torch.cat(maps, dim=1))
            maps.append(pre_relu.relu())
        return pre_relu


class SDCCNN(Backbone):
    """A 5x5 convolution, then four stages of 3x3 max pooling of stride 2 and a short dense unit.

    An image of H x W gives maps of 1/2 to 1/16 of its height and width.
    """

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
    """Return a convolution that keeps the map's size, and its batch normalisation.

    Args:
        inputs: Number of input channels.
        outputs: Number of output channels.
        kernel: Height and width of the kernel, an odd number.
    """
    convolution = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs))

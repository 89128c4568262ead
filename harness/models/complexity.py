"""Parameters and multiply-accumulate operations (MACs) of a network.

Operations are counted by torch's own operator counter. There are two counts, because papers mean
different things by FLOPs: convolutions and linear layers alone, and in addition what VRKD's numbers
(Table 1) count for batch normalisation (2 per element), ReLU and pooling (1 per element).
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

aten = torch.ops.aten


@dataclass(frozen=True, slots=True)
class Complexity:
    """Size of a network, and its cost for one image.

    Attributes:
        parameters: Number of parameters.
        macs: MACs of convolutions and linear layers; half of torch's FLOPs.
        macs_with_rest: `macs`, and those of batch normalisation, ReLU and pooling.
    """

    parameters: int
    macs: int
    macs_with_rest: int


def measure_complexity(network: nn.Module, height: int, width: int) -> Complexity:
    """Count the parameters and the MACs of a network in evaluation mode.

    The shape of one image (1, 3, height, width) goes through a copy on the meta device: nothing is
    computed, and the network keeps its device, mode and state.

    Args:
        network: Network that takes a batch of images.
        height: Height of the image in pixels.
        width: Width of the image in pixels.
    """
    shapes = copy.deepcopy(network).to("meta").eval()
    counter = FlopCounterMode(display=False, custom_mapping=_EXTRA_OPERATORS)
    with torch.no_grad(), counter:
        shapes(torch.zeros(1, 3, height, width, device="meta"))
    flops = counter.get_flop_counts()["Global"]
    extra = sum(flops.get(operator, 0) for operator in _EXTRA_OPERATORS)
    return Complexity(
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        macs=(sum(flops.values()) - extra) // 2,
        macs_with_rest=sum(flops.values()) // 2,
    )


def _macs_per_element(macs: int) -> Callable[..., int]:
    """Return a counter of `macs` MACs for every element of an operator's first argument."""

    def count_flops(shape: torch.Size, *_others: Any, out_shape: Any = None) -> int:  # noqa: ARG001
        return 2 * macs * prod(shape)

    return count_flops


_EXTRA_OPERATORS = {
    aten.native_batch_norm: _macs_per_element(2),
    aten._native_batch_norm_legit_no_training: _macs_per_element(2),
    aten.relu: _macs_per_element(1),
    aten.relu_: _macs_per_element(1),
    aten.max_pool2d_with_indices: _macs_per_element(1),
    aten.avg_pool2d: _macs_per_element(1),
    aten.mean: _macs_per_element(1),
}

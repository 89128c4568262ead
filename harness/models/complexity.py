"""Parameters and multiply-accumulates of a network, counted by torch's own operator counter.

Two counts, because papers mean different things by FLOPs: convolutions and linear layers alone,
and with what VRKD's numbers add for batch normalisation (2 an element), ReLU and pooling (1).
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
    """For one image; multiply-accumulates (MACs) are half of what torch calls FLOPs."""

    parameters: int
    macs: int  # of convolutions and linear layers
    macs_with_rest: int  # and of batch normalisation, ReLU and pooling


def measure_complexity(network: nn.Module, height: int, width: int) -> Complexity:
    """Send the shape of one image through a copy of `network` that has shapes but no numbers.

    Neither its device nor its mode matters, and nothing is computed.
    """
    shapes = copy.deepcopy(network).to("meta").eval()
    counter = FlopCounterMode(display=False, custom_mapping=_REST)
    with torch.no_grad(), counter:
        shapes(torch.zeros(1, 3, height, width, device="meta"))
    flops = counter.get_flop_counts()["Global"]
    rest = sum(flops.get(operator, 0) for operator in _REST)
    return Complexity(
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        macs=(sum(flops.values()) - rest) // 2,
        macs_with_rest=sum(flops.values()) // 2,
    )


def _each(weight: int) -> Callable[..., int]:
    """Count `weight` MACs for every element of an operator's first argument."""

    def flops(shape: torch.Size, *_others: Any, out_shape: Any = None) -> int:  # noqa: ARG001
        return 2 * weight * prod(shape)

    return flops


_REST = {
    aten.native_batch_norm: _each(2),
    aten._native_batch_norm_legit_no_training: _each(2),
    aten.relu: _each(1),
    aten.relu_: _each(1),
    aten.max_pool2d_with_indices: _each(1),
    aten.avg_pool2d: _each(1),
    aten.mean: _each(1),
}

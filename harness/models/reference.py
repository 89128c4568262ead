"""Describe what a network is and computes, in numbers that every machine reproduces.

Outputs are those for fixed images with fixed weights, in float64. Weights and images come from
integer arithmetic: no random generator and no rounding of a machine enters them. What training
starts from is described by sums over its initial weights.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import torch
from torch import Tensor, nn

from harness.models.reid import ReIDNetwork
from methods import Outputs

IDENTITIES, IMAGES = 5, 3
TOLERANCE = 1e-5  # of outputs and sums, as a share of their size
MIN_SIZE = 1e-9  # of an output, so that an all-zero one can be compared

Description = dict[str, Any]
Sum = tuple[float, float]  # a sum, and the sum of absolute values with which it is compared


def describe_network(network: ReIDNetwork, size: int) -> Description:
    """Describe a network as it starts; its weights are replaced.

    Args:
        network: The network as it starts, on the CPU.
        size: Height and width of the images.

    Returns:
        `tensors`, a digest of the names, shapes and kinds of parameters and buffers; `initial`,
        sums over the initial weights; `outputs`, sums over the outputs in evaluation and in
        training mode.
    """
    tensors = _describe_tensors(network)
    initial = dict(sorted(_sum_initial(network)))
    network.double()
    with torch.no_grad():
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                value.copy_(_fixed_weights(name, value))
        images = 2 * _fixed_values("images", (IMAGES, 3, size, size))
        outputs = {
            f"{mode}.{name}": _sum_weighted(name, value)
            for mode, is_training in (("evaluation", False), ("training", True))
            for name, value in _named(network.train(is_training)(images))
        }
    return {"tensors": tensors, "initial": initial, "outputs": outputs}


def as_record(described: Description) -> Description:
    """Return a description as JSON values: of each sum the sum alone."""
    sums = {
        part: {name: float(f"{total:.7g}") for name, (total, _) in described[part].items()}
        for part in ("initial", "outputs")
    }
    return {"tensors": described["tensors"], **sums}


def differences(described: Description, recorded: Description) -> list[str]:
    """Return the names of what differs between a network and its record, beyond rounding."""
    names = ["tensors"] if described["tensors"] != recorded["tensors"] else []
    for part in (part for part in ("initial", "outputs") if part in recorded):
        ours, theirs = described[part], recorded[part]
        names += [
            f"{part}.{name}"
            for name in sorted(ours.keys() | theirs.keys())
            if not _is_close(ours.get(name), theirs.get(name))
        ]
    return names


def _is_close(ours: Sum | None, recorded: float | None) -> bool:
    """Compare a sum with a recorded one."""
    if ours is None or recorded is None:
        return False
    return abs(ours[0] - recorded) <= TOLERANCE * max(ours[1], MIN_SIZE)


def _describe_tensors(network: nn.Module) -> str:
    """Return a digest of the names, shapes, types and kinds of a network's tensors."""
    trained = {name: p.requires_grad for name, p in network.named_parameters()}
    lines = [
        f"{name} {tuple(value.shape)} {value.dtype} {trained.get(name, 'buffer')}"
        for name, value in network.state_dict().items()
    ]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def _sum_initial(network: nn.Module) -> Iterator[tuple[str, Sum]]:
    """Yield sums of the initial weights by part of the network, of vectors and matrices apart."""
    sums: dict[str, float] = {}
    for name, value in network.named_parameters():
        part = ".".join(name.split(".")[: 3 if name.startswith("backbone") else 2])
        kind = "vectors" if value.ndim < 2 else "matrices"
        values = value.detach().double()
        total = float(values.square().sum() + values.abs().sum())
        sums[f"{part} {kind}"] = sums.get(f"{part} {kind}", 0.0) + total
    yield from ((name, (total, total)) for name, total in sums.items())


def _fixed_weights(name: str, value: Tensor) -> Tensor:
    """Return weights of a tensor's shape that keep the activations of a deep network bounded."""
    uniform = _fixed_values(name, tuple(value.shape))
    if name.endswith("running_var"):
        return 1 + uniform.abs()
    if value.ndim < 2:
        is_scale = name.endswith("weight")
        return 1 + uniform / 4 if is_scale else uniform / 4
    scale: float = (3 / value[0].numel()) ** 0.5
    return uniform * scale


def _fixed_values(name: str, shape: tuple[int, ...]) -> Tensor:
    """Return numbers from -1 to 1 that look random: (*shape) float64."""
    count = torch.Size(shape).numel()
    state = (torch.arange(count) * 2654435761 + zlib.crc32(name.encode())) % 2**32
    for shift in (15, 13):
        state = ((state ^ (state >> shift)) * 1103515245 + 12345) % 2**32
    return (state.double() / 2**31 - 1).view(shape)


def _sum_weighted(name: str, value: Tensor) -> Sum:
    """Return a sum in which every entry has another weight, and the sum of absolute values."""
    weighted = value * (1 + _fixed_values(name, tuple(value.shape)) / 2)
    return float(weighted.sum()), float(weighted.abs().sum())


def _named(outputs: Outputs) -> Iterator[tuple[str, Tensor]]:
    """Yield every tensor of outputs with its name."""
    for field in fields(Outputs):
        value = getattr(outputs, field.name)
        for number, tensor in enumerate(value if isinstance(value, tuple) else [value]):
            yield f"{field.name}.{number}" if isinstance(value, tuple) else field.name, tensor

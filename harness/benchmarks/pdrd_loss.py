"""Benchmark of PDRD's loss: by anchors against the broadcast, in time and in memory."""

from __future__ import annotations

import multiprocessing
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from harness.benchmarks.memory import peak
from methods import Outputs, Widths
from methods.pdrd import ACTIVATIONS, PDRD, differences
from methods.relations import cosines, lengths

FEATURES = 512
MIB = 1024  # KiB
LARGE = 256  # images; of smaller batches more repeats are made


@dataclass(frozen=True, slots=True)
class Measurement:
    """Seconds for one forward and backward pass (median), and MiB held beyond what came before."""

    seconds: float
    mebibytes: float


def broadcast(student: Tensor, teacher: Tensor) -> Tensor:
    """PDRD's Eq. 8 as one writes it down: every (B, B, B) tensor at once."""
    mish = ACTIVATIONS["mish"]
    gap = mish(differences(cosines(teacher))) - mish(differences(cosines(student)))
    return lengths(gap, dim=(1, 2)).mean()


def by_anchors(student: Tensor, teacher: Tensor) -> Tensor:
    """The same by `methods.pdrd`."""
    widths = Widths((1, 1, 1, FEATURES), FEATURES, 1)
    method = PDRD(widths, widths)
    nothing = student.new_empty(0)
    outputs = [Outputs((), nothing, pooled, nothing, nothing) for pooled in (student, teacher)]
    loss: Tensor = method(*outputs, nothing)
    return loss


WAYS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "broadcast": broadcast,
    "by anchors": by_anchors,
}


def pdrd_loss(images: int, repeats: int, threads: int) -> dict[str, Measurement]:
    """Time and peak memory of PDRD's loss and its gradient for a batch, both ways.

    The two ways take turns, so that a machine that slows down slows both.
    """
    repeats *= max(1, round((LARGE / images) ** 3))
    context = multiprocessing.get_context("spawn")  # a fork would inherit the parent's peak
    found: dict[str, list[Measurement]] = {name: [] for name in WAYS}
    for _ in range(3):
        for name in WAYS:
            with context.Pool(1) as pool:
                found[name].append(pool.apply(_measure, (name, images, repeats, threads)))
    return {
        name: Measurement(
            statistics.median(each.seconds for each in several),
            max(each.mebibytes for each in several),
        )
        for name, several in found.items()
    }


def _measure(name: str, images: int, repeats: int, threads: int) -> Measurement:
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    student = torch.randn(images, FEATURES).relu().requires_grad_()
    teacher = torch.randn(images, FEATURES).relu()
    torch.autograd.backward(WAYS[name](student[:8], teacher[:8]))  # loads what is loaded once
    before, seconds = peak(), []
    for _ in range(repeats):
        began = time.perf_counter()
        torch.autograd.backward(WAYS[name](student, teacher))
        seconds.append(time.perf_counter() - began)
    return Measurement(statistics.median(seconds), (peak() - before) / MIB)

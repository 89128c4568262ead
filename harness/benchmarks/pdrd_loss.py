"""Benchmark of PDRD's loss: one anchor at a time against broadcasting, in time and in memory.

The baseline evaluates Eq. 8 as it is written, with tensors of shape (B, B, B).
"""

from __future__ import annotations

import multiprocessing
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from harness.core.memory import peak_host_memory
from methods import Outputs, Widths
from methods.pdrd import ACTIVATIONS, PDRD, differences
from methods.relations import cosines, lengths

FEATURES = 512
MIB = 2**20  # bytes
TURNS = 3
LARGE_BATCH = 256  # images; smaller batches are repeated more often


@dataclass(frozen=True, slots=True)
class LossCost:
    """Cost of one forward and backward pass.

    Attributes:
        seconds: Median time.
        mebibytes: Peak memory above that of the inputs.
    """

    seconds: float
    mebibytes: float


def broadcast_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """Return PDRD's loss by broadcasting, the baseline: (B, D), (B, D) -> ()."""
    mish = ACTIVATIONS["mish"]
    gap = mish(differences(cosines(teacher))) - mish(differences(cosines(student)))
    return lengths(gap, dim=(1, 2)).mean()


def anchor_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """Return PDRD's loss by `methods.pdrd`, one anchor at a time: (B, D), (B, D) -> ()."""
    widths = Widths((1, 1, 1, FEATURES), FEATURES, 1)
    method = PDRD(widths, widths)
    empty = student.new_empty(0)
    outputs = [Outputs((), empty, pooled, empty, empty) for pooled in (student, teacher)]
    loss: Tensor = method(*outputs, empty)
    return loss


IMPLEMENTATIONS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "broadcast": broadcast_loss,
    "by anchors": anchor_loss,
}


def measure_pdrd_loss(images: int, repeats: int, threads: int) -> dict[str, LossCost]:
    """Measure time and memory of PDRD's loss and its gradient for one batch.

    The implementations take turns, so that a machine that slows down slows both.

    Args:
        images: B, the batch size.
        repeats: Passes per turn; more for batches smaller than `LARGE_BATCH`.
        threads: CPU threads of torch.

    Returns:
        The cost by name in `IMPLEMENTATIONS`: median time and largest memory of all turns.
    """
    repeats *= max(1, round((LARGE_BATCH / images) ** 3))
    context = multiprocessing.get_context("spawn")  # a fork would inherit the parent's peak memory
    costs: dict[str, list[LossCost]] = {name: [] for name in IMPLEMENTATIONS}
    for _ in range(TURNS):
        for name in IMPLEMENTATIONS:
            with context.Pool(1) as pool:
                costs[name].append(pool.apply(_measure, (name, images, repeats, threads)))
    return {
        name: LossCost(
            seconds=statistics.median(cost.seconds for cost in turns),
            mebibytes=max(cost.mebibytes for cost in turns),
        )
        for name, turns in costs.items()
    }


def _measure(name: str, images: int, repeats: int, threads: int) -> LossCost:
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    loss = IMPLEMENTATIONS[name]
    student = torch.randn(images, FEATURES).relu().requires_grad_()
    teacher = torch.randn(images, FEATURES).relu()
    torch.autograd.backward(loss(student[:8], teacher[:8]))  # libraries are loaded on first use
    before, seconds = peak_host_memory() or 0, []
    for _ in range(repeats):
        start = time.perf_counter()
        torch.autograd.backward(loss(student, teacher))
        seconds.append(time.perf_counter() - start)
    growth = (peak_host_memory() or 0) - before
    return LossCost(statistics.median(seconds), growth / MIB)

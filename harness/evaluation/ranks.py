"""Places among the distances of a row, without sorting what cannot matter.

On a CPU a row of distances fits the processor's cache, and only the entries up to a bound are
picked out and sorted, row by row. An accelerator rather compares all rows at once with each mark.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

MIN_SHARED_COLUMNS = (
    2**15
)  # entries of a row: with fewer, threads wait for the interpreter more than work

Array = np.ndarray[Any, np.dtype[Any]]


def nearest_neighbours(distances: Tensor, size: int) -> Tensor:
    """Columns of the `size` smallest of a row by (distance, column): (Q, G) -> (Q, size or G)."""
    nothing = distances.new_empty(len(distances), 0)
    return count_ranks(
        distances, nothing, nothing.new_zeros(len(nothing), dtype=torch.int64), size
    )[0]


def count_ranks(
    distances: Tensor, marks: Tensor, count: Tensor, size: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Nearest columns, and how many entries of a row are up to and below its marks.

    `marks` (Q, W) are sorted in each row, and the first `count` of a row are meant; what is said of
    the others means nothing. (Q, G) -> (Q, size or G), (Q, W), (Q, W), all int64.
    """
    size = min(size, distances.shape[1])
    if distances.device.type != "cpu":
        return _count_all_rows(distances, marks, size)
    threads = torch.get_num_threads() if distances.shape[1] >= MIN_SHARED_COLUMNS else 1
    if threads == 1:  # the rows are in this core's cache
        return _count_by_row(distances, marks, count, size)
    parts = [tensor.tensor_split(threads) for tensor in (distances, marks, count)]
    with ThreadPoolExecutor(threads) as pool:
        found = list(pool.map(partial(_count_by_row, size=size), *parts))
    return tuple(torch.cat(blocks) for blocks in zip(*found, strict=True))  # type: ignore[return-value]


def _count_all_rows(distances: Tensor, marks: Tensor, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """`count_ranks` by passing over all rows once for every mark."""
    up_to, below = (torch.zeros_like(marks, dtype=torch.int64) for _ in range(2))
    for place, mark in enumerate(marks.unbind(dim=1)):
        up_to[:, place] = (distances <= mark[:, None]).sum(dim=1)
        below[:, place] = (distances < mark[:, None]).sum(dim=1)
    values, columns = distances.topk(size, dim=1, largest=False)
    columns, order = columns.sort(dim=1)
    columns = columns.gather(1, values.gather(1, order).sort(dim=1, stable=True).indices)
    # topk picks any of the entries that tie for the last place: those few rows are sorted in full
    unclear = ((distances <= values[:, -1:]).sum(dim=1) > size).nonzero()[:, 0]
    for index in unclear.tolist():
        columns[index] = distances[index].sort(stable=True).indices[:size]
    return columns, up_to, below


def _count_by_row(
    distances: Tensor, marks: Tensor, count: Tensor, size: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Count ranks row by row: sort only up to the last mark, or to the nearest."""
    first = np.empty((len(distances), size), dtype=np.int64)
    # what is up to a mark is below the next number
    bounds = np.stack([np.nextafter(marks.numpy(), np.inf), marks.numpy()], axis=2)
    counts = np.zeros(bounds.shape, dtype=np.int64)
    for index, (row, every, meant) in enumerate(
        zip(distances.numpy(), bounds, count.tolist(), strict=True)
    ):
        columns, values, ordered = _select_smallest(
            row, every[meant - 1, 1] if meant else -np.inf, size
        )
        among = (values <= ordered[size - 1]).nonzero()[0]  # more than `size` only if some tie
        among = among[values[among].argsort(kind="stable")[:size]]
        first[index] = columns[among]
        counts[index, :meant] = ordered.searchsorted(every[:meant])
    up_to, below = torch.from_numpy(counts).unbind(dim=2)
    return torch.from_numpy(first), up_to, below


def _select_smallest(row: Array, bound: float, size: int) -> tuple[Array, Array, Array]:
    """All entries up to `bound`, and at least `size`: columns, rising; values; sorted values."""
    columns = (row <= bound).nonzero()[0]
    if len(columns) < size:
        columns = (row <= np.partition(row, size - 1)[size - 1]).nonzero()[0]
    values = row.take(columns)
    return columns, values, np.sort(values)

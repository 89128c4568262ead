"""Ranks among the distances of a row, without a full sort.

On a CPU a row of distances fits into the processor's cache, and only the entries up to a threshold
are selected and sorted, row by row. An accelerator compares all rows with one threshold at a time.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

MIN_SHARED_COLUMNS = 2**15  # below this many columns, threads mostly wait for the interpreter

Array = np.ndarray[Any, np.dtype[Any]]


def nearest_neighbours(distances: Tensor, size: int) -> Tensor:
    """Return the columns of the smallest entries of each row, ties by column.

    Args:
        distances: (Q, G).
        size: Number of columns; at most G are returned.

    Returns:
        (Q, min(size, G)) int64, nearest first.
    """
    no_thresholds = distances.new_empty(len(distances), 0)
    counts = no_thresholds.new_zeros(len(no_thresholds), dtype=torch.int64)
    return count_ranks(distances, no_thresholds, counts, size)[0]


def count_ranks(
    distances: Tensor, thresholds: Tensor, counts: Tensor, size: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Find the nearest columns, and count the entries of each row up to and below its thresholds.

    Args:
        distances: (Q, G).
        thresholds: (Q, W), sorted in each row.
        counts: (Q,) int64; only the first `counts[q]` thresholds of row q are used, and the results
            of the others are arbitrary.
        size: Number of nearest columns; at most G are returned.

    Returns:
        Nearest columns (Q, min(size, G)), ties by column; number of entries up to each threshold
        (Q, W); number of entries below it (Q, W). All int64.
    """
    size = min(size, distances.shape[1])
    if distances.device.type != "cpu":
        return _count_all_rows(distances, thresholds, size)
    threads = torch.get_num_threads() if distances.shape[1] >= MIN_SHARED_COLUMNS else 1
    if threads == 1:  # also in a worker of `map_blocks`, whose rows are in its core's cache
        return _count_by_row(distances, thresholds, counts, size)
    parts = [tensor.tensor_split(threads) for tensor in (distances, thresholds, counts)]
    with ThreadPoolExecutor(threads) as pool:
        blocks = list(pool.map(partial(_count_by_row, size=size), *parts))
    columns, up_to, below = (torch.cat(results) for results in zip(*blocks, strict=True))
    return columns, up_to, below


def _count_all_rows(
    distances: Tensor, thresholds: Tensor, size: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Do the work of `count_ranks` with one pass over all rows for each threshold."""
    up_to, below = (torch.zeros_like(thresholds, dtype=torch.int64) for _ in range(2))
    for position, threshold in enumerate(thresholds.unbind(dim=1)):
        up_to[:, position] = (distances <= threshold[:, None]).sum(dim=1)
        below[:, position] = (distances < threshold[:, None]).sum(dim=1)
    values, columns = distances.topk(size, dim=1, largest=False)
    columns, order = columns.sort(dim=1)
    columns = columns.gather(1, values.gather(1, order).sort(dim=1, stable=True).indices)
    # Of entries that tie for the last position topk returns any: these few rows are fully sorted.
    ambiguous = ((distances <= values[:, -1:]).sum(dim=1) > size).nonzero()[:, 0]
    for index in ambiguous.tolist():
        columns[index] = distances[index].sort(stable=True).indices[:size]
    return columns, up_to, below


def _count_by_row(
    distances: Tensor, thresholds: Tensor, counts: Tensor, size: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Do the work of `count_ranks` row by row, sorting only up to the last threshold."""
    nearest = np.empty((len(distances), size), dtype=np.int64)
    # An entry is up to a threshold if it is below the next larger number, so that one search in
    # the sorted entries counts both.
    bounds = np.stack([np.nextafter(thresholds.numpy(), np.inf), thresholds.numpy()], axis=2)
    results = np.zeros(bounds.shape, dtype=np.int64)
    for index, (row, limits, count) in enumerate(
        zip(distances.numpy(), bounds, counts.tolist(), strict=True)
    ):
        largest = limits[count - 1, 1] if count else -np.inf
        columns, values, ordered = _select_smallest(row, largest, size)
        candidates = (values <= ordered[size - 1]).nonzero()[0]  # more than `size` if some tie
        candidates = candidates[values[candidates].argsort(kind="stable")[:size]]
        nearest[index] = columns[candidates]
        results[index, :count] = ordered.searchsorted(limits[:count])
    up_to, below = torch.from_numpy(results).unbind(dim=2)
    return torch.from_numpy(nearest), up_to, below


def _select_smallest(row: Array, bound: float, size: int) -> tuple[Array, Array, Array]:
    """Select all entries up to `bound`, and at least `size`.

    Returns:
        Their columns in increasing order, their values, and the sorted values.
    """
    columns = (row <= bound).nonzero()[0]
    if len(columns) < size:
        columns = (row <= np.partition(row, size - 1)[size - 1]).nonzero()[0]
    values = row.take(columns)
    return columns, values, np.sort(values)

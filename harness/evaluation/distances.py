"""Distances of query blocks to the gallery, computed by several workers at once.

With one matrix product after the other on all threads, most threads would be idle between products,
while one of them selects the nearest rows. So on a CPU each worker takes its queries from the
product to the ranks.
"""

from __future__ import annotations

import itertools
import math
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor
from torch.nn import functional as F

MAX_WORKERS = 4  # with more, the products of each are too small to be fast
MAX_NORMALISED_BYTES = 256 * 2**20  # largest normalised copy of the gallery features

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Distances:
    """Queries and gallery, prepared to compute blocks of distances.

    Values order the gallery as distances do, but are cheaper: for `euclidean` the squared distance
    minus |q|^2, for `cosine` the cosine times -2.
    """

    query: Tensor  # (Q, D) float32
    gallery: Tensor  # (G, D) float32; for `cosine` normalised, unless the copy would be too large
    squared_norms: Tensor | None  # (G,) |g|^2 for `euclidean`
    inverse_norms: Tensor | None  # (G,) 1 / |g| for `cosine`, if the gallery is not normalised

    @classmethod
    def create(cls, metric: str, query: Tensor, gallery: Tensor, norms: Tensor) -> Distances:
        """Prepare distances.

        Args:
            metric: `cosine` or `euclidean`.
            query: Query features, (Q, D).
            gallery: Gallery features, (G, D).
            norms: Euclidean norms of the gallery features, (G,).
        """
        query, gallery = query.detach().float(), gallery.detach().float()
        if metric == "euclidean":
            return cls(query, gallery, gallery.square().sum(dim=1), None)
        norms = norms.clamp(min=1e-12)
        if gallery.nbytes > MAX_NORMALISED_BYTES:
            return cls(query, gallery, None, norms.reciprocal())
        return cls(query, gallery / norms[:, None], None, None)

    def distance_block(self, part: slice, out: Tensor) -> Tensor:
        """Compute the distances of some queries into the first rows of `out`.

        Args:
            part: The queries, B of them.
            out: Buffer, (B or more, G).

        Returns:
            The first B rows of `out`.
        """
        rows = self.query[part]
        block = out[: len(rows)]
        if self.squared_norms is not None:
            return torch.addmm(self.squared_norms, rows, self.gallery.T, alpha=-2, out=block)
        rows, zero = F.normalize(rows, dim=1), rows.new_zeros(1)
        torch.addmm(zero, rows, self.gallery.T, beta=0, alpha=-2, out=block)
        return block if self.inverse_norms is None else block.mul_(self.inverse_norms)


def split_work(count: int, size: int, workers: int = 1) -> Iterator[slice]:
    """Split 0..count into consecutive slices of `size`, with shorter first ones.

    Of two workers the first slices are 1/2 and 1 times `size`, of four 1/4, 1/2, 3/4 and 1 times:
    workers with equal slices would all multiply at the same time and then all rank.

    Args:
        count: Number of items.
        size: Items per slice.
        workers: Number of workers that take slices in turn.
    """
    end = 0
    for number in itertools.count(1):
        start, end = end, min(count, end + max(1, size * min(number, workers) // workers))
        if start == end:
            return
        yield slice(start, end)


def map_blocks(distances: Distances, chunk: int, function: Callable[[slice, Tensor], T]) -> list[T]:
    """Call a function with every block of queries and their distances.

    Args:
        distances: Prepared queries and gallery.
        chunk: Largest number of queries whose distances exist at a time.
        function: Called with the queries and their distances (B, G), which it may change until it
            returns.

    Returns:
        What the function returned, in the order of the queries.
    """
    queries, rows = len(distances.query), len(distances.gallery)
    threads = torch.get_num_threads()
    workers = min(threads, MAX_WORKERS, chunk) if distances.query.device.type == "cpu" else 1
    height = chunk // workers
    if workers == 1 or queries <= height:
        buffer = distances.gallery.new_empty(min(queries, height), rows)
        return [
            function(part, distances.distance_block(part, buffer))
            for part in split_work(queries, height)
        ]
    rounds = math.ceil(queries / (workers * height))
    height = math.ceil(queries / (workers * rounds))  # so that all workers finish at the same time
    local = threading.local()
    # GIL-bound workers block each other, so only half of the workers may run `function` at a time
    # while the others multiply, which releases the GIL.
    turns = threading.BoundedSemaphore(workers // 2)

    def initialise() -> None:
        torch.set_num_threads(threads // workers)  # of this thread's products
        local.buffer = torch.empty(height, rows)

    def process(part: slice) -> T:
        block = distances.distance_block(part, local.buffer)
        with turns:
            return function(part, block)

    try:
        with ThreadPoolExecutor(workers, initializer=initialise) as pool:
            return list(pool.map(process, split_work(queries, height, workers)))
    finally:
        torch.set_num_threads(threads)  # `initialise` also changed the default of new threads

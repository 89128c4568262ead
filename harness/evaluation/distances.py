"""What orders a gallery for its queries, some queries at a time, by several workers side by side.

One product after the other by all threads would leave most of them idle between the products, while
one of them picks what is near. So on a CPU each worker takes its queries from product to ranks.
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

MAX_WORKERS = 4  # at most; more would share the queries into products too small to be quick
MAX_NORMALISED_BYTES = 256 * 2**20  # of normalised gallery features that may exist

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Distances:
    """Squared Euclidean distances less |q|^2, or cosines times -2: each orders as it should."""

    query: Tensor  # (Q, D)
    gallery: Tensor  # (G, D), normalised if that is by cosine and needs little memory
    lengths: Tensor | None  # (G,) |g|^2, None by cosine
    scales: Tensor | None  # (G,) 1 / |g|, where the gallery could not be normalised

    @classmethod
    def create(cls, metric: str, query: Tensor, gallery: Tensor, lengths: Tensor) -> Distances:
        """By `cosine` or `euclidean`, of features (Q, D) and (G, D), the latter's lengths (G,)."""
        query, gallery = query.detach().float(), gallery.detach().float()
        if metric == "euclidean":
            return cls(query, gallery, gallery.square().sum(dim=1), None)
        lengths = lengths.clamp(min=1e-12)
        if gallery.nbytes > MAX_NORMALISED_BYTES:
            return cls(query, gallery, None, lengths.reciprocal())
        return cls(query, gallery / lengths[:, None], None, None)

    def distance_block(self, part: slice, out: Tensor) -> Tensor:
        """Those of some queries, written into the first rows of `out` (chunk, G)."""
        rows = self.query[part]
        found = out[: len(rows)]
        if self.lengths is not None:
            return torch.addmm(self.lengths, rows, self.gallery.T, alpha=-2, out=found)
        rows, nothing = F.normalize(rows, dim=1), rows.new_zeros(1)
        torch.addmm(nothing, rows, self.gallery.T, beta=0, alpha=-2, out=found)
        return found if self.scales is None else found.mul_(self.scales)


def split_work(count: int, size: int, workers: int = 1) -> Iterator[slice]:
    """0 to `count` in pieces of `size`, but the first of each worker by shares: 1/2 and 1 of two.

    Else all would multiply until the same moment, and then wait for each other to pick.
    """
    end = 0
    for place in itertools.count(1):
        first, end = end, min(count, end + max(1, size * min(place, workers) // workers))
        if first == end:
            return
        yield slice(first, end)


def map_blocks(distances: Distances, chunk: int, work: Callable[[slice, Tensor], T]) -> list[T]:
    """`work` on all queries and their distances, at most `chunk` of them at a time, in order.

    The distances are the callee's to change, until it returns.
    """
    queries, rows = len(distances.query), len(distances.gallery)
    threads = torch.get_num_threads()
    workers = min(threads, MAX_WORKERS, chunk) if distances.query.device.type == "cpu" else 1
    height = chunk // workers
    if workers == 1 or queries <= height:
        buffer = distances.gallery.new_empty(min(queries, height), rows)
        return [
            work(part, distances.distance_block(part, buffer))
            for part in split_work(queries, height)
        ]
    rounds = math.ceil(queries / (workers * height))
    height = math.ceil(queries / (workers * rounds))  # so that all end at about the same time
    own = threading.local()
    # two that work by the interpreter hold each other up: one had better multiply meanwhile
    turns = threading.BoundedSemaphore(workers // 2)

    def begin() -> None:
        torch.set_num_threads(threads // workers)
        own.buffer = torch.empty(height, rows)

    def step(part: slice) -> T:
        block = distances.distance_block(part, own.buffer)
        with turns:
            return work(part, block)

    try:
        with ThreadPoolExecutor(workers, initializer=begin) as pool:
            return list(pool.map(step, split_work(queries, height, workers)))
    finally:
        torch.set_num_threads(threads)  # what threads to come begin with was changed, too

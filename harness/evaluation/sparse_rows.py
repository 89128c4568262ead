"""Sparse matrices for k-reciprocal re-ranking, built and read row by row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class SparseRows:
    """A sparse matrix; the entries of row i are at `offsets[i]` up to `offsets[i + 1]`."""

    offsets: Tensor  # (rows + 1,) int64
    columns: Tensor  # (entries,) int32
    values: Tensor  # (entries,) float32

    def entries(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return the positions of all entries of `rows` (B,), and the index in `rows` of each."""
        lengths = self.offsets[rows + 1] - self.offsets[rows]
        owner = torch.repeat_interleave(lengths)
        within = torch.arange(len(owner), device=rows.device) - (lengths.cumsum(0) - lengths)[owner]
        return self.offsets[rows][owner] + within, owner


def stack_rows(parts: list[tuple[Tensor, Tensor, Tensor]]) -> SparseRows:
    """Stack consecutive rows, given as (entries in each row, columns, values)."""
    counts, columns, values = (torch.cat(tensors) for tensors in zip(*parts, strict=True))
    offsets = torch.cat([counts.new_zeros(1), counts.cumsum(dim=0)])
    return SparseRows(offsets, columns, values)


def transpose_gallery(weights: SparseRows, queries: int) -> SparseRows:
    """Transpose the gallery's rows of V, those after the queries': (N, N) -> (N, G)."""
    start = int(weights.offsets[queries])
    columns, values = weights.columns[start:], weights.values[start:]
    lengths = weights.offsets[queries + 1 :] - weights.offsets[queries:-1]
    order = columns.sort(stable=True).indices
    rows = torch.repeat_interleave(lengths)[order].int()
    counts = torch.bincount(columns, minlength=len(weights.offsets) - 1)
    offsets = torch.cat([counts.new_zeros(1), counts.cumsum(dim=0)])
    return SparseRows(offsets, rows, values[order])


def sum_minima(
    weights: SparseRows, columns: SparseRows, rows: Tensor, sums: Tensor, *, limit: int
) -> Tensor:
    """Add s of Eq. 10, of some queries with every gallery image, to zeros.

    Args:
        weights: V, (N, N).
        columns: The gallery's rows of V, transposed, (N, G).
        rows: The queries, (B,).
        sums: Zeros, (B, G).
        limit: About how many pairs of entries exist at a time.

    Returns:
        `sums`.
    """
    place, owner = weights.entries(rows)
    images = weights.columns[place].long()
    lengths = columns.offsets[images + 1] - columns.offsets[images]
    for part in _split_by_length(lengths, limit):
        other, entry = columns.entries(images[part])
        smaller = torch.minimum(columns.values[other], weights.values[place[part]][entry])
        flat = owner[part][entry] * sums.shape[1] + columns.columns[other]
        sums.view(-1).index_add_(0, flat, smaller)
    return sums


def _split_by_length(lengths: Tensor, limit: int) -> Iterator[slice]:
    """Split a sequence into consecutive parts whose total lengths are about `limit`."""
    portion = lengths.cumsum(dim=0) // limit
    first = 0
    for count in torch.unique_consecutive(portion, return_counts=True)[1].tolist():
        yield slice(first, first + count)
        first += count

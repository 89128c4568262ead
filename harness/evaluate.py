r"""Retrieval scores by the protocol of Market-1501: average precision, CMC and mINP.

For one query, gallery rows of the same identity under the same camera are removed. Of the rows that
are left, the n of the query's identity have the ranks r_1 < ... < r_n, counted from 1, and

    AP = 1/n sum_k k / r_k,    CMC@k = [r_1 <= k],    INP = n / r_n    (Ye et al., TPAMI 2021)

Queries with n = 0 are left out of every mean. Only the ranks of positives are ever computed:

    r_k = k + #{negatives closer than the k-th positive}

so nothing is sorted but positives, and the distances of at most `chunk` queries exist at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

METRICS = ("cosine", "euclidean")
TIES = ("pessimistic", "optimistic")
NEAREST = 10


@dataclass(frozen=True, slots=True)
class Embeddings:
    """Retrieval features of N images and what is known about them."""

    features: Tensor  # (N, D) float32, need not be normalised
    identities: Tensor  # (N,) int64
    cameras: Tensor  # (N,) int64


@dataclass(frozen=True, slots=True)
class Ranking:
    """What the ranks of Q queries come to; means are fractions of 1 over queries with a match."""

    average_precision: Tensor  # (Q,) float64, NaN where a query has no match
    inverse_negative_penalty: Tensor  # (Q,) float64, NaN where a query has no match
    first_rank: Tensor  # (Q,) int64, counted from 1, -1 where there is no match
    nearest: Tensor  # (Q, 10) int64, best gallery rows first, ties by row, padded with -1

    @property
    def mAP(self) -> float:  # noqa: N802
        """Mean average precision."""
        return float(self.average_precision[self.first_rank > 0].mean())

    @property
    def mINP(self) -> float:  # noqa: N802
        """Mean inverse negative penalty."""
        return float(self.inverse_negative_penalty[self.first_rank > 0].mean())

    def cmc(self, k: int) -> float:
        """Fraction of queries whose first match is among the `k` best rows."""
        if k < 1:
            raise ValueError(f"CMC is defined for ranks from 1, not for {k}.")
        matched = self.first_rank[self.first_rank > 0]
        return float((matched <= k).double().mean())


def evaluate(
    query: Embeddings,
    gallery: Embeddings,
    *,
    metric: str = "cosine",
    ties: str = "pessimistic",
    chunk: int = 512,
) -> Ranking:
    """Rank the gallery for every query, `chunk` queries at a time.

    When a positive and a negative are equally far, the negative comes first (`pessimistic`) or last
    (`optimistic`): by the first rule a network that maps everything to one point scores nothing.

    Raises:
        ValueError: a word is not allowed, a set is empty, sizes disagree, a feature is not finite,
            or no query has a match.
    """
    _check(query, gallery)
    if metric not in METRICS or chunk < 1:
        raise ValueError(
            f"metric is {metric!r}, chunk {chunk}; they must be {' or '.join(METRICS)}, 1 or more."
        )
    columns = _same_identity(query, gallery)
    with torch.no_grad(), _full_precision(query.features.device):
        rows, others = query.features.float(), gallery.features.float()
        if metric == "cosine":
            rows, others = F.normalize(rows, dim=1), F.normalize(others, dim=1)
        # |q - g|^2 = |q|^2 + |g|^2 - 2 q.g, and the first term is the same for a whole row
        lengths = others.square().sum(dim=1) if metric == "euclidean" else others.new_zeros(1)
        parts = []
        for part in (slice(first, first + chunk) for first in range(0, len(rows), chunk)):
            distances = torch.addmm(lengths, rows[part], others.T, alpha=-2)
            cameras = query.cameras[part]
            parts.append(_rank(distances, columns[part], cameras, gallery.cameras, ties))
    ranking = Ranking(*(torch.cat(blocks) for blocks in zip(*parts, strict=True)))
    if not bool((ranking.first_rank > 0).any()):
        raise ValueError(
            f"None of the {len(rows)} queries has a match: "
            "no gallery row shows a query's identity under another camera."
        )
    return ranking


def rank_block(
    distances: Tensor, query: Embeddings, gallery: Embeddings, *, ties: str = "pessimistic"
) -> Ranking:
    """Rank by given finite distances (Q, G); features are not looked at, distances not changed.

    Raises:
        ValueError: `ties` is not allowed.
    """
    columns = _same_identity(query, gallery)
    return Ranking(*_rank(distances.clone(), columns, query.cameras, gallery.cameras, ties))


def _rank(
    distances: Tensor, columns: Tensor, cameras: Tensor, gallery_cameras: Tensor, ties: str
) -> tuple[Tensor, ...]:
    """Fields of `Ranking` for one block: (Q, G) distances, consumed, `_same_identity`'s (Q, W)."""
    if ties not in TIES:
        raise ValueError(f"ties is {ties!r}; it must be {' or '.join(TIES)}.")
    member = columns >= 0
    match = member & (gallery_cameras[columns] != cameras[:, None])
    removed = member & ~match
    distances[removed.nonzero()[:, 0], columns[removed]] = torch.inf
    nearest = _nearest(distances)
    positives = distances.gather(1, columns.clamp(min=0)).masked_fill(~match, torch.inf)
    positives = positives.sort(dim=1).values
    distances[match.nonzero()[:, 0], columns[match]] = torch.inf  # only negatives are left
    count = match.sum(dim=1)
    before = _negatives_before(distances, positives, count, optimistic=ties == "optimistic")
    order = torch.arange(1, columns.shape[1] + 1, device=distances.device)
    ranks = before + order
    precision = (order / ranks.double()).masked_fill(order > count[:, None], 0.0)
    missing = count == 0
    penalty = precision.gather(1, (count - 1).clamp(min=0)[:, None])[:, 0]  # n / r_n
    return (
        (precision.sum(dim=1) / count).masked_fill(missing, torch.nan),
        penalty.masked_fill(missing, torch.nan),
        ranks[:, 0].masked_fill(missing, -1),
        nearest,
    )


def _negatives_before(
    negatives: Tensor, positives: Tensor, count: Tensor, *, optimistic: bool
) -> Tensor:
    """How many negatives come before each of `count` sorted positives: (Q, G), (Q, W) -> (Q, W).

    Negatives behind the last positive change no score, so only the others are looked up.
    """
    queries, width = positives.shape
    last = positives.gather(1, (count - 1).clamp(min=0)[:, None])
    near = (negatives <= last) & (count > 0)[:, None]
    # a negative lies behind as many positives as its place among them; left: a tie is not behind
    places = [
        torch.searchsorted(positives[index], values, right=optimistic) + index * (width + 1)
        for index, values in enumerate(torch.split(negatives[near], near.sum(dim=1).tolist()))
    ]
    counts = torch.bincount(torch.cat(places), minlength=queries * (width + 1))
    return counts.view(queries, width + 1).cumsum(dim=1)[:, :width]


def _nearest(distances: Tensor) -> Tensor:
    """The ten smallest of each row by (distance, column): (Q, G) -> (Q, 10), padded with -1."""
    size = min(NEAREST, distances.shape[1])
    values, columns = distances.topk(size, dim=1, largest=False)
    columns, order = columns.sort(dim=1)
    columns = columns.gather(1, values.gather(1, order).sort(dim=1, stable=True).indices)
    # topk picks any of the rows that tie for the last place: those few queries are sorted in full
    unclear = ((distances <= values[:, -1:]).sum(dim=1) > size).nonzero()[:, 0]
    for index in unclear.tolist():
        columns[index] = distances[index].sort(stable=True).indices[:size]
    columns = columns.masked_fill(distances.gather(1, columns) == torch.inf, -1)
    return F.pad(columns, (0, NEAREST - size), value=-1)


def _same_identity(query: Embeddings, gallery: Embeddings) -> Tensor:
    """Gallery rows of each query's identity, in order: (Q, W >= 1), padded with -1."""
    identities, order = gallery.identities.sort(stable=True)
    first = torch.searchsorted(identities, query.identities)[:, None]
    end = torch.searchsorted(identities, query.identities, right=True)[:, None]
    width = max(1, int((end - first).max()))
    places = first + torch.arange(width, device=order.device)
    return order[places.clamp(max=len(order) - 1)].masked_fill(places >= end, -1)


@contextmanager
def _full_precision(device: torch.device) -> Iterator[None]:
    """Multiply in float32 proper, whatever training has chosen for speed (TF32, autocast)."""
    matmul = torch.backends.cuda.matmul
    before, matmul.fp32_precision = matmul.fp32_precision, "ieee"
    try:
        with torch.autocast(device.type, enabled=False):
            yield
    finally:
        matmul.fp32_precision = before


def _check(query: Embeddings, gallery: Embeddings) -> None:
    """Refuse input that has no ranking."""
    for name, part in (("query", query), ("gallery", gallery)):
        count = len(part.features)
        if count == 0:
            raise ValueError(f"The {name} set is empty.")
        if not len(part.identities) == len(part.cameras) == count:
            sizes = f"{count} features, {len(part.identities)} identities, {len(part.cameras)}"
            raise ValueError(f"The {name} set has {sizes} cameras; they must be equally many.")
        norms = torch.linalg.vector_norm(part.features.float(), dim=1)
        damaged = int((~(2 * norms).square().isfinite()).sum())
        if damaged:
            raise ValueError(f"{damaged} of {count} {name} features are not finite in float32.")
    widths = [part.features.shape[1] for part in (query, gallery)]
    if widths[0] != widths[1]:
        raise ValueError(f"Query features have width {widths[0]}, gallery features {widths[1]}.")

r"""Retrieval scores by the protocol of Market-1501: average precision, CMC and mINP.

For one query, gallery rows of the same identity under the same camera are removed. Of the rows that
are left, the n of the query's identity have the ranks r_1 < ... < r_n, counted from 1, and

    AP = 1/n sum_k k / r_k,    CMC@k = [r_1 <= k],    INP = n / r_n    (Ye et al., TPAMI 2021)

Queries with n = 0 are left out of every mean. Only the ranks of positives are ever computed:

    r_k = k + #{negatives closer than the k-th positive}

so nothing is sorted but positives and what lies before the last of them, and the distances of at
most `chunk` queries exist at a time. Negatives as far as a positive are counted or not (`ties`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from harness.evaluation.distances import Distances, map_blocks, split_work
from harness.evaluation.ranks import count_ranks

METRICS = ("cosine", "euclidean")
TIES = ("pessimistic", "optimistic")
NEAREST_ROWS = 10
CHUNK = 768  # queries whose distances exist at a time


@dataclass(frozen=True, slots=True)
class Embeddings:
    """Retrieval features of N images and what is known about them."""

    features: Tensor  # (N, D) float32, need not be normalised
    identities: Tensor  # (N,) int64
    cameras: Tensor  # (N,) int64


@dataclass(frozen=True, slots=True)
class RetrievalScores:
    """What the ranks of Q queries come to; means are fractions of 1 over queries with a match."""

    average_precision: Tensor  # (Q,) float64, NaN where a query has no match
    inverse_negative_penalty: Tensor  # (Q,) float64, NaN where a query has no match
    first_rank: Tensor  # (Q,) int64, counted from 1, -1 where there is no match
    nearest: Tensor  # (Q, 10) int64, best gallery rows first, ties by row, padded with -1
    optimistic_ap: Tensor  # (Q,) float64, `average_precision` if positives won every tie
    optimistic_inp: Tensor  # (Q,) float64, `inverse_negative_penalty` likewise
    optimistic_first_rank: Tensor  # (Q,) int64, `first_rank` likewise

    @property
    def mAP(self) -> float:  # noqa: N802
        """Mean average precision."""
        return float(self.average_precision[self.first_rank > 0].mean())

    @property
    def mINP(self) -> float:  # noqa: N802
        """Mean inverse negative penalty."""
        return float(self.inverse_negative_penalty[self.first_rank > 0].mean())

    @property
    def optimistic(self) -> RetrievalScores:
        """The same queries where a positive comes before every negative that is equally far."""
        return replace(
            self,
            average_precision=self.optimistic_ap,
            inverse_negative_penalty=self.optimistic_inp,
            first_rank=self.optimistic_first_rank,
        )

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
    chunk: int = CHUNK,
) -> RetrievalScores:
    """Rank the gallery for every query, `chunk` queries at a time.

    When a positive and a negative are equally far, the negative comes first (`pessimistic`) or last
    (`optimistic`): by the first rule a network that maps everything to one point scores nothing.

    Raises:
        ValueError: a word is not allowed, a set is empty, sizes disagree, a feature is not finite,
            or no query has a match.
    """
    _validate_sets(query, gallery)
    _, lengths = _finite_norms("query", query.features), _finite_norms("gallery", gallery.features)
    if metric not in METRICS or chunk < 1:
        raise ValueError(
            f"metric is {metric!r}, chunk {chunk}; they must be {' or '.join(METRICS)}, 1 or more."
        )
    _require_ties(ties)
    columns = _rows_of_identity(query, gallery)

    def rank(part: slice, block: Tensor) -> RetrievalScores:
        return _rank_block(block, columns[part], query.cameras[part], gallery.cameras, ties)

    with torch.no_grad(), strict_float32(query.features.device):
        distances = Distances.create(metric, query.features, gallery.features, lengths)
        ranking = concatenate(map_blocks(distances, chunk, rank))
    if not bool((ranking.first_rank > 0).any()):
        raise ValueError(
            f"None of the {len(columns)} queries has a match: "
            "no gallery row shows a query's identity under another camera."
        )
    return ranking


def rank_distances(
    distances: Tensor,
    query: Embeddings,
    gallery: Embeddings,
    *,
    ties: str = "pessimistic",
    chunk: int = CHUNK,
) -> RetrievalScores:
    """Rank by given finite distances (Q, G); features are not looked at, distances not changed.

    Raises:
        ValueError: `ties` is not allowed.
    """
    _require_ties(ties)
    columns = _rows_of_identity(query, gallery)
    parts = (
        _rank_block(
            distances[part].clone(), columns[part], query.cameras[part], gallery.cameras, ties
        )
        for part in split_work(len(distances), chunk)
    )
    return concatenate(parts)


def concatenate(parts: Iterable[RetrievalScores]) -> RetrievalScores:
    """The rankings of several sets of queries as that of one, in order."""
    several = list(parts)
    names = [field.name for field in fields(RetrievalScores)]
    return RetrievalScores(
        *(torch.cat([getattr(part, name) for part in several]) for name in names)
    )


def _rank_block(
    distances: Tensor, columns: Tensor, cameras: Tensor, gallery_cameras: Tensor, ties: str
) -> RetrievalScores:
    """One block: (Q, G) distances, consumed, and `_rows_of_identity`'s columns (Q, W)."""
    member = columns >= 0
    match = member & (gallery_cameras[columns] != cameras[:, None])
    removed = member & ~match
    distances[removed.nonzero()[:, 0], columns[removed]] = torch.inf
    positives = distances.gather(1, columns.clamp(min=0)).masked_fill(~match, torch.inf)
    positives = positives.sort(dim=1).values
    count = match.sum(dim=1)
    nearest, up_to, below = count_ranks(distances, positives, count, NEAREST_ROWS)
    nearest = nearest.masked_fill(distances.gather(1, nearest) == torch.inf, -1)
    nearest = F.pad(nearest, (0, NEAREST_ROWS - nearest.shape[1]), value=-1)
    # of those only the negatives are to be counted
    own_up_to, own_below = _count_own_matches(positives)
    worst, best = _score_ranks(up_to - own_up_to, count), _score_ranks(below - own_below, count)
    return RetrievalScores(*(worst if ties == "pessimistic" else best), nearest, *best)


def _count_own_matches(positives: Tensor) -> tuple[Tensor, Tensor]:
    """How many entries of each row are up to and below each of them: sorted (Q, W) -> (Q, W) twice.

    Padding is infinite, and what is said of it means nothing.
    """
    same = (positives[:, 1:] == positives[:, :-1]) & positives[:, 1:].isfinite()
    if bool(same.any()):
        return torch.searchsorted(positives, positives, right=True), torch.searchsorted(
            positives, positives
        )
    place = torch.arange(positives.shape[1], device=positives.device)
    return place + 1, place


def _score_ranks(before: Tensor, count: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """AP, INP and first rank (Q,) from the negatives before each of `count` positives (Q, W)."""
    order = torch.arange(1, before.shape[1] + 1, device=before.device)
    ranks = before + order
    precision = (order / ranks.double()).masked_fill(order > count[:, None], 0.0)
    missing = count == 0
    penalty = precision.gather(1, (count - 1).clamp(min=0)[:, None])[:, 0]  # n / r_n
    return (
        (precision.sum(dim=1) / count).masked_fill(missing, torch.nan),
        penalty.masked_fill(missing, torch.nan),
        ranks[:, 0].masked_fill(missing, -1),
    )


def _rows_of_identity(query: Embeddings, gallery: Embeddings) -> Tensor:
    """Gallery rows of each query's identity, in order: (Q, W >= 1), padded with -1."""
    identities, order = gallery.identities.sort(stable=True)
    first = torch.searchsorted(identities, query.identities)[:, None]
    end = torch.searchsorted(identities, query.identities, right=True)[:, None]
    width = max(1, int((end - first).max()))
    places = first + torch.arange(width, device=order.device)
    return order[places.clamp(max=len(order) - 1)].masked_fill(places >= end, -1)


def _require_ties(ties: str) -> None:
    if ties not in TIES:
        raise ValueError(f"ties is {ties!r}; it must be {' or '.join(TIES)}.")


@contextmanager
def strict_float32(device: torch.device) -> Iterator[None]:
    """Multiply in float32 proper, whatever training has chosen for speed (TF32, autocast)."""
    matmul = torch.backends.cuda.matmul
    before, matmul.fp32_precision = matmul.fp32_precision, "ieee"
    try:
        with torch.autocast(device.type, enabled=False):
            yield
    finally:
        matmul.fp32_precision = before


def _validate_sets(query: Embeddings, gallery: Embeddings) -> None:
    """Refuse sets that do not fit together."""
    for name, part in (("query", query), ("gallery", gallery)):
        count = len(part.features)
        if count == 0:
            raise ValueError(f"The {name} set is empty.")
        if not len(part.identities) == len(part.cameras) == count:
            sizes = f"{count} features, {len(part.identities)} identities, {len(part.cameras)}"
            raise ValueError(f"The {name} set has {sizes} cameras; they must be equally many.")
    widths = [part.features.shape[1] for part in (query, gallery)]
    if widths[0] != widths[1]:
        raise ValueError(f"Query features have width {widths[0]}, gallery features {widths[1]}.")


def _finite_norms(name: str, features: Tensor) -> Tensor:
    """Lengths of features (N, D): (N,). Those whose distances would not be finite are refused."""
    lengths: Tensor = torch.linalg.vector_norm(features.float(), dim=1)
    damaged = int((~(2 * lengths).square().isfinite()).sum())
    if damaged:
        count = len(features)
        raise ValueError(f"{damaged} of {count} {name} features are not finite in float32.")
    return lengths

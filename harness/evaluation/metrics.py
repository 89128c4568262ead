r"""Retrieval scores by the protocol of Market-1501: average precision, CMC and mINP.

For each query, gallery rows of the same identity and the same camera are removed. The n remaining
rows of the query's identity, its matches, have the ranks r_1 < ... < r_n, counted from 1, and

    AP = 1/n sum_k k / r_k,    CMC@k = [r_1 <= k],    INP = n / r_n    (Ye et al., TPAMI 2021)

Queries without a match do not count in any mean. Only the ranks of matches are computed,

    r_k = k + number of negatives closer than the k-th match,

so only matches and the rows before the last of them are sorted, and only the distances of `chunk`
queries exist at a time. A negative at the distance of a match counts as closer or not (`ties`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.nn import functional as F

from harness.evaluation.distances import Distances, map_blocks, split_work
from harness.evaluation.ranks import count_ranks
from harness.evaluation.retrieval_scores import Embeddings, RetrievalScores, concatenate

METRICS = ("cosine", "euclidean")
TIES = ("pessimistic", "optimistic")
NEAREST_ROWS = 10  # nearest gallery rows that are stored for each query
CHUNK = 768  # queries whose distances exist at a time


Ranking = RetrievalScores  # its name before version 0.2


def evaluate(
    query: Embeddings,
    gallery: Embeddings,
    *,
    metric: str = "cosine",
    ties: str = "pessimistic",
    chunk: int = CHUNK,
) -> RetrievalScores:
    """Rank the gallery for every query and score the ranks.

    Args:
        query: Embeddings of the queries.
        gallery: Embeddings of the gallery, as wide as those of the queries.
        metric: `cosine` or `euclidean`.
        ties: Order of a match and a negative at the same distance: `pessimistic` puts the negative
            first, so that a network with one feature for all images scores nothing; `optimistic`
            puts the match first.
        chunk: Largest number of queries whose distances exist at a time; a smaller one needs less
            memory.

    Raises:
        ValueError: `metric`, `ties` or `chunk` is not allowed, a set is empty, sizes differ,
            features are not finite, or no query has a match.
    """
    _validate_sets(query, gallery)
    _finite_norms("query", query.features)
    norms = _finite_norms("gallery", gallery.features)
    if metric not in METRICS:
        raise ValueError(f"metric is {metric!r}; it must be {' or '.join(METRICS)}.")
    if chunk < 1:
        raise ValueError(f"chunk is {chunk}; it must be 1 or more.")
    _require_ties(ties)
    columns = _rows_of_identity(query, gallery)

    def rank(part: slice, block: Tensor) -> RetrievalScores:
        return _rank_block(block, columns[part], query.cameras[part], gallery.cameras, ties)

    with torch.no_grad(), strict_float32(query.features.device):
        distances = Distances.create(metric, query.features, gallery.features, norms)
        scores = concatenate(map_blocks(distances, chunk, rank))
    if not bool((scores.first_rank > 0).any()):
        raise ValueError(
            f"None of the {len(columns)} queries has a match: "
            "no gallery row shows a query's identity from another camera."
        )
    return scores


def rank_distances(
    distances: Tensor,
    query: Embeddings,
    gallery: Embeddings,
    *,
    ties: str = "pessimistic",
    chunk: int = CHUNK,
) -> RetrievalScores:
    """Score given distances.

    Args:
        distances: Finite distances, (Q, G); not changed.
        query: Labels of the queries; their features are not used.
        gallery: Labels of the gallery; its features are not used.
        ties: Order of a match and a negative at the same distance, as in `evaluate`.
        chunk: Largest number of queries that are ranked at a time.

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


def _rank_block(
    distances: Tensor, columns: Tensor, cameras: Tensor, gallery_cameras: Tensor, ties: str
) -> RetrievalScores:
    """Rank and score one block of queries.

    Args:
        distances: (Q, G); changed.
        columns: Gallery rows of each query's identity, (Q, W), as of `_rows_of_identity`.
        cameras: Cameras of the queries, (Q,).
        gallery_cameras: Cameras of the gallery, (G,).
        ties: `pessimistic` or `optimistic`.
    """
    same_identity = columns >= 0
    match = same_identity & (gallery_cameras[columns] != cameras[:, None])
    removed = same_identity & ~match
    distances[removed.nonzero()[:, 0], columns[removed]] = torch.inf
    positives = distances.gather(1, columns.clamp(min=0)).masked_fill(~match, torch.inf)
    positives = positives.sort(dim=1).values
    count = match.sum(dim=1)
    nearest, up_to, below = count_ranks(distances, positives, count, NEAREST_ROWS)
    nearest = nearest.masked_fill(distances.gather(1, nearest) == torch.inf, -1)
    nearest = F.pad(nearest, (0, NEAREST_ROWS - nearest.shape[1]), value=-1)
    # The counts contain the query's own matches, which are not negatives.
    own_up_to, own_below = _count_own_matches(positives)
    worst = _score_ranks(up_to - own_up_to, count)
    best = _score_ranks(below - own_below, count)
    return RetrievalScores(*(worst if ties == "pessimistic" else best), nearest, *best)


def _count_own_matches(positives: Tensor) -> tuple[Tensor, Tensor]:
    """Count the entries of each row up to and below each of its entries.

    Args:
        positives: Sorted distances of matches, (Q, W), padded with infinity; the counts of the
            padding are arbitrary.

    Returns:
        Number of entries up to each entry and number below it, (Q, W) each.
    """
    ties = (positives[:, 1:] == positives[:, :-1]) & positives[:, 1:].isfinite()
    if bool(ties.any()):
        return torch.searchsorted(positives, positives, right=True), torch.searchsorted(
            positives, positives
        )
    position = torch.arange(positives.shape[1], device=positives.device)
    return position + 1, position


def _score_ranks(negatives: Tensor, count: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Compute AP, INP and the first rank of each query.

    Args:
        negatives: Number of negatives before each match, (Q, W).
        count: Number of matches, (Q,).

    Returns:
        Three tensors (Q,): float64, float64 and int64.
    """
    order = torch.arange(1, negatives.shape[1] + 1, device=negatives.device)
    ranks = negatives + order
    precision = (order / ranks.double()).masked_fill(order > count[:, None], 0.0)
    unmatched = count == 0
    penalty = precision.gather(1, (count - 1).clamp(min=0)[:, None])[:, 0]  # n / r_n
    return (
        (precision.sum(dim=1) / count).masked_fill(unmatched, torch.nan),
        penalty.masked_fill(unmatched, torch.nan),
        ranks[:, 0].masked_fill(unmatched, -1),
    )


def _rows_of_identity(query: Embeddings, gallery: Embeddings) -> Tensor:
    """Return the gallery rows of each query's identity, in order: (Q, W >= 1), padded with -1."""
    identities, order = gallery.identities.sort(stable=True)
    first = torch.searchsorted(identities, query.identities)[:, None]
    end = torch.searchsorted(identities, query.identities, right=True)[:, None]
    width = max(1, int((end - first).max()))
    positions = first + torch.arange(width, device=order.device)
    return order[positions.clamp(max=len(order) - 1)].masked_fill(positions >= end, -1)


def _require_ties(ties: str) -> None:
    if ties not in TIES:
        raise ValueError(f"ties is {ties!r}; it must be {' or '.join(TIES)}.")


@contextmanager
def strict_float32(device: torch.device) -> Iterator[None]:
    """Disable TF32 and autocast, which training may use, within the block."""
    matmul = torch.backends.cuda.matmul
    before, matmul.fp32_precision = matmul.fp32_precision, "ieee"
    try:
        with torch.autocast(device.type, enabled=False):
            yield
    finally:
        matmul.fp32_precision = before


def _validate_sets(query: Embeddings, gallery: Embeddings) -> None:
    """Check that two sets are not empty and fit together.

    Raises:
        ValueError: They do not.
    """
    for name, embeddings in (("query", query), ("gallery", gallery)):
        count = len(embeddings.features)
        if count == 0:
            raise ValueError(f"The {name} set is empty.")
        identities, cameras = len(embeddings.identities), len(embeddings.cameras)
        if not identities == cameras == count:
            raise ValueError(
                f"The {name} set has {count} features, {identities} identities and {cameras} "
                "cameras; the numbers must be equal."
            )
    widths = [embeddings.features.shape[1] for embeddings in (query, gallery)]
    if widths[0] != widths[1]:
        raise ValueError(
            f"Query features have width {widths[0]} and gallery features width {widths[1]}; the "
            "widths must be equal."
        )


def _finite_norms(name: str, features: Tensor) -> Tensor:
    """Return the Euclidean norms of features: (N, D) -> (N,).

    Raises:
        ValueError: Distances would not be finite.
    """
    norms: Tensor = torch.linalg.vector_norm(features.float(), dim=1)
    # Twice the norm bounds the distance of two features of this size.
    overflowing = int((~(2 * norms).square().isfinite()).sum())
    if overflowing:
        count = len(features)
        raise ValueError(f"{overflowing} of {count} {name} features are not finite in float32.")
    return norms

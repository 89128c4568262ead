r"""k-reciprocal re-ranking (Zhong et al., CVPR 2017), without a matrix of all distances.

Of N = Q + G images, with d(p, g) the squared Euclidean distance divided by the largest of p's row:

    R(p)  = {g: g is among the k1 nearest of p, and p among those of g}
    R*(p) = R(p) and all R_half(q), q in R(p), of which more than 2/3 are in R(p)      (Eq. 4)
    V_pg  = exp(-d(p, g)) in R*(p), 0 elsewhere; each row is divided by its sum        (Eq. 7)
    V_p   = mean of V over the k2 nearest of p (local query expansion)                 (Eq. 11)
    J     = 1 - s / (2 - s),   s = sum_j min(V_pj, V_gj)                               (Eq. 10)
    d*    = (1 - lambda) J + lambda d                                                  (Eq. 12)

R_half uses the k1 / 2 nearest. An image is its own nearest neighbour. As in the authors' code,
distances are squared once and divided by the largest of their row, and rows of V by their sum.
Other implementations differ: torchreid squares distances that are squared already; fast-reid uses
a softmax of exp(-d) for V and does not divide d; reid-strong-baseline is like this one with V in 16
bits, here 32.

V has few entries in each row and is stored as a sparse matrix. Distances exist for some rows at a
time, in one buffer: a new buffer for every chunk would fragment the heap.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from harness.evaluation.metrics import strict_float32
from harness.evaluation.ranks import nearest_neighbours
from harness.evaluation.sparse_rows import SparseRows, stack_rows, sum_minima, transpose_gallery

CHUNK = 256  # rows whose distances exist at a time
PAIR_BYTES = 64 * 2**20  # of pairs that are compared at a time


@dataclass(frozen=True, slots=True)
class RerankingOptions:
    """Parameters of the method; the defaults are those of the paper.

    Attributes:
        k1: Neighbours of the reciprocal sets.
        k2: Neighbours of the query expansion, at most k1 + 1; with 1 there is no expansion.
        lambda_: Share of the original distance, from 0 to 1.

    Raises:
        ValueError: A parameter is out of range.
    """

    k1: int = 20
    k2: int = 6
    lambda_: float = 0.3

    def __post_init__(self) -> None:
        if not (self.k1 >= 1 and 1 <= self.k2 <= self.k1 + 1 and 0 <= self.lambda_ <= 1):
            raise ValueError(
                f"Re-ranking has k1 {self.k1}, k2 {self.k2}, lambda {self.lambda_}; k1 must be 1 "
                "or more, k2 between 1 and k1 + 1, lambda between 0 and 1."
            )

    @property
    def half(self) -> int:
        """Number of neighbours of R_half, including the image itself."""
        return round(self.k1 / 2) + 1


def memory_required(queries: int, rows: int, width: int, options: RerankingOptions) -> int:
    """Return the largest number of bytes that re-ranking needs on the features' device.

    Args:
        queries: Number of queries, Q.
        rows: Number of gallery images, G.
        width: Width of the features, D.
        options: Parameters of the method.
    """
    images = queries + rows
    neighbours = options.k1 + 1
    # A set is added only if over 2/3 of it is present already, so it adds less than a third.
    entries = min(images, neighbours + neighbours * ((options.half - 1) // 3))
    expanded = min(images, entries * options.k2)
    feature_bytes = 2 * 4 * images * width
    neighbour_bytes = images * (8 * neighbours + options.half)
    weight_bytes = images * 8 * (entries + expanded) + rows * 36 * expanded
    block_bytes = CHUNK * (16 * images + 24 * neighbours * options.half) + CHUNK * 40 * expanded
    return feature_bytes + neighbour_bytes + weight_bytes + block_bytes + 40 * rows + 2 * PAIR_BYTES


@torch.no_grad()
def rerank(query: Tensor, gallery: Tensor, options: RerankingOptions) -> Iterator[Tensor]:
    """Yield the new distances d* of consecutive queries.

    Args:
        query: Query features, (Q, D) float32. The method's authors normalise features.
        gallery: Gallery features, (G, D) float32.
        options: Parameters of the method.

    Yields:
        Blocks (B, G) float32 with B at most 256. The next block overwrites the one before.
    """
    with strict_float32(query.device):
        features = torch.cat([query, gallery])
        neighbours, farthest = _find_neighbours(features, options.k1 + 1)
        weights = _encode_neighbours(features, neighbours, farthest, options.half)
        if options.k2 > 1:
            weights = _expand_queries(weights, neighbours[:, : options.k2])
    columns = transpose_gallery(weights, len(query))
    buffer, sums = (_make_buffer(gallery, torch.float32) for _ in range(2))
    for part in torch.split(torch.arange(len(query), device=query.device), CHUNK):
        with strict_float32(query.device):
            distances = _squared_distances(query[part], gallery, buffer)
            distances.div_(farthest[part, None])
        minima = sum_minima(
            weights, columns, part, sums[: len(part)].zero_(), limit=PAIR_BYTES // 40
        )
        jaccard = minima.div_(2 - minima).neg_().add_(1)
        yield distances.mul_(options.lambda_).add_(jaccard, alpha=1 - options.lambda_)


def _make_buffer(images: Tensor, dtype: torch.dtype) -> Tensor:
    """Allocate a buffer with a row for each image of a chunk and a column for each of `images`."""
    return torch.empty(CHUNK, len(images), dtype=dtype, device=images.device)


def _squared_distances(rows: Tensor, others: Tensor, buffer: Tensor) -> Tensor:
    """Compute squared Euclidean distances in a buffer: (B, D), (N, D) -> (B, N)."""
    squared_norms = torch.linalg.vector_norm(others, dim=1).square()
    distances = buffer[: len(rows)]
    torch.addmm(squared_norms, rows, others.T, alpha=-2, out=distances)
    return distances.add_(rows.square().sum(dim=1)[:, None]).clamp_(min=0)


def _find_neighbours(features: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Return the nearest images of every image, itself included, and its largest distance.

    Args:
        features: (N, D).
        size: Number of neighbours.

    Returns:
        (N, size) int64 and (N,) float32.
    """
    nearest, largest, buffer = [], [], _make_buffer(features, torch.float32)
    for rows in torch.split(features, CHUNK):
        distances = _squared_distances(rows, features, buffer)
        nearest.append(nearest_neighbours(distances, size))
        largest.append(distances.amax(dim=1))
    tiny = torch.finfo(torch.float32).tiny  # if all images are one point, every distance is 0
    return torch.cat(nearest), torch.cat(largest).clamp(min=tiny)


def _are_mutual(neighbours: Tensor, rows: Tensor) -> Tensor:
    """Return which neighbours of `rows` have the row among their own: (N, K), (B,) -> (B, K)."""
    return (neighbours[neighbours[rows]] == rows[:, None, None]).any(dim=2)


def _encode_neighbours(
    features: Tensor, neighbours: Tensor, farthest: Tensor, half: int
) -> SparseRows:
    """Compute V before query expansion (Eq. 7).

    Args:
        features: (N, D).
        neighbours: Nearest images, (N, k1 + 1).
        farthest: Largest distance of each image, (N,).
        half: Number of neighbours of R_half.
    """
    images = torch.arange(len(features), device=features.device)
    near = neighbours[:, :half]
    mutual = torch.cat([_are_mutual(near, rows) for rows in torch.split(images, CHUNK)])
    parts, buffer = [], _make_buffer(features, torch.bool)
    for rows in torch.split(images, CHUNK):
        members = buffer[: len(rows)].zero_()
        _fill_reciprocal_sets(members, neighbours, near, mutual, rows)
        row, column = members.nonzero(as_tuple=True)
        distances = _pair_distances(features, rows[row], column) / farthest[rows[row]]
        values = distances.neg_().exp_()
        sums = values.new_zeros(len(rows)).index_add_(0, row, values)
        parts.append((torch.bincount(row, minlength=len(rows)), column.int(), values / sums[row]))
    return stack_rows(parts)


def _fill_reciprocal_sets(
    members: Tensor, neighbours: Tensor, near: Tensor, mutual: Tensor, rows: Tensor
) -> None:
    """Set the entries of R* (Eq. 4) in a table of False.

    Args:
        members: Table to fill, (B, N) bool.
        neighbours: Nearest images, (N, k1 + 1).
        near: Their first columns, the neighbours of R_half, (N, half).
        mutual: Which of `near` are mutual, (N, half) bool; the others are not in R_half.
        rows: The images of the table, (B,).
    """
    reciprocal = _are_mutual(neighbours, rows)
    members.scatter_(1, neighbours[rows], reciprocal)
    sets, valid = near[neighbours[rows]], mutual[neighbours[rows]]  # (B, k1 + 1, half)
    inside = members.gather(1, sets.flatten(start_dim=1)).view_as(valid) & valid
    # 3 |R_half(q) and R(p)| > 2 |R_half(q)|, in whole numbers
    added = reciprocal & (3 * inside.sum(dim=2) > 2 * valid.sum(dim=2))
    row, place, member = (added[:, :, None] & valid).nonzero(as_tuple=True)
    members[row, sets[row, place, member]] = True


def _pair_distances(features: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """Compute squared distances of pairs of images: (N, D), (M,), (M,) -> (M,)."""
    size = max(1, PAIR_BYTES // (12 * features.shape[1]))
    pairs = zip(torch.split(left, size), torch.split(right, size), strict=True)
    return torch.cat([(features[a] - features[b]).square().sum(dim=1) for a, b in pairs])


def _expand_queries(weights: SparseRows, neighbours: Tensor) -> SparseRows:
    """Replace every row of V by the mean of its neighbours' rows (Eq. 11).

    Args:
        weights: V, (N, N).
        neighbours: The k2 nearest images of each, (N, k2).
    """
    images, size = neighbours.shape
    parts, buffer = [], _make_buffer(neighbours, torch.float32)
    for rows in torch.split(torch.arange(images, device=neighbours.device), CHUNK):
        place, owner = weights.entries(neighbours[rows].flatten())
        table = buffer[: len(rows)].zero_()
        flat = torch.div(owner, size, rounding_mode="floor") * images + weights.columns[place]
        table.view(-1).index_add_(0, flat, weights.values[place] / size)
        row, column = table.nonzero(as_tuple=True)
        parts.append((torch.bincount(row, minlength=len(rows)), column.int(), table[row, column]))
    return stack_rows(parts)

r"""k-reciprocal re-ranking (Zhong et al., CVPR 2017), never with all distances in memory.

Of N = Q + G images, with d(p, g) the squared Euclidean distance divided by the largest of p's row:

    R(p)  = {g: g is among the k1 nearest of p, and p among those of g}
    R*(p) = R(p) and all R_half(q), q in R(p), of which more than 2/3 lie in R(p)      (Eq. 4)
    V_pg  = exp(-d(p, g)) in R*(p), 0 elsewhere; each row is divided by its sum        (Eq. 7)
    V_p   = mean of V over the k2 nearest of p (local query expansion)                 (Eq. 11)
    J     = 1 - s / (2 - s),   s = sum_j min(V_pj, V_gj)                               (Eq. 10)
    d*    = (1 - lambda) J + lambda d                                                  (Eq. 12)

R_half looks among the k1 / 2 nearest. An image counts as its own nearest. Distances squared
once and divided by the largest of a row are as in the authors' code, and so are rows of V. The
ports differ: torchreid's squares distances that are squared already; fast-reid's puts a softmax of
exp(-d) in V and leaves d undivided; reid-strong-baseline's is this one with V in 16 bits, here 32.

V has few entries a row and is kept as such; distances exist for some rows at a time, in one buffer:
made anew for every chunk, they would leave holes in the heap that nothing of their size fits into.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from harness.evaluation.metrics import strict_float32
from harness.evaluation.ranks import nearest_neighbours

CHUNK = 256  # rows whose distances exist at a time
PAIR_BYTES = 64 * 2**20  # of what is compared pair by pair at a time


@dataclass(frozen=True, slots=True)
class RerankingOptions:
    """The three numbers of the method; the defaults are the paper's.

    Raises:
        ValueError: one of them is outside what it can mean.
    """

    k1: int = 20
    k2: int = 6  # 1: no query expansion
    lambda_: float = 0.3  # lambda: the original distance's share

    def __post_init__(self) -> None:
        if not (self.k1 >= 1 and 1 <= self.k2 <= self.k1 + 1 and 0 <= self.lambda_ <= 1):
            raise ValueError(
                f"Re-ranking has k1 {self.k1}, k2 {self.k2}, lambda {self.lambda_}; k1 must be 1 "
                "or more, k2 between 1 and k1 + 1, lambda between 0 and 1."
            )

    @property
    def half(self) -> int:
        """Nearest that R_half looks among, the image itself included."""
        return round(self.k1 / 2) + 1


@dataclass(frozen=True, slots=True)
class SparseRows:
    """A matrix by its entries: those of row i are at `offsets[i]` up to `offsets[i + 1]`."""

    offsets: Tensor  # (rows + 1,) int64
    columns: Tensor  # (entries,) int32
    values: Tensor  # (entries,) float32

    def entries(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Places of all entries of `rows`, and for each the position of its row in `rows`."""
        lengths = self.offsets[rows + 1] - self.offsets[rows]
        owner = torch.repeat_interleave(lengths)
        within = torch.arange(len(owner), device=rows.device) - (lengths.cumsum(0) - lengths)[owner]
        return self.offsets[rows][owner] + within, owner


def memory_required(queries: int, rows: int, width: int, settings: RerankingOptions) -> int:
    """Bytes that re-ranking takes at most, on the device of features `width` wide."""
    images = queries + rows
    found = settings.k1 + 1
    # a set is taken in only if over 2/3 of it is there already, so it brings in under a third
    entries = min(images, found + found * ((settings.half - 1) // 3))
    expanded = min(images, entries * settings.k2)
    features = 2 * 4 * images * width
    neighbours = images * (8 * found + settings.half)
    weights = images * 8 * (entries + expanded) + rows * 36 * expanded
    blocks = CHUNK * (16 * images + 24 * found * settings.half) + CHUNK * 40 * expanded
    return features + neighbours + weights + blocks + 40 * rows + 2 * PAIR_BYTES


def memory_available(device: torch.device) -> int | None:
    """Bytes that are free on `device`; None where the system does not tell."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    free = [int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")]
    return 1024 * free[0] if free else None


@torch.no_grad()
def rerank(query: Tensor, gallery: Tensor, settings: RerankingOptions) -> Iterator[Tensor]:
    """New distances d*, some queries at a time: (Q, D), (G, D) float32 -> (256 or fewer, G).

    A block holds until the next is asked for. Features are compared as given: the method's authors
    normalise them.
    """
    with strict_float32(query.device):
        features = torch.cat([query, gallery])
        neighbours, farthest = _find_neighbours(features, settings.k1 + 1)
        weights = _encode_neighbours(features, neighbours, farthest, settings.half)
        if settings.k2 > 1:
            weights = _expand_queries(weights, neighbours[:, : settings.k2])
    columns = _transpose_gallery(weights, len(query))
    buffer, sums = (_make_buffer(gallery, torch.float32) for _ in range(2))
    for part in torch.split(torch.arange(len(query), device=query.device), CHUNK):
        with strict_float32(query.device):
            distances = _squared_distances(query[part], gallery, buffer).div_(farthest[part, None])
        shared = _sum_minima(weights, columns, part, sums[: len(part)].zero_())
        jaccard = shared.div_(2 - shared).neg_().add_(1)
        yield distances.mul_(settings.lambda_).add_(jaccard, alpha=1 - settings.lambda_)


def _make_buffer(images: Tensor, kind: torch.dtype) -> Tensor:
    """Room for something of some images and every one of `images`: (256, N)."""
    return torch.empty(CHUNK, len(images), dtype=kind, device=images.device)


def _squared_distances(rows: Tensor, others: Tensor, buffer: Tensor) -> Tensor:
    """Squared Euclidean distances, in the buffer: (B, D), (N, D) -> (B, N)."""
    lengths = torch.linalg.vector_norm(others, dim=1).square()
    distances = buffer[: len(rows)]
    torch.addmm(lengths, rows, others.T, alpha=-2, out=distances)
    return distances.add_(rows.square().sum(dim=1)[:, None]).clamp_(min=0)


def _find_neighbours(features: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """The nearest of every image, with itself, and its largest distance: (N, k1 + 1), (N,)."""
    found, largest, buffer = [], [], _make_buffer(features, torch.float32)
    for rows in torch.split(features, CHUNK):
        distances = _squared_distances(rows, features, buffer)
        found.append(nearest_neighbours(distances, size))
        largest.append(distances.amax(dim=1))
    tiny = torch.finfo(torch.float32).tiny  # all images are one point: every distance is 0
    return torch.cat(found), torch.cat(largest).clamp(min=tiny)


def _are_mutual(neighbours: Tensor, rows: Tensor) -> Tensor:
    """Which of `rows`' neighbours have it among theirs, too: (N, K), (B,) -> (B, K)."""
    return (neighbours[neighbours[rows]] == rows[:, None, None]).any(dim=2)


def _encode_neighbours(
    features: Tensor, neighbours: Tensor, farthest: Tensor, half: int
) -> SparseRows:
    """V before query expansion."""
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
    return _stack_rows(parts)


def _fill_reciprocal_sets(
    members: Tensor, neighbours: Tensor, near: Tensor, mutual: Tensor, rows: Tensor
) -> None:
    """Write R* of `rows` into a table of no: (B, N)."""
    reciprocal = _are_mutual(neighbours, rows)
    members.scatter_(1, neighbours[rows], reciprocal)
    sets, valid = near[neighbours[rows]], mutual[neighbours[rows]]  # (B, K, half)
    inside = members.gather(1, sets.flatten(start_dim=1)).view_as(valid) & valid
    taken = reciprocal & (3 * inside.sum(dim=2) > 2 * valid.sum(dim=2))
    row, place, member = (taken[:, :, None] & valid).nonzero(as_tuple=True)
    members[row, sets[row, place, member]] = True


def _pair_distances(features: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """Squared distances of pairs of images, without a table of all: (M,), (M,) -> (M,)."""
    size = max(1, PAIR_BYTES // (12 * features.shape[1]))
    pairs = zip(torch.split(left, size), torch.split(right, size), strict=True)
    return torch.cat([(features[a] - features[b]).square().sum(dim=1) for a, b in pairs])


def _expand_queries(weights: SparseRows, neighbours: Tensor) -> SparseRows:
    """V after query expansion: every row the mean of its neighbours' rows."""
    images, size = neighbours.shape
    parts, buffer = [], _make_buffer(neighbours, torch.float32)
    for rows in torch.split(torch.arange(images, device=neighbours.device), CHUNK):
        place, owner = weights.entries(neighbours[rows].flatten())
        table = buffer[: len(rows)].zero_()
        flat = torch.div(owner, size, rounding_mode="floor") * images + weights.columns[place]
        table.view(-1).index_add_(0, flat, weights.values[place] / size)
        row, column = table.nonzero(as_tuple=True)
        parts.append((torch.bincount(row, minlength=len(rows)), column.int(), table[row, column]))
    return _stack_rows(parts)


def _stack_rows(parts: list[tuple[Tensor, Tensor, Tensor]]) -> SparseRows:
    """Entries a row, columns and values of consecutive rows as one matrix."""
    counts, columns, values = (torch.cat(several) for several in zip(*parts, strict=True))
    offsets = torch.cat([counts.new_zeros(1), counts.cumsum(dim=0)])
    return SparseRows(offsets, columns, values)


def _transpose_gallery(weights: SparseRows, queries: int) -> SparseRows:
    """The gallery's rows of V the other way round: for each image, which gallery rows have it."""
    start = int(weights.offsets[queries])
    columns, values = weights.columns[start:], weights.values[start:]
    lengths = weights.offsets[queries + 1 :] - weights.offsets[queries:-1]
    order = columns.sort(stable=True).indices
    rows = torch.repeat_interleave(lengths)[order].int()
    counts = torch.bincount(columns, minlength=len(weights.offsets) - 1)
    offsets = torch.cat([counts.new_zeros(1), counts.cumsum(dim=0)])
    return SparseRows(offsets, rows, values[order])


def _sum_minima(weights: SparseRows, columns: SparseRows, rows: Tensor, sums: Tensor) -> Tensor:
    """The s of some queries with every gallery image, added to zeros: (B,), (B, G) -> (B, G)."""
    place, owner = weights.entries(rows)
    images = weights.columns[place].long()
    lengths = columns.offsets[images + 1] - columns.offsets[images]
    for part in _split_by_length(lengths, PAIR_BYTES // 40):
        where, entry = columns.entries(images[part])
        smaller = torch.minimum(columns.values[where], weights.values[place[part]][entry])
        flat = owner[part][entry] * sums.shape[1] + columns.columns[where]
        sums.view(-1).index_add_(0, flat, smaller)
    return sums


def _split_by_length(lengths: Tensor, limit: int) -> Iterator[slice]:
    """Consecutive entries whose `lengths` together are about `limit`, in order."""
    portion = lengths.cumsum(dim=0) // limit
    first = 0
    for count in torch.unique_consecutive(portion, return_counts=True)[1].tolist():
        yield slice(first, first + count)
        first += count

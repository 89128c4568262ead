"""Scores of every query of a run, from its `per_query.npz`, and their sums by identity.

The arrays in the file are named `<evaluation>.<split>.<column>`. An evaluation with several splits
(VehicleID: ten galleries, each with its own queries) is read as one list of observations, one for
each query of each split. An observation has the weight 1 / (splits x queries of its split), so that
the weighted mean is the record's mAP. All observations of an identity form one cluster, because
they are alike for a reason that is not the method. The splits themselves are part of the protocol
and the same for all methods. Rank 1 is treated like AP: it is 1 for a query if the nearest image is
a match, else 0.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.runs.arrays import read_arrays
from harness.runs.layout import PER_QUERY

COLUMNS = ("query", "identity", "average_precision", "inverse_negative_penalty", "first_rank")
CMC_RANKS = (1, 5, 10, 20)


@dataclass(frozen=True, slots=True)
class QueryScores:
    """Scores of the Q queries of one split, in the file's order.

    Attributes:
        query: (Q,) unique names.
        identity: (Q,) labels.
        average_precision: (Q,) from 0 to 1; NaN for a query without a match.
        inverse_negative_penalty: (Q,) from 0 to 1; NaN for a query without a match.
        first_rank: (Q,) rank of the first match, from 1; undefined without a match.
    """

    query: NDArray[np.str_]
    identity: NDArray[np.int64]
    average_precision: NDArray[np.float64]
    inverse_negative_penalty: NDArray[np.float64]
    first_rank: NDArray[np.int64]

    @property
    def has_match(self) -> NDArray[np.bool_]:
        """(Q,) true for the queries that count: those with a match in the gallery."""
        return ~np.isnan(self.average_precision)

    def means(self) -> dict[str, float]:
        """Return mAP, mINP and R1, R5, ... over the queries with a match, as fractions of 1."""
        matched = self.has_match
        ranks = self.first_rank[matched]
        return {
            "mAP": float(self.average_precision[matched].mean()),
            "mINP": float(self.inverse_negative_penalty[matched].mean()),
            **{f"R{rank}": float((ranks <= rank).mean()) for rank in CMC_RANKS},
        }


@dataclass(frozen=True, slots=True)
class IdentitySums:
    """Scores of a run in one evaluation, as sums over the queries of each of G identities.

    Attributes:
        queries: Digest of the splits' queries: names, identities and which have a match. Runs can
            be compared if it is equal.
        count: Number of queries with a match; the largest if there are several splits.
        parts: By score (mAP, R1), (G,) sums of weight x AP and of weight x hit; each sums to the
            score.
        weights: (G,) sums of weights; they sum to 1.
    """

    queries: str
    count: int
    parts: dict[str, NDArray[np.float64]]
    weights: NDArray[np.float64]


def load_query_scores(path: Path) -> dict[str, list[QueryScores]]:
    """Return the splits of every evaluation in a `per_query.npz`.

    Raises:
        ValueError: The file is missing, damaged or has another form; the message says which.
    """
    arrays = read_arrays(path, COLUMNS)
    evaluations: dict[str, list[QueryScores]] = {}
    try:
        for name in dict.fromkeys(entry.rsplit(".", 2)[0] for entry in arrays):
            entries = [entry for entry in arrays if entry.rsplit(".", 2)[0] == name]
            numbers = sorted({int(entry.rsplit(".", 2)[1]) for entry in entries})
            evaluations[name] = [_take_split(arrays, f"{name}.{number}") for number in numbers]
    except (KeyError, ValueError, IndexError) as error:
        raise ValueError(f"{path.name} does not have the form of a run's: {error}") from error
    if not evaluations:
        raise ValueError(f"{path.name} contains no queries")
    return evaluations


def load_identity_sums(path: Path) -> dict[str, IdentitySums]:
    """Return the sums by identity of every evaluation in a `per_query.npz`.

    They are kept in memory and read again only if the file was replaced.

    Raises:
        ValueError: As `load_query_scores`, or a split has no query with a match.
    """
    return _load(path)[0]


def load_scores(path: Path) -> dict[str, list[dict[str, float]]]:
    """Return mAP, mINP, R1, R5, ... of every split, by evaluation, from a `per_query.npz`.

    The file is read once for these and for `load_identity_sums`.

    Raises:
        ValueError: As `load_identity_sums`.
    """
    return _load(path)[1]


_Scores = dict[str, list[dict[str, float]]]


def _load(path: Path) -> tuple[dict[str, IdentitySums], _Scores]:
    try:
        status = path.stat()
    except FileNotFoundError as error:
        raise ValueError(f"{path.name} is missing") from error
    except OSError as error:
        raise ValueError(f"{path.name} cannot be read ({error.strerror})") from error
    return _load_cached(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=4096)
def _load_cached(path: Path, changed: int, size: int) -> tuple[dict[str, IdentitySums], _Scores]:  # noqa: ARG001
    evaluations = load_query_scores(path)
    sums = {name: sum_by_identity(splits) for name, splits in evaluations.items()}
    scores = {name: [one.means() for one in splits] for name, splits in evaluations.items()}
    return sums, scores


def sum_by_identity(splits: list[QueryScores]) -> IdentitySums:
    """Sum weighted scores over the queries of each identity; queries without a match are skipped.

    Raises:
        ValueError: A split has no query with a match.
    """
    matched = [split.has_match for split in splits]
    counts = [int(mask.sum()) for mask in matched]
    if not all(counts):
        raise ValueError(f"{PER_QUERY} has a split in which no query has a match")
    pairs = list(zip(splits, matched, strict=True))
    identity = np.concatenate([split.identity[mask] for split, mask in pairs])
    precision = np.concatenate([split.average_precision[mask] for split, mask in pairs])
    weight = np.concatenate([np.full(count, 1 / count / len(splits)) for count in counts])
    hits = np.concatenate([split.first_rank[mask] == 1 for split, mask in pairs])
    identities, place = np.unique(identity, return_inverse=True)

    def by_identity(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(place, values, len(identities)).astype(np.float64)

    return IdentitySums(
        queries=" ".join(_digest_split(split, mask) for split, mask in pairs),
        count=max(counts),
        parts={"mAP": by_identity(weight * precision), "R1": by_identity(weight * hits)},
        weights=by_identity(weight),
    )


def _take_split(arrays: dict[str, NDArray[Any]], prefix: str) -> QueryScores:
    """Return the split whose arrays' names begin with `prefix`, after checking their form."""
    query, identity, precision, penalty, rank = (arrays[f"{prefix}.{column}"] for column in COLUMNS)
    columns = (query, identity, precision, penalty, rank)
    if any(column.shape != (len(query),) for column in columns):
        raise ValueError(f"columns of {prefix} differ in length")
    if not re.fullmatch("U[iu]ff[iu]", "".join(column.dtype.kind for column in columns)):
        raise ValueError(f"columns of {prefix} are not text, whole numbers and fractions")
    for values, name in ((precision, "precision"), (penalty, "penalty")):
        if np.any((values < 0) | (values > 1)):
            raise ValueError(f"a {name} of {prefix} is not between 0 and 1")
    return QueryScores(
        query,
        identity.astype(np.int64),
        precision.astype(np.float64),
        penalty.astype(np.float64),
        rank,
    )


def _digest_split(split: QueryScores, matched: NDArray[np.bool_]) -> str:
    columns = (split.query.tobytes(), split.identity.tobytes(), matched.tobytes())
    return _digest_columns(split.query.dtype.str, *columns)


@lru_cache(maxsize=64)  # runs on one dataset have the same queries
def _digest_columns(kind: str, query: bytes, identity: bytes, matched: bytes) -> str:
    """Return a digest of names, identities and matches in which the order does not count."""
    columns = (
        np.frombuffer(query, kind).tolist(),
        np.frombuffer(identity, np.int64).tolist(),
        np.frombuffer(matched, np.bool_).tolist(),
    )
    rows = sorted(zip(*columns, strict=True))
    return hashlib.sha256(repr(rows).encode()).hexdigest()[:16]

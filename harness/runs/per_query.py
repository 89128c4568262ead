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
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from harness.runs.layout import PER_QUERY

COLUMNS = ("query", "identity", "average_precision", "first_rank")


@dataclass(frozen=True, slots=True)
class QueryScores:
    """Scores of the Q queries of one split, in the file's order.

    Attributes:
        query: (Q,) unique names.
        identity: (Q,) labels.
        average_precision: (Q,) from 0 to 1; NaN for a query without a match.
        first_rank: (Q,) rank of the first match, from 1; undefined without a match.
    """

    query: NDArray[np.str_]
    identity: NDArray[np.int64]
    average_precision: NDArray[np.float64]
    first_rank: NDArray[np.int64]


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
    arrays = _load_arrays(path)
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
    try:
        status = path.stat()
    except OSError as error:
        raise ValueError(f"{path.name} is missing") from error
    return _cached_identity_sums(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=4096)
def _cached_identity_sums(path: Path, changed: int, size: int) -> dict[str, IdentitySums]:  # noqa: ARG001
    return {name: sum_by_identity(splits) for name, splits in load_query_scores(path).items()}


def sum_by_identity(splits: list[QueryScores]) -> IdentitySums:
    """Sum weighted scores over the queries of each identity; queries without a match are skipped.

    Raises:
        ValueError: A split has no query with a match.
    """
    matched = [~np.isnan(split.average_precision) for split in splits]
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


def _load_arrays(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files if name.endswith(COLUMNS)}
    except FileNotFoundError as error:
        raise ValueError(f"{path.name} is missing") from error
    except PermissionError as error:
        raise ValueError(f"{path.name} cannot be read ({error.strerror})") from error
    except (OSError, ValueError, EOFError, KeyError, TypeError, BadZipFile, zlib.error) as error:
        raise ValueError(f"{path.name} is damaged") from error


def _take_split(arrays: dict[str, NDArray[Any]], prefix: str) -> QueryScores:
    """Return the split whose arrays' names begin with `prefix`, after checking their form."""
    query, identity, precision, rank = (arrays[f"{prefix}.{column}"] for column in COLUMNS)
    if not query.shape == identity.shape == precision.shape == rank.shape == (len(query),):
        raise ValueError(f"columns of {prefix} differ in length")
    kinds = "".join(column.dtype.kind for column in (query, identity, precision, rank))
    if not re.fullmatch("U[iu]f[iu]", kinds):
        raise ValueError(f"columns of {prefix} are not text, whole numbers and fractions")
    if np.any((precision < 0) | (precision > 1)):
        raise ValueError(f"a precision of {prefix} is not between 0 and 1")
    return QueryScores(query, identity.astype(np.int64), precision.astype(np.float64), rank)


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

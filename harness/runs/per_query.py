"""A run's `per_query.npz`: the two scores of every query, and their sums by identity.

The names in the file are `<evaluation>.<draw>.<column>`. An evaluation of several draws (VehicleID:
ten galleries, each with its own queries) is read as one list of observations, a query in each draw
that has it: the weight of an observation is 1 / (draws x queries of its draw), so that the weighted
mean is the mAP of the record, and all draws of an identity stand in one cluster, so that their
likeness is no evidence. The draws themselves are part of the protocol, the same for all methods.
Rank 1 is treated alike: of one query it is 1 if its nearest row is a match, else 0.
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
    """The queries of one draw, in the file's order; four arrays of one length."""

    query: NDArray[np.str_]  # names, each once
    identity: NDArray[np.int64]
    average_precision: NDArray[np.float64]  # fractions of 1; NaN where the query has no match
    first_rank: NDArray[np.int64]  # counted from 1; what it is without a match means nothing


@dataclass(frozen=True, slots=True)
class IdentitySums:
    """What a run's scores in one evaluation are the sums of: a part for each of G identities."""

    queries: str  # digest of who was asked for: draws, names, identities and which have a match
    count: int  # of queries with a match; of several draws the most
    parts: dict[str, NDArray[np.float64]]  # by score (G,): sum of weight x AP, of weight x hit
    weights: NDArray[np.float64]  # (G,): sum of weights, together 1


def load_query_scores(path: Path) -> dict[str, list[QueryScores]]:
    """The draws of every evaluation in the file.

    Raises:
        ValueError: it is missing or damaged, or is not what a run writes; the message says which.
    """
    found = _arrays(path)
    evaluations: dict[str, list[QueryScores]] = {}
    try:
        for name in dict.fromkeys(entry.rsplit(".", 2)[0] for entry in found):
            entries = [entry for entry in found if entry.rsplit(".", 2)[0] == name]
            numbers = sorted({int(entry.rsplit(".", 2)[1]) for entry in entries})
            evaluations[name] = [_draw(found, f"{name}.{number}") for number in numbers]
    except (KeyError, ValueError, IndexError) as error:
        raise ValueError(f"{path.name} is not what a run writes: {error}") from error
    if not evaluations:
        raise ValueError(f"{path.name} holds no queries")
    return evaluations


def load_identity_sums(path: Path) -> dict[str, IdentitySums]:
    """The sums by identity of every evaluation in the file; read again only if it was replaced.

    Raises:
        ValueError: as `load_query_scores`, or a draw has no query with a match.
    """
    try:
        state = path.stat()
    except OSError as error:
        raise ValueError(f"{path.name} is missing") from error
    return _cached_identity_sums(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=4096)
def _cached_identity_sums(path: Path, changed: int, size: int) -> dict[str, IdentitySums]:  # noqa: ARG001
    return {name: sum_by_identity(draws) for name, draws in load_query_scores(path).items()}


def sum_by_identity(draws: list[QueryScores]) -> IdentitySums:
    """Sums over the queries of each identity; queries without a match are left out, as in mAP.

    Raises:
        ValueError: a draw has no query with a match.
    """
    matched = [~np.isnan(draw.average_precision) for draw in draws]
    counts = [int(mask.sum()) for mask in matched]
    if not all(counts):
        raise ValueError(f"{PER_QUERY} has a draw in which no query has a match")
    pairs = list(zip(draws, matched, strict=True))
    identity = np.concatenate([draw.identity[mask] for draw, mask in pairs])
    precision = np.concatenate([draw.average_precision[mask] for draw, mask in pairs])
    weight = np.concatenate([np.full(count, 1 / count / len(draws)) for count in counts])
    hits = np.concatenate([draw.first_rank[mask] == 1 for draw, mask in pairs])
    found, place = np.unique(identity, return_inverse=True)

    def by_sum(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(place, values, len(found)).astype(np.float64)

    return IdentitySums(
        queries=" ".join(_asked(draw, mask) for draw, mask in pairs),
        count=max(counts),
        parts={"mAP": by_sum(weight * precision), "R1": by_sum(weight * hits)},
        weights=by_sum(weight),
    )


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files if name.endswith(COLUMNS)}
    except FileNotFoundError as error:
        raise ValueError(f"{path.name} is missing") from error
    except PermissionError as error:
        raise ValueError(f"{path.name} cannot be read ({error.strerror})") from error
    except (OSError, ValueError, EOFError, KeyError, TypeError, BadZipFile, zlib.error) as error:
        raise ValueError(f"{path.name} is damaged") from error


def _draw(found: dict[str, NDArray[Any]], prefix: str) -> QueryScores:
    query, identity, precision, first = (found[f"{prefix}.{column}"] for column in COLUMNS)
    if not query.shape == identity.shape == precision.shape == first.shape == (len(query),):
        raise ValueError(f"columns of {prefix} differ in length")
    kinds = "".join(column.dtype.kind for column in (query, identity, precision, first))
    if not re.fullmatch("U[iu]f[iu]", kinds):
        raise ValueError(f"columns of {prefix} are not text, whole numbers and fractions")
    if np.any((precision < 0) | (precision > 1)):
        raise ValueError(f"a precision of {prefix} is not between 0 and 1")
    return QueryScores(query, identity.astype(np.int64), precision.astype(np.float64), first)


def _asked(draw: QueryScores, matched: NDArray[np.bool_]) -> str:
    columns = (draw.query.tobytes(), draw.identity.tobytes(), matched.tobytes())
    return _digest(draw.query.dtype.str, *columns)


@lru_cache(maxsize=64)  # runs of one dataset ask for the same
def _digest(kind: str, query: bytes, identity: bytes, matched: bytes) -> str:
    """Of names, identities and what has a match; the order does not count."""
    columns = (
        np.frombuffer(query, kind).tolist(),
        np.frombuffer(identity, np.int64).tolist(),
        np.frombuffer(matched, np.bool_).tolist(),
    )
    rows = sorted(zip(*columns, strict=True))
    return hashlib.sha256(repr(rows).encode()).hexdigest()[:16]

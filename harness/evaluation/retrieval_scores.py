"""Features to score, and the scores of their rankings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Embeddings:
    """Retrieval features of N images and their labels.

    Attributes:
        features: (N, D) float32, not necessarily normalised.
        identities: (N,) int64.
        cameras: (N,) int64.
    """

    features: Tensor
    identities: Tensor
    cameras: Tensor


@dataclass(frozen=True, slots=True)
class RetrievalScores:
    """Scores of Q queries.

    Means are fractions between 0 and 1, over the queries that have a match.

    Attributes:
        average_precision: (Q,) float64, NaN for queries without a match.
        inverse_negative_penalty: (Q,) float64, NaN for queries without a match.
        first_rank: (Q,) int64, rank of the first match from 1; -1 for queries without a match.
        nearest: (Q, 10) int64, nearest gallery rows first, ties by row, padded with -1.
        optimistic_ap: `average_precision` if matches win every tie.
        optimistic_inp: `inverse_negative_penalty` if matches win every tie.
        optimistic_first_rank: `first_rank` if matches win every tie.
    """

    average_precision: Tensor
    inverse_negative_penalty: Tensor
    first_rank: Tensor
    nearest: Tensor
    optimistic_ap: Tensor
    optimistic_inp: Tensor
    optimistic_first_rank: Tensor

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
        """Scores of the same queries if matches win every tie."""
        return replace(
            self,
            average_precision=self.optimistic_ap,
            inverse_negative_penalty=self.optimistic_inp,
            first_rank=self.optimistic_first_rank,
        )

    def cmc(self, k: int) -> float:
        """Return the fraction of queries whose first match has rank `k` or better.

        Raises:
            ValueError: `k` is not positive.
        """
        if k < 1:
            raise ValueError(f"k is {k}; it must be 1 or more.")
        matched = self.first_rank[self.first_rank > 0]
        return float((matched <= k).double().mean())


def concatenate(parts: Iterable[RetrievalScores]) -> RetrievalScores:
    """Concatenate the scores of several sets of queries, in order."""
    scores = list(parts)
    names = [field.name for field in fields(RetrievalScores)]
    return RetrievalScores(*(torch.cat([getattr(part, name) for part in scores]) for name in names))

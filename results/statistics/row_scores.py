"""Scores of a table's row by seed and identity, from the files of its runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.runs.layout import PER_QUERY
from harness.runs.per_query import IdentitySums, load_identity_sums
from results.lines import TableRow

TOLERANCE = 1e-6  # between a record's mAP and the mean over its queries, as fractions of 1


@dataclass(frozen=True, slots=True)
class RowScores:
    """One score of one row.

    Attributes:
        conditions: Scoring protocol and digest of the queries.
        by_seed: For each seed the contributions of the identities to the score, (G,), as fractions
            of 1; their sum is the run's score.
        example: Sums of one seed; its weights and numbers of queries are those of all.
    """

    conditions: tuple[str, str]
    by_seed: dict[int, NDArray[np.float64]]
    example: IdentitySums

    @property
    def scores(self) -> dict[int, float]:
        """Score of the run with each seed, as a fraction of 1."""
        return {seed: float(parts.sum()) for seed, parts in self.by_seed.items()}

    @property
    def mean(self) -> float:
        """Mean score over the seeds, as a fraction of 1."""
        return float(np.mean([*self.scores.values()]))

    def stack(self, seeds: list[int]) -> NDArray[np.float64]:
        """Return the contributions under these seeds: (S, G)."""
        return np.stack([self.by_seed[seed] for seed in seeds])


def load_row_scores(row: TableRow, evaluation: str, score: str) -> RowScores:
    """Load one score of a row's finished runs.

    Args:
        row: The row.
        evaluation: Name of the evaluation.
        score: "mAP" or "R1".

    Raises:
        ValueError: No run is finished, a file cannot be used, or the runs differ in protocol or
            queries.
    """
    runs = row.done.drop_duplicates("seed").sort_values("seed")
    sums = {int(run["seed"]): _load_sums(run, evaluation) for _, run in runs.iterrows()}
    if not sums:
        raise ValueError("it has no seed")
    conditions = {*zip(runs["scoring"], (one.queries for one in sums.values()), strict=True)}
    if len(conditions) > 1:
        raise ValueError("its seeds were scored by different protocols or on different queries")
    parts = {seed: one.parts[score] for seed, one in sums.items()}
    return RowScores(next(iter(conditions)), parts, next(iter(sums.values())))


def _load_sums(run: pd.Series, evaluation: str) -> IdentitySums:
    """Load one run's sums by identity and check that they belong to its record.

    Raises:
        ValueError: The file cannot be read, lacks the evaluation or has another mAP.
    """
    try:
        sums = load_identity_sums(Path(run["folder"]) / PER_QUERY).get(evaluation)
    except ValueError as error:
        raise ValueError(f"{error} ({run['key']})") from error
    if sums is None:
        raise ValueError(f"{PER_QUERY} has no evaluation {evaluation} ({run['key']})")
    recorded = run[f"{evaluation} mAP" if len(run["evaluations"]) > 1 else "mAP"]
    own = sums.parts["mAP"].sum()
    if abs(own - recorded) > TOLERANCE:
        raise ValueError(
            f"{PER_QUERY} is not of this record: its mAP is {100 * own:.4f}, the "
            f"record's {100 * recorded:.4f} ({run['key']})"
        )
    return sums

"""Paired tests between all complete rows of a table, by one score of one evaluation.

A row is complete if it has every seed of the table. Rows are compared if they were scored by the
same protocol on the same queries; for every other row there is a reason. Holm's correction covers
all pairs together, so that gains over the baseline, letters and groups come from the same tests.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.runs.data_flags import DataFlag
from harness.runs.layout import PER_QUERY
from harness.runs.per_query import IdentitySums, load_identity_sums
from results.comparable import ComparisonGroup
from results.lines import BASELINE, NO_RUN, RowId, TableRow, complete_seeds
from results.statistics.letter_display import Group, Pair, compact_letter_display, top_groups
from results.statistics.paired_test import LEVEL, PairedDifference, holm, paired_test
from results.teacher_weights import OTHER_TEACHER

Mark = TypeVar("Mark", bound=str)
PairId = tuple[RowId, RowId]
NOT_COMPARED = "not compared"
TOLERANCE = 1e-6  # between a record's mAP and the mean over its queries, as fractions of 1


@dataclass(frozen=True, slots=True)
class PairwiseTests:
    """Results by row and by pair of rows; differences are the first row minus the second."""

    evaluation: str
    score: str  # mAP or R1
    seeds: tuple[int, ...]
    queries: int  # with a match
    identities: int  # of these queries
    compared: tuple[RowId, ...]  # rows that were compared, in the table's order
    differences: dict[PairId, PairedDifference]
    adjusted: dict[PairId, float]  # p values with Holm's correction
    letters: dict[RowId, str]
    groups: dict[RowId, Group]
    reasons: dict[RowId, str]  # by row that was not compared, for its cell
    problems: tuple[str, ...]  # sentences about files and protocols that prevent a comparison

    def between(self, ours: TableRow, theirs: TableRow) -> tuple[PairedDifference, float] | None:
        """Return the difference of two rows and its adjusted p; None if they were not compared."""
        pair, reverse = (ours.row_id, theirs.row_id), (theirs.row_id, ours.row_id)
        if pair in self.differences:
            return self.differences[pair], self.adjusted[pair]
        if reverse in self.differences:
            difference = self.differences[reverse]
            return replace(difference, mean=-difference.mean), self.adjusted[reverse]
        return None

    def verdict(self, ours: TableRow, theirs: TableRow) -> int | None:
        """Return 1 if `ours` is significantly better, -1 if worse, 0 if neither.

        None if the rows were not compared.
        """
        result = self.between(ours, theirs)
        if result is None:
            return None
        difference, p = result
        return int(np.sign(difference.mean)) if p <= LEVEL else 0


@dataclass(frozen=True, slots=True)
class _ScoreMatrix:
    """Scores of one row by seed and identity."""

    conditions: tuple[str, str]  # scoring protocol and digest of the queries
    parts: NDArray[np.float64]  # (S, G), contributions to the score as fractions of 1
    example: IdentitySums  # of one seed; its weights are those of all


def pairwise_tests(
    group: ComparisonGroup, rows: Sequence[TableRow], evaluation: str, score: str = "mAP"
) -> PairwiseTests:
    """Compare the complete rows of a group by one score.

    The baseline has letters but is in no group of best rows. On partial data nothing is compared.
    """
    is_partial = DataFlag.PARTIAL in group.data_flags
    return run_pairwise_tests(
        rows,
        evaluation,
        score,
        complete_seeds(group),
        partial=[row.row_id for row in rows] if is_partial else [],
        unranked=[row.row_id for row in rows if row.method == BASELINE[0]],
    )


def run_pairwise_tests(
    rows: Sequence[TableRow],
    evaluation: str,
    score: str,
    seeds: Collection[int],
    *,
    partial: Collection[RowId] = (),
    unranked: Collection[RowId] = (),
) -> PairwiseTests:
    """Compare the rows that have all `seeds`.

    Args:
        rows: Rows of one group or of several; no two have the same `row_id`.
        evaluation: Name of the evaluation.
        score: "mAP" or "R1".
        seeds: Seeds of a complete row.
        partial: Rows of partial data, which are not compared.
        unranked: Rows that are tested and have letters, but are in no group of best rows.
    """
    expected = tuple(sorted(seeds))
    reasons = {row.row_id: _why_incomplete(row, expected, row.row_id in partial) for row in rows}
    problems: list[str] = []
    matrices: dict[RowId, _ScoreMatrix] = {}
    for row in rows:
        if reasons[row.row_id]:
            continue
        try:
            matrices[row.row_id] = _score_matrix(row, expected, evaluation, score)
        except ValueError as error:
            reasons[row.row_id] = NOT_COMPARED
            problems.append(f"{row.label} is not compared: {error}.")
    _drop_incomparable(matrices, reasons, problems)
    differences, adjusted = _compare_pairs(matrices)
    means = {row_id: float(m.parts.sum(axis=1).mean()) for row_id, m in matrices.items()}
    ranked = {row_id: mean for row_id, mean in means.items() if row_id not in unranked}
    example = next((matrix.example for matrix in matrices.values()), None)
    return PairwiseTests(
        evaluation=evaluation,
        score=score,
        seeds=expected,
        queries=example.count if example else 0,
        identities=len(example.weights) if example else 0,
        compared=tuple(matrices),
        differences=differences,
        adjusted=adjusted,
        letters=_mark_rows(compact_letter_display, means, adjusted) if differences else {},
        groups=_mark_rows(top_groups, ranked, adjusted),
        reasons={row_id: reason for row_id, reason in reasons.items() if reason},
        problems=tuple(problems),
    )


def paired_difference(ours: TableRow, theirs: TableRow, evaluation: str) -> PairedDifference | None:
    """Return the difference in mAP over the seeds that both rows have.

    None without such a seed, without usable queries, or if the protocols or queries differ.
    """
    seeds = sorted({*ours.done["seed"]} & {*theirs.done["seed"]})
    try:
        first, second = (_score_matrix(row, seeds, evaluation, "mAP") for row in (ours, theirs))
        if first.conditions != second.conditions:
            return None
        return paired_test(first.parts, second.parts, first.example.weights)
    except ValueError:
        return None


def _compare_pairs(
    matrices: dict[RowId, _ScoreMatrix],
) -> tuple[dict[PairId, PairedDifference], dict[PairId, float]]:
    """Return the difference of every pair of rows, and its p value corrected for all pairs."""
    differences = {
        (one, other): paired_test(
            matrices[one].parts, matrices[other].parts, matrices[one].example.weights
        )
        for one, other in combinations(matrices, 2)
    }
    adjusted = holm([difference.p for difference in differences.values()])
    return differences, dict(zip(differences, adjusted, strict=True))


def _mark_rows(
    display: Callable[[list[float], list[Pair]], list[Mark]],
    means: dict[RowId, float],
    adjusted: dict[PairId, float],
) -> dict[RowId, Mark]:
    """Return the marks that a function of `letter_display` gives these rows."""
    row_ids = list(means)
    distinct = [
        (first, second)
        for first, second in combinations(range(len(row_ids)), 2)
        if adjusted[row_ids[first], row_ids[second]] <= LEVEL
    ]
    return dict(zip(row_ids, display([*means.values()], distinct), strict=True))


def _drop_incomparable(
    matrices: dict[RowId, _ScoreMatrix], reasons: dict[RowId, str], problems: list[str]
) -> None:
    """Drop the rows whose protocol or queries are not those of most rows.

    With queries of a single identity all rows are dropped: their variance cannot be estimated.
    """
    counts = Counter(matrix.conditions for matrix in matrices.values())
    usual = counts.most_common(1)[0][0] if counts else ("", "")
    for row_id, matrix in list(matrices.items()):
        if matrix.conditions == usual:
            continue
        del matrices[row_id]
        other_protocol = matrix.conditions[0] != usual[0]
        reasons[row_id] = "other scoring" if other_protocol else "other queries"
        how = "by another protocol" if other_protocol else "on other queries"
        problems.append(f"{row_id[1]} is not compared: it was scored {how} than most rows.")
    if any(len(matrix.example.weights) < 2 for matrix in matrices.values()):
        problems.append("Nothing is compared: all queries show one identity.")
        reasons |= dict.fromkeys(matrices, NOT_COMPARED)
        matrices.clear()


def _why_incomplete(row: TableRow, seeds: tuple[int, ...], partial: bool) -> str:
    """Return why the row is not compared, as far as the records show; empty if it is complete."""
    if row.done.empty:
        return row.describe_failures() or NO_RUN
    if row.done["other_teacher"].any():
        return OTHER_TEACHER
    count = len({*seeds} & {*row.done["seed"]})
    if count < len(seeds):
        return f"{count}/{len(seeds)} seeds"
    return "partial data" if partial else ""


def _score_matrix(row: TableRow, seeds: Sequence[int], evaluation: str, score: str) -> _ScoreMatrix:
    """Load the scores of one row under these seeds, each of which it has.

    Raises:
        ValueError: There is no seed, a file cannot be used, or the runs differ in protocol or
            queries.
    """
    runs = row.done.drop_duplicates("seed").set_index("seed").loc[list(seeds)]
    by_seed = [_load_sums(run, evaluation) for _, run in runs.iterrows()]
    if not by_seed:
        raise ValueError("it has no seed")
    conditions = {*zip(runs["scoring"], (sums.queries for sums in by_seed), strict=True)}
    if len(conditions) > 1:
        raise ValueError("its seeds were scored by different protocols or on different queries")
    parts = np.stack([sums.parts[score] for sums in by_seed])
    return _ScoreMatrix(next(iter(conditions)), parts, by_seed[0])


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

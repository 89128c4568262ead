"""Paired tests between the rows of a table, by one score of one evaluation.

There are two families of tests, each corrected by Holm's method by itself: every row against the
reference, by default the undistilled student, and all pairs of rows. A pair is compared on the
seeds that both rows have, at least two; the noise of seeds is estimated from all rows together.
Rows are compared if they were scored by the same protocol on the same queries; for every other row
there is a reason. Rows of one seed are not compared: with another seed they may differ otherwise.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from statistics import median

import numpy as np

from results.lines import RowId, TableRow
from results.statistics.comparable_scores import MIN_SEEDS, load_comparable_scores
from results.statistics.letter_display import Mark, compact_letter_display, mark_rows
from results.statistics.paired_test import (
    LEVEL,
    PairedDifference,
    difference_variance,
    holm,
    paired_test,
)
from results.statistics.row_scores import RowScores, load_row_scores
from results.statistics.seed_noise import SeedNoise, estimate_seed_noise

PairId = tuple[RowId, RowId]


@dataclass(frozen=True, slots=True)
class PairwiseTests:
    """Results by row and by pair of rows; differences are the first row minus the second.

    Attributes:
        evaluation: Name of the evaluation.
        score: mAP or R1.
        scores: Scores of the compared rows, in the table's order.
        noise: Noise of seeds, estimated from these rows.
        differences: Difference of every pair of them; none if they have one seed.
        adjusted: p value of every pair, corrected for all pairs.
        reference: Row of the other family, if it is compared.
        against: p value of every other row's difference from it, corrected for these rows.
        unranked: Rows that are tested and have letters, but no mark.
        letters: Compact letter display of all pairs.
        marks: Marks of the ranked rows; empty where no more than their own range is resolved.
        reasons: By row that was not compared, why, for its cell.
        problems: Sentences about files and protocols that prevent a comparison.
    """

    evaluation: str
    score: str
    scores: dict[RowId, RowScores] = field(repr=False)
    noise: SeedNoise
    differences: dict[PairId, PairedDifference]
    adjusted: dict[PairId, float]
    reference: RowId | None
    against: dict[RowId, float]
    unranked: frozenset[RowId]
    letters: dict[RowId, str]
    marks: dict[RowId, Mark]
    reasons: dict[RowId, str]
    problems: tuple[str, ...]

    @property
    def compared(self) -> tuple[RowId, ...]:
        """Rows that were compared, in the table's order."""
        return tuple(self.scores)

    @property
    def seed_counts(self) -> tuple[int, ...]:
        """Numbers of seeds of the compared rows, each once, in rising order."""
        return tuple(sorted({len(one.by_seed) for one in self.scores.values()}))

    @property
    def queries(self) -> int:
        """Number of queries with a match."""
        return next((one.example.count for one in self.scores.values()), 0)

    @property
    def identities(self) -> int:
        """Number of identities of these queries."""
        return next((len(one.example.weights) for one in self.scores.values()), 0)

    @property
    def resolution(self) -> float:
        """Smallest significant difference of a pair, as a fraction of 1; NaN without pairs.

        Median over the pairs at the strictest step of Holm's method, where the level is divided by
        their number.
        """
        if not self.differences:
            return float("nan")
        level = LEVEL / len(self.differences)
        return median(
            one.minimum_significant_difference(level) for one in self.differences.values()
        )

    def between(self, ours: RowId, theirs: RowId) -> tuple[PairedDifference, float] | None:
        """Return the difference of two rows and its adjusted p; None if they were not compared."""
        pair, reverse = (ours, theirs), (theirs, ours)
        if pair in self.differences:
            return self.differences[pair], self.adjusted[pair]
        if reverse in self.differences:
            difference = self.differences[reverse]
            return replace(difference, mean=-difference.mean), self.adjusted[reverse]
        return None

    def verdict(self, ours: RowId, theirs: RowId) -> int | None:
        """Return 1 if `ours` is significantly better, -1 if worse, 0 if neither.

        None if the rows were not compared.
        """
        result = self.between(ours, theirs)
        if result is None:
            return None
        difference, p = result
        return int(np.sign(difference.mean)) if p <= LEVEL else 0

    def gain(self, row: RowId) -> PairedDifference | None:
        """Return the difference of a row from the reference; None if it was not compared."""
        result = self.between(row, self.reference) if self.reference else None
        return result[0] if result else None

    def select(self, rows: Collection[RowId]) -> PairwiseTests:
        """Return these tests for a table of some of the rows.

        No p value changes, as equal rows have equal verdicts in all tables.
        """
        scores = {row: one for row, one in self.scores.items() if row in rows}
        pairs = {pair: one for pair, one in self.differences.items() if {*pair} <= {*rows}}
        selected = replace(
            self,
            scores=scores,
            differences=pairs,
            adjusted={pair: self.adjusted[pair] for pair in pairs},
            against={row: p for row, p in self.against.items() if row in rows},
            reasons={row: reason for row, reason in self.reasons.items() if row in rows},
        )
        return replace(selected, letters=_letters(selected), marks=_marks(selected))


def compare_rows(
    rows: Sequence[TableRow],
    evaluation: str,
    score: str = "mAP",
    *,
    reference: RowId | None = None,
    partial: Collection[RowId] = (),
    unranked: Collection[RowId] = (),
) -> PairwiseTests:
    """Compare rows with each other and with a reference.

    Args:
        rows: Rows of one group or of several; no two have the same `row_id`.
        evaluation: Name of the evaluation.
        score: "mAP" or "R1".
        reference: Row of the family of tests against one row.
        partial: Rows of partial data, which are not compared.
        unranked: Rows that are tested and have letters, but no mark.
    """
    scores, reasons, problems = load_comparable_scores(rows, evaluation, score, partial)
    noise = estimate_seed_noise({row: one.scores for row, one in scores.items()})
    differences = _compare_pairs(scores, noise)
    adjusted = dict(zip(differences, holm([one.p for one in differences.values()]), strict=True))
    tests = PairwiseTests(
        evaluation=evaluation,
        score=score,
        scores=scores,
        noise=noise,
        differences=differences,
        adjusted=adjusted,
        reference=reference if reference in scores else None,
        against=_test_against(reference, differences),
        unranked=frozenset(unranked),
        letters={},
        marks={},
        reasons=reasons,
        problems=problems,
    )
    return replace(tests, letters=_letters(tests), marks=_marks(tests))


def compare_with(tests: PairwiseTests, row: TableRow, other: RowId) -> PairedDifference | None:
    """Return the difference of a row that is not of the table from one that is.

    The table's noise does not depend on the row, whose own noise counts in addition.

    Returns:
        The difference, or None if it cannot be tested: fewer than two common seeds, no usable
        queries, or other protocols or queries.
    """
    theirs = tests.scores.get(other)
    if theirs is None or not tests.noise.degrees:
        return None
    try:
        ours = load_row_scores(row, tests.evaluation, tests.score)
    except ValueError:
        return None
    if ours.conditions != theirs.conditions:
        return None
    by_row = {known: one.scores for known, one in tests.scores.items() if known != row.row_id}
    own = estimate_seed_noise({**by_row, row.row_id: ours.scores}).own[-1]
    noise = replace(tests.noise, own=(*tests.noise.own, own))
    return _compare(ours, theirs, noise, (len(noise.own) - 1, tests.compared.index(other)))


def _compare(
    ours: RowScores, theirs: RowScores, noise: SeedNoise, places: tuple[int, int]
) -> PairedDifference | None:
    """Return the difference over the common seeds; None if they are too few."""
    seeds = sorted({*ours.by_seed} & {*theirs.by_seed})
    if len(seeds) < MIN_SEEDS:
        return None
    return paired_test(
        ours.stack(seeds),
        theirs.stack(seeds),
        ours.example.weights,
        run_variance=difference_variance(noise, *places),
        seed_degrees=noise.degrees,
    )


def _compare_pairs(
    scores: Mapping[RowId, RowScores], noise: SeedNoise
) -> dict[PairId, PairedDifference]:
    """Return the difference of every pair of rows."""
    pairs = combinations(enumerate(scores.items()), 2)
    found = {
        (one, other): _compare(ours, theirs, noise, (first, second))
        for (first, (one, ours)), (second, (other, theirs)) in pairs
    }
    return {pair: difference for pair, difference in found.items() if difference is not None}


def _test_against(
    reference: RowId | None, differences: Mapping[PairId, PairedDifference]
) -> dict[RowId, float]:
    """Return the p values of the rows' differences from the reference, by Holm's method."""
    of_reference = {
        next(row for row in pair if row != reference): difference.p
        for pair, difference in differences.items()
        if reference in pair
    }
    return dict(zip(of_reference, holm([*of_reference.values()]), strict=True))


def _letters(tests: PairwiseTests) -> dict[RowId, str]:
    if not tests.differences:
        return {}
    rows = list(tests.scores)
    means = [tests.scores[row].mean for row in rows]
    return dict(zip(rows, compact_letter_display(means, _distinct(tests, rows)), strict=True))


def _marks(tests: PairwiseTests) -> dict[RowId, Mark]:
    """Return the marks of the ranked rows, if more than their range is resolved."""
    rows = [row for row in tests.scores if row not in tests.unranked]
    means = [tests.scores[row].mean for row in rows]
    if not tests.differences or len(rows) < 2 or tests.resolution > max(means) - min(means):
        return {}
    return dict(zip(rows, mark_rows(means, _distinct(tests, rows)), strict=True))


def _distinct(tests: PairwiseTests, rows: Sequence[RowId]) -> list[tuple[int, int]]:
    """Return the positions of the pairs that differ significantly."""
    return [
        (first, second)
        for first, second in combinations(range(len(rows)), 2)
        if tests.verdict(rows[first], rows[second])
    ]

"""Cells and notes of a table's paired tests."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from harness.runs.data_flags import DataFlag
from results.comparable import SCORES, ComparisonGroup
from results.configurations import DEFAULT_CHOICE, TableChoice, reference_row
from results.lines import BASELINE, NO_RUN, RowId, TableRow
from results.statistics.comparable_scores import PARTIAL
from results.statistics.paired_test import LEVEL, PairedDifference
from results.statistics.pairwise import PairwiseTests, compare_rows, compare_with
from results.tables.cells import BLANK, UNMARKED, Cell, mean_gain_cell, signed

STAR = "*"  # after a gain: it is significant in the family of tests against the reference
DAGGER = "†"  # after a score: it cannot be told from the best
MIN_IDENTITIES = 30  # to estimate a variance over identities
CONFIDENCE = round(100 * (1 - LEVEL))  # percent
LEVEL_PERCENT = round(100 * LEVEL)
METHOD_NOTE = (
    "Tests: the difference of two rows is that of their mAP over the seeds that both have, at "
    "least two. Its variance is the sum of the variance over queries, clustered by identity, and "
    "of the variance over seeds, for which the larger of two estimates counts: twice that of a "
    "run, pooled over all rows of the table, and the sum of both rows' own. t has the degrees of "
    "freedom of Welch and Satterthwaite. Holm's method corrects two families by themselves, each "
    f"at {LEVEL_PERCENT} %: all rows against {{reference}} ({STAR}), and all pairs (groups and "
    f"{DAGGER}). The documentation has the derivation, the rate of false alarms and the power."
)
INTERVAL_NOTE = (
    f"[low, high]: {CONFIDENCE} % confidence interval of a gain by the same variance, not "
    "corrected for multiple comparisons."
)
EMPHASIS_NOTE = "Bold: best mean; underlined: second."  # not in formats without such letters
ONE_SEED_NOTE = (
    "One seed: nothing is tested, because another seed may order the rows otherwise. For three: "
    "the same command with --seeds 0,1,2."
)


def group_tests(
    group: ComparisonGroup, rows: Sequence[TableRow], choice: TableChoice = DEFAULT_CHOICE
) -> list[PairwiseTests]:
    """Return the tests between a group's compared rows for each of its `score_columns`.

    Every table of the group shows these, or a selection of them. On partial data nothing is
    compared.
    """
    is_partial = DataFlag.PARTIAL in group.data_flags
    return [
        compare_rows(
            rows,
            evaluation,
            score,
            reference=reference_row(rows, choice),
            partial=[row.row_id for row in rows] if is_partial else [],
            unranked=[row.row_id for row in rows if row.method == BASELINE[0]],
        )
        for evaluation in group.evaluations
        for score in SCORES
    ]


def map_tests(tests: Sequence[PairwiseTests]) -> list[PairwiseTests]:
    """Return the tests of mAP, from which letters and intervals are made."""
    return [one for one in tests if one.score == SCORES[0]]


def lettered_tests(tests: Sequence[PairwiseTests]) -> list[PairwiseTests]:
    """Return the tests whose letters a table has a column for."""
    return [one for one in map_tests(tests) if one.letters]


def group_headings(tests: Sequence[PairwiseTests]) -> tuple[str, ...]:
    """Return the headings of the columns of `letter_cells`; none if there are no letters."""
    if len(map_tests(tests)) == 1:
        return ("Group",) * len(lettered_tests(tests))
    names = (one.evaluation for one in lettered_tests(tests))
    return tuple(f"Group {name[0].upper()}{name[1:]}" for name in names)


def mark_scores(
    cells: Sequence[Cell], row: RowId, tests: Sequence[PairwiseTests]
) -> tuple[Cell, ...]:
    """Return the score cells of a row, marked where it is best, second or tied with the best."""
    return tuple(
        replace(cell, mark=one.marks.get(row, UNMARKED))
        for cell, one in zip(cells, tests, strict=True)
    )


def letter_cells(row: RowId, tests: Sequence[PairwiseTests]) -> tuple[Cell, ...]:
    """Return the letters of a row for each evaluation, or the reason why it has none."""
    return tuple(_letter_cell(row, one) for one in lettered_tests(tests))


def gain_cell(row: TableRow, reference: TableRow | None, tests: Sequence[PairwiseTests]) -> Cell:
    """Return the gain in mAP over the reference in points, with its interval and star.

    Both are of the first evaluation. A row that was not tested has the mean alone.
    """
    cell = mean_gain_cell(row, reference)
    if reference is None or cell.value is None or not tests or row.row_id == reference.row_id:
        return cell
    difference = tests[0].gain(row.row_id)
    if difference is None:
        return interval_cell(cell, compare_with(tests[0], row, reference.row_id))
    p = tests[0].against[row.row_id]
    tested = interval_cell(cell, difference)
    star = STAR if p <= LEVEL else ""
    return replace(
        tested, text=f"{tested.text}{star}", detail=f"{tested.detail}, after Holm {p:.2g}"
    )


def interval_cell(cell: Cell, difference: PairedDifference | None) -> Cell:
    """Return the cell of a difference with its interval and, in the detail, what it is made of."""
    if difference is None:
        return cell
    low, high = (100 * bound for bound in difference.interval())
    return replace(
        cell,
        text=f"{signed(100 * difference.mean)} [{low:.2f}, {high:.2f}]",
        value=100 * difference.mean,
        detail=(
            f"{difference.seeds} seeds; standard error {100 * difference.error:.2f}, of seeds "
            f"{100 * math.sqrt(difference.seed_variance):.2f} and queries "
            f"{100 * math.sqrt(difference.query_variance):.2f}; "
            f"{difference.degrees:.0f} degrees of freedom; p {difference.p:.2g}"
        ),
    )


def caption_sentences(
    tests: Sequence[PairwiseTests], reference: str, *, with_gains: bool = True
) -> Iterator[str]:
    """Yield what a reader needs to read the marks of a table.

    Args:
        tests: Tests of all scores and evaluations of one table.
        reference: Label of the row that gains are measured from.
        with_gains: Whether the table has a column of gains.
    """
    if has_one_seed(tests):
        yield ONE_SEED_NOTE
        return
    if any(PARTIAL in one.reasons.values() for one in tests):
        yield "Partial data: nothing is tested."
    usable = [one for one in tests if one.differences]
    if not usable:
        return
    if with_gains and any(one.against for one in usable):
        yield (
            f"Gain: points of mAP over {reference} [{CONFIDENCE} % interval]; {STAR} differs "
            f"significantly at {LEVEL_PERCENT} %."
        )
    if any(one.marks for one in usable):
        yield EMPHASIS_NOTE
        if any(mark.is_tied for one in usable for mark in one.marks.values()):
            yield f"{DAGGER} cannot be told from the best."
    else:
        yield "Nothing is marked: the table resolves less than the range of its scores."
    if any(one.letters for one in usable):
        yield "Group: rows that share a letter do not differ significantly in mAP."
    if all(p > LEVEL for one in usable for p in one.adjusted.values()):
        yield "No pair of rows differs significantly."


def significance_notes(tests: Sequence[PairwiseTests], reference: str) -> Iterator[str]:
    """Yield the notes on tests: the method, rows and queries, resolution, and what was left out.

    Args:
        tests: Tests of all scores and evaluations of one table.
        reference: Label of the row that gains are measured from.
    """
    yield from dict.fromkeys(problem for one in tests for problem in one.problems)
    usable = [one for one in tests if one.differences]
    if not usable:
        return
    yield METHOD_NOTE.format(reference=reference)
    yield INTERVAL_NOTE
    several = len(map_tests(tests)) > 1
    for one in usable:
        yield _resolution_note(one, f" of {one.evaluation}" if several else "")
    few = min(one.identities for one in usable)
    if few < MIN_IDENTITIES:
        yield (
            f"The queries show only {few} identities: a variance over so few is uncertain, and "
            f"equal methods may differ significantly in more than {LEVEL_PERCENT} % of single "
            "comparisons."
        )
    reasons = {row: reason for one in tests for row, reason in one.reasons.items()}
    if reasons:
        rows = (f"{label} ({reason})" for (_, label), reason in reasons.items() if reason != NO_RUN)
        if names := ", ".join(rows):
            yield f"Not tested: {names}."


def has_one_seed(tests: Sequence[PairwiseTests]) -> bool:
    """Return whether several rows could be compared, but have one seed each."""
    return any(len(one.scores) > 1 for one in tests) and all(
        one.seed_counts in ((), (1,)) for one in tests
    )


def _letter_cell(row: RowId, tests: PairwiseTests) -> Cell:
    reason = tests.reasons.get(row)
    if reason:
        return Cell(reason)
    letters = tests.letters.get(row)
    if not letters:
        return BLANK
    others = [
        f"{'better than' if verdict > 0 else 'worse than'} {other[1]}"
        for other in tests.compared
        if other != row and (verdict := tests.verdict(row, other))
    ]
    detail = "; ".join(others) or "no significant difference from any other row"
    return Cell(letters, detail=detail, value=float(min(map(ord, letters))))


def _resolution_note(tests: PairwiseTests, suffix: str) -> str:
    """Return rows, seeds and queries of the tests of one score, and what they resolve."""
    counts = tests.seed_counts
    seeds = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    pairs = len(tests.differences)
    own = [math.sqrt(value) for value in tests.noise.own if value is not None]
    return (
        f"{tests.score}{suffix}: {len(tests.scores)} rows of {seeds} seeds, {tests.queries:,} "
        f"queries of {tests.identities:,} identities. Standard deviation of a run over seeds, "
        f"pooled: {100 * math.sqrt(tests.noise.pooled):.2f} points with {tests.noise.degrees} "
        f"degrees of freedom; of single rows {100 * min(own):.2f} to {100 * max(own):.2f}. "
        f"Smallest significant difference: {100 * tests.resolution:.2f} points (median over "
        f"{'one pair' if pairs == 1 else f'{pairs} pairs'} at the strictest step of Holm's method)."
    )

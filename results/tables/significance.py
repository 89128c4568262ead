"""Cells and footnotes of a table's paired tests."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from statistics import median

from scipy import special

from results.comparable import SCORES, ComparisonGroup
from results.lines import NO_RUN, TableRow
from results.statistics.paired_test import LEVEL, PairedDifference, t_quantile
from results.statistics.pairwise import PairwiseTests, paired_difference, pairwise_tests
from results.tables.cells import BLANK, Cell, mean_gain_cell

MIN_IDENTITIES = 30  # to estimate a variance over identities alone
CONFIDENCE = round(100 * (1 - LEVEL))  # percent
LEVEL_PERCENT = round(100 * LEVEL)
INTERVAL_NOTE = (
    f"{{heading}} [low, high]: {CONFIDENCE} % confidence interval of the gain, not corrected for "
    "multiple comparisons; its variance is the sum of the variance over seeds and the variance "
    "over queries, clustered by identity."
)
GROUPS_NOTE = (
    "Bold: the best mean and all rows that do not differ significantly from it; underlined: the "
    "same among the other rows. mAP and R1 are tested separately, R1 by whether the nearest image "
    "is a match."
)


def pairwise_tests_by_score(
    group: ComparisonGroup, rows: Sequence[TableRow]
) -> list[PairwiseTests]:
    """Return the tests between rows for each of the group's `score_columns`."""
    return [
        pairwise_tests(group, rows, evaluation, score)
        for evaluation in group.evaluations
        for score in SCORES
    ]


def map_tests(tests: Sequence[PairwiseTests]) -> list[PairwiseTests]:
    """Return the tests of mAP, from which letters and intervals are made."""
    return [one for one in tests if one.score == SCORES[0]]


def group_headings(group: ComparisonGroup) -> tuple[str, ...]:
    """Return the headings of the columns of `letter_cells`."""
    if len(group.evaluations) == 1:
        return ("Group",)
    return tuple(f"Group {name[0].upper()}{name[1:]}" for name in group.evaluations)


def mark_top_groups(
    cells: Sequence[Cell], row: TableRow, tests: Sequence[PairwiseTests]
) -> tuple[Cell, ...]:
    """Return the score cells of a row, marked where it is in the best or second group."""
    return tuple(
        replace(cell, group=one.groups.get(row.row_id, ""))
        for cell, one in zip(cells, tests, strict=True)
    )


def letter_cells(row: TableRow, tests: Sequence[PairwiseTests]) -> tuple[Cell, ...]:
    """Return the letters of a row for each evaluation, or the reason why it has none."""
    return tuple(_letter_cell(row, one) for one in map_tests(tests))


def gain_with_interval(
    row: TableRow, baseline: TableRow | None, tests: Sequence[PairwiseTests]
) -> Cell:
    """Return the gain in mAP over the baseline in points, with its confidence interval.

    Both are of the first evaluation. A row that was not compared has the interval in its detail
    only.
    """
    cell = mean_gain_cell(row, baseline)
    if baseline is None or cell.value is None or not tests:
        return cell
    result = tests[0].between(row, baseline)
    if result is None:
        alone = paired_difference(row, baseline, tests[0].evaluation)
        reason = "not tested: one of the two rows is incomplete or not compared"
        return replace(cell, detail=f"{_describe_interval(alone)}; {reason}") if alone else cell
    difference, adjusted = result
    low, high = (100 * bound for bound in difference.interval())
    return replace(
        cell,
        text=f"{cell.text} [{low:.2f}, {high:.2f}]",
        detail=f"{_describe_interval(difference)}; p {difference.p:.2g}, after Holm {adjusted:.2g}",
    )


def interval_notes(heading: str, tests: Sequence[PairwiseTests]) -> Iterator[str]:
    """Yield the meaning of the brackets after a gain, if there may be any."""
    if any(one.differences for one in tests):
        yield INTERVAL_NOTE.format(heading=heading)


def significance_notes(tests: Sequence[PairwiseTests], *, lettered: bool = True) -> Iterator[str]:
    """Yield the footnotes on tests: the rows and queries, the method and its resolution.

    Args:
        tests: Tests of all scores and evaluations of one table.
        lettered: Whether the table has a column of letters.
    """
    yield from dict.fromkeys(problem for one in tests for problem in one.problems)
    usable = [one for one in tests if one.differences]
    if not usable:
        return
    of_map = map_tests(usable)
    yield _letters_note(of_map) if lettered else f"{_tests_note(of_map)} {GROUPS_NOTE}"
    yield _false_positive_note(usable[0])
    several = len(map_tests(tests)) > 1
    for evaluation in dict.fromkeys(one.evaluation for one in usable):
        suffix = f" of {evaluation}" if several else ""
        resolutions = "; ".join(
            f"{one.score}{suffix} {_resolution(one)}"
            for one in usable
            if one.evaluation == evaluation
        )
        yield f"Minimum significant difference in this table: {resolutions}."


def significance_notes_without_letters(tests: Sequence[PairwiseTests]) -> Iterator[str]:
    """Yield `significance_notes` of a table without letters, and the rows without a rank."""
    yield from significance_notes(tests, lettered=False)
    reasons = {row_id: reason for one in tests for row_id, reason in one.reasons.items()}
    if reasons and any(one.differences for one in tests):
        rows = (f"{label} ({reason})" for (_, label), reason in reasons.items())
        yield f"Without a rank: {', '.join(rows)}."


def false_positive_rate(seeds: int) -> float:
    """Return the false-positive rate of one comparison if all variation is between queries.

    The mean difference is then normal with the variance over queries, which many identities
    estimate exactly, but it is compared with the quantile of t on S - 1 degrees of freedom:
    2 Phi(-t_{S-1}).

    Args:
        seeds: Number of seeds S, at least 2.

    Returns:
        A fraction of 1.
    """
    return float(2 * special.ndtr(-t_quantile(seeds - 1)))


def _letter_cell(row: TableRow, tests: PairwiseTests) -> Cell:
    reason = tests.reasons.get(row.row_id)
    if reason:
        return Cell(reason, row.keys if reason != NO_RUN else ())
    letters = tests.letters.get(row.row_id)
    if not letters:  # the only row that could be compared
        return BLANK
    others = [
        f"{'better than' if tests.differences[pair].mean * sign > 0 else 'worse than'} {other[1]}"
        for pair, p in tests.adjusted.items()
        for ours, other, sign in ((*pair, 1), (*pair[::-1], -1))
        if ours == row.row_id and p <= LEVEL
    ]
    detail = "; ".join(others) or "no significant difference from any other row"
    return Cell(letters, row.keys, detail=detail, value=float(min(map(ord, letters))))


def _describe_interval(difference: PairedDifference) -> str:
    low, high = (100 * bound for bound in difference.interval())
    one_seed = "one seed; variation between seeds is not covered"
    seeds = one_seed if difference.seeds == 1 else f"{difference.seeds} seeds"
    return f"{CONFIDENCE} % interval {low:+.2f} to {high:+.2f} ({seeds})"


def _letters_note(tests: Sequence[PairwiseTests]) -> str:
    none_significant = all(p > LEVEL for one in tests for p in one.adjusted.values())
    return (
        "Group: methods that share a letter do not differ significantly in mAP."
        f"{' No pair of rows differs significantly.' if none_significant else ''} "
        f"{_tests_note(tests)} {GROUPS_NOTE} Only complete rows are compared; the undistilled "
        "student has letters but no rank."
    )


def _tests_note(tests: Sequence[PairwiseTests]) -> str:
    first = tests[0]
    count, pairs = len(first.seeds), len(first.differences)
    queries = [f"{one.queries:,} queries of {one.identities:,} identities" for one in tests]
    if len(tests) > 1:
        queries = [f"{text} ({one.evaluation})" for text, one in zip(queries, tests, strict=True)]
    seeds = f"{count} seeds" if count > 1 else "one seed"
    degrees = next(iter(first.differences.values())).degrees
    return (
        f"Paired two-sided t tests with {degrees} degree{'s' * (degrees > 1)} of freedom on the "
        f"same {', '.join(queries)} and {seeds}, corrected by Holm's method over "
        f"{f'all {pairs} pairs' if pairs > 1 else 'one pair'} at {LEVEL_PERCENT} %."
    )


def _false_positive_note(tests: PairwiseTests) -> str:
    """Return how far the false-positive rate may be from its nominal value.

    The numbers are measured in `tests/results/statistics/test_false_positive_rate.py`.
    """
    count = len(tests.seeds)
    if tests.identities < (MIN_IDENTITIES if count == 1 else 2 * count):
        return (
            f"The queries show only {tests.identities} identities: a variance over so few is "
            f"uncertain, and equal methods may differ significantly in more than {LEVEL_PERCENT} % "
            "of single comparisons."
        )
    if count == 1:
        return (
            f"With one seed the tests cover sampling of queries only ({LEVEL_PERCENT} % false "
            "positives per comparison); variation between seeds is not covered."
        )
    return (
        f"With {count} seeds the tests are conservative: equal methods differ significantly in "
        f"{LEVEL_PERCENT} % of single comparisons if all variation is between seeds, and in "
        f"{_percent(false_positive_rate(count))} % if all of it is between queries. The "
        "interaction of seed and query is counted twice, which lowers the rate further."
    )


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.2g}" if fraction >= 0.0005 else "under 0.05"


def _resolution(tests: PairwiseTests) -> str:
    """Return the minimum significant difference in points, at the strictest step of Holm's method.

    At that step the level is divided by the number of pairs.
    """
    level = LEVEL / len(tests.differences)
    smallest = [
        100 * difference.minimum_significant_difference(level)
        for difference in tests.differences.values()
    ]
    if not math.isfinite(median(smallest)):
        return "none"
    if len(smallest) == 1:
        return f"{smallest[0]:.2f} points (one pair)"
    return (
        f"{median(smallest):.2f} points (median over {len(smallest)} pairs at the strictest step "
        f"of Holm's method; {max(smallest):.2f} for the noisiest pair)"
    )

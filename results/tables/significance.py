"""What the paired tests of a table say, as cells and as footnotes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from statistics import median

from scipy import special

from results.comparable import SCORES, ComparisonGroup
from results.lines import TableRow
from results.statistics.paired_test import LEVEL, PairedDifference, t_quantile
from results.statistics.pairwise import PairwiseTests, paired_difference, pairwise_tests
from results.tables.cells import NO_RUN, Cell, mean_gain_cell

FEW_IDENTITIES = 30  # too few to know the variance over them, if that is all there is
SURE = round(100 * (1 - LEVEL))  # percent
ALLOWED = round(100 * LEVEL)  # percent
INTERVAL = (
    f"{{gain}} [from, to]: its {SURE} % confidence interval, each for itself and not corrected for "
    "their number; the variance over seeds and the variance over queries, clustered by identity, "
    "added."
)
GROUPS = (
    "Bold: the best mean and all that cannot be told from it; underlined: the same among the "
    "others; mAP and R1 each by tests of its own, R1's of whether the nearest image is a match."
)
BLANK = Cell("")


def pairwise_tests_by_score(
    setting: ComparisonGroup, members: Sequence[TableRow]
) -> list[PairwiseTests]:
    """The tests among `members`, one family for each score of each evaluation, as `scored`."""
    return [
        pairwise_tests(setting, members, evaluation, score)
        for evaluation in setting.tests
        for score in SCORES
    ]


def map_tests(tested: Sequence[PairwiseTests]) -> list[PairwiseTests]:
    """Those by mAP, which letters and intervals are of."""
    return [one for one in tested if one.score == SCORES[0]]


def group_headings(setting: ComparisonGroup) -> tuple[str, ...]:
    """The columns of `letter_cells`."""
    if len(setting.tests) == 1:
        return ("Group",)
    return tuple(f"Group {name[0].upper()}{name[1:]}" for name in setting.tests)


def mark_top_groups(
    cells: Sequence[Cell], line: TableRow, tested: Sequence[PairwiseTests]
) -> tuple[Cell, ...]:
    """The score cells of a line, each marked where the line is in one of the first two groups."""
    return tuple(
        replace(cell, group=one.groups.get(line.place, ""))
        for cell, one in zip(cells, tested, strict=True)
    )


def letter_cells(line: TableRow, tested: Sequence[PairwiseTests]) -> tuple[Cell, ...]:
    """The letters of a line, or why it has none."""
    return tuple(_group(line, one) for one in map_tests(tested))


def gain_with_interval(
    line: TableRow, student: TableRow | None, tested: Sequence[PairwiseTests]
) -> Cell:
    """The gain over the plain student in the first evaluation, with its interval."""
    cell = mean_gain_cell(line, student)
    if student is None or cell.value is None or not tested:
        return cell
    first = tested[0]
    found = first.between(line, student)
    if found is None:
        alone = paired_difference(line, student, first.evaluation)
        said = "not tested: one of the two rows is incomplete or not compared"
        return replace(cell, detail=f"{_interval(alone)}; {said}") if alone else cell
    shown, adjusted = found
    low, high = (100 * edge for edge in shown.interval())
    return replace(
        cell,
        text=f"{cell.text} [{low:.2f}, {high:.2f}]",
        detail=f"{_interval(shown)}; p {shown.p:.2g}, after Holm {adjusted:.2g}",
    )


def interval_note(heading: str, tested: Sequence[PairwiseTests]) -> Iterator[str]:
    """What the brackets beside a gain are, where there may be some."""
    if any(one.differences for one in tested):
        yield INTERVAL.format(gain=heading)


def significance_notes(tested: Sequence[PairwiseTests], *, lettered: bool = True) -> Iterator[str]:
    """What a reader must know of the tests: who is compared, how, and what they can resolve."""
    yield from dict.fromkeys(problem for one in tested for problem in one.problems)
    able = [one for one in tested if one.differences]
    if not able:
        return
    precise = map_tests(able)
    yield _method(precise) if lettered else f"{_tests(precise)} {GROUPS}"
    yield _caution(able[0])
    several = len(map_tests(tested)) > 1
    for evaluation in dict.fromkeys(one.evaluation for one in able):
        of = f" of {evaluation}" if several else ""
        said = "; in ".join(
            f"{one.score}{of} {_resolution(one)}" for one in able if one.evaluation == evaluation
        )
        yield f"Smallest difference that this table resolves: in {said}."


def significance_notes_without_letters(tested: Sequence[PairwiseTests]) -> Iterator[str]:
    """Yield `significance_notes` for a table without letters; rows without a rank are named."""
    yield from significance_notes(tested, lettered=False)
    reasons = {place: reason for one in tested for place, reason in one.reasons.items()}
    if reasons and any(one.differences for one in tested):
        said = (f"{label} ({reason})" for (_, label), reason in reasons.items())
        yield f"Without a rank: {', '.join(said)}."


def _group(line: TableRow, one: PairwiseTests) -> Cell:
    reason = one.reasons.get(line.place)
    if reason:
        return Cell(reason, line.keys if reason != NO_RUN else ())
    text = one.letters.get(line.place)
    if not text:
        return BLANK  # nothing to be compared with
    others = [
        f"{'better than' if one.differences[pair].mean * sign > 0 else 'worse than'} {other[1]}"
        for pair, p in one.adjusted.items()
        for ours, other, sign in ((*pair, 1), (*pair[::-1], -1))
        if ours == line.place and p <= LEVEL
    ]
    detail = "; ".join(others) or "told apart from no other"
    return Cell(text, line.keys, detail=detail, value=float(min(map(ord, text))))


def _interval(found: PairedDifference) -> str:
    low, high = (100 * edge for edge in found.interval())
    seeds = "one seed, whose noise is not covered" if found.seeds == 1 else f"{found.seeds} seeds"
    return f"{SURE} % interval {low:+.2f} to {high:+.2f} ({seeds})"


def _method(tested: Sequence[PairwiseTests]) -> str:
    nobody = all(p > LEVEL for one in tested for p in one.adjusted.values())
    return (
        "Group: methods that share a letter cannot be told apart in mAP."
        f"{' No two are told apart.' if nobody else ''} {_tests(tested)} {GROUPS} Only complete "
        "rows are compared, and the plain student has letters but no rank."
    )


def _tests(tested: Sequence[PairwiseTests]) -> str:
    first = tested[0]
    count, pairs = len(first.seeds), len(first.differences)
    asked = [f"{one.queries:,} queries of {one.identities:,} identities" for one in tested]
    if len(tested) > 1:
        asked = [f"{what} ({one.evaluation})" for what, one in zip(asked, tested, strict=True)]
    seeds = f"{count} seeds" if count > 1 else "one seed, so that the noise of seeds is not covered"
    degrees = next(iter(first.differences.values())).degrees
    return (
        f"Paired tests on the same {', '.join(asked)} and {seeds}; two-sided, t on {degrees} "
        f"degrees of freedom, Holm over all pairs ({pairs}) at {ALLOWED} %."
    )


def _caution(one: PairwiseTests) -> str:
    """How far the chance of a false alarm is from the nominal one (see test_false_alarms)."""
    count = len(one.seeds)
    if one.identities < (FEW_IDENTITIES if count == 1 else 2 * count):
        return (
            f"The queries show {one.identities} identities only: a variance over so few is "
            f"uncertain, and equal methods can be called different in more than {ALLOWED} % of "
            "single comparisons."
        )
    if count == 1:
        return (
            f"Over other queries, {ALLOWED} % of single comparisons of equal runs are called "
            "different; over other seeds many more may be, which one seed cannot show."
        )
    return (
        f"With {count} seeds the tests are cautious: equal methods are called different in "
        f"{ALLOWED} % of single comparisons if all noise is between seeds, and in "
        f"{_percent(false_positive_rate(count))} % if all of it is between queries; what a seed "
        "does to a single query is counted twice, which makes it fewer still."
    )


def false_positive_rate(seeds: int) -> float:
    """The chance of a false alarm where only queries are noisy, and many: 2 Phi(-t_{S-1})."""
    return float(2 * special.ndtr(-t_quantile(seeds - 1)))


def _percent(share: float) -> str:
    return f"{100 * share:.2g}" if share >= 0.0005 else "under 0.05"


def _resolution(one: PairwiseTests) -> str:
    level = LEVEL / len(one.differences)
    reaches = [
        100 * found.minimum_significant_difference(level) for found in one.differences.values()
    ]
    if not math.isfinite(median(reaches)):
        return "none"
    if len(reaches) == 1:
        return f"{reaches[0]:.2f} points (its one pair)"
    return (
        f"{median(reaches):.2f} points (median over its {len(reaches)} pairs at Holm's strictest "
        f"step; {max(reaches):.2f} for the noisiest pair)"
    )

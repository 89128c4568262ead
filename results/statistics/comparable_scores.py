"""Scores of the rows of a table that may be compared, and why the others may not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from results.lines import NO_RUN, RowId, TableRow
from results.statistics.row_scores import RowScores, load_row_scores
from results.teacher_weights import OTHER_TEACHER

MIN_SEEDS = 2  # that two rows have in common
NOT_COMPARED = "not compared"
PARTIAL = "partial data"


def load_comparable_scores(
    rows: Sequence[TableRow], evaluation: str, score: str, partial: Collection[RowId] = ()
) -> tuple[dict[RowId, RowScores], dict[RowId, str], tuple[str, ...]]:
    """Load the scores of all rows that may be compared.

    Args:
        rows: Rows of one group or of several; no two have the same `row_id`.
        evaluation: Name of the evaluation.
        score: "mAP" or "R1".
        partial: Rows of partial data, which are not compared.

    Returns:
        The scores by row in the order of `rows`; for every other row why it is not compared, as its
        cell prints it; and one sentence about each problem with files and protocols.
    """
    reasons = {row.row_id: _why_not_compared(row, row.row_id in partial) for row in rows}
    problems: list[str] = []
    scores: dict[RowId, RowScores] = {}
    for row in rows:
        if reasons[row.row_id]:
            continue
        try:
            scores[row.row_id] = load_row_scores(row, evaluation, score)
        except ValueError as error:
            reasons[row.row_id] = NOT_COMPARED
            problems.append(f"{row.label} is not compared: {error}.")
    _drop_incomparable(scores, reasons, problems)
    _drop_short_rows(scores, reasons)
    return scores, {row: reason for row, reason in reasons.items() if reason}, tuple(problems)


def _drop_incomparable(
    scores: dict[RowId, RowScores], reasons: dict[RowId, str], problems: list[str]
) -> None:
    """Drop the rows whose protocol or queries are not those of most rows.

    With queries of a single identity all rows are dropped: their variance cannot be estimated.
    """
    counts = Counter(one.conditions for one in scores.values())
    usual = counts.most_common(1)[0][0] if counts else ("", "")
    for row_id, one in list(scores.items()):
        if one.conditions == usual:
            continue
        del scores[row_id]
        other_protocol = one.conditions[0] != usual[0]
        reasons[row_id] = "other scoring" if other_protocol else "other queries"
        how = "by another protocol" if other_protocol else "on other queries"
        problems.append(f"{row_id[1]} is not compared: it was scored {how} than most rows.")
    if any(len(one.example.weights) < 2 for one in scores.values()):
        problems.append("Nothing is compared: all queries show one identity.")
        reasons |= dict.fromkeys(scores, NOT_COMPARED)
        scores.clear()


def _drop_short_rows(scores: dict[RowId, RowScores], reasons: dict[RowId, str]) -> None:
    """Drop rows until every two have enough seeds in common; a table of one seed stays whole."""
    most = max((len(one.by_seed) for one in scores.values()), default=0)
    while most >= MIN_SEEDS:
        strangers = {row: _count_strangers(row, scores) for row in scores}
        if not any(strangers.values()):
            return
        # The last of those that fit fewest rows, and of these that with the fewest seeds.
        worst = max(reversed(scores), key=lambda row: (strangers[row], -len(scores[row].by_seed)))
        count = len(scores.pop(worst).by_seed)
        reasons[worst] = f"{count} of {most} seeds" if count < most else "other seeds"


def _count_strangers(row: RowId, scores: Mapping[RowId, RowScores]) -> int:
    """Return the number of rows that have too few seeds in common with this one."""
    seeds = {*scores[row].by_seed}
    others = (one for other, one in scores.items() if other != row)
    return sum(len(seeds & {*one.by_seed}) < MIN_SEEDS for one in others)


def _why_not_compared(row: TableRow, is_partial: bool) -> str:
    """Return why the row is not compared, as far as the records show; empty if it is."""
    if row.done.empty:
        return row.describe_failures() or NO_RUN
    if row.done["other_teacher"].any():
        return OTHER_TEACHER
    return PARTIAL if is_partial else ""

"""One family of paired tests: all pairs of a table's complete rows, by one score of one evaluation.

Complete is a row that has every seed the table has. Rows are compared if they were scored by one
protocol on the same queries; what is not compared says why. Holm's correction covers all pairs of
the family, so that gains over the plain student, letters and groups come from the same tests.
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

from harness.runs.per_query import FILE, IdentitySums, load_identity_sums
from results.comparable import ComparisonGroup
from results.lines import BASELINE, RowId, TableRow, complete_seeds
from results.statistics.letter_display import Group, Pair, compact_letter_display, top_groups
from results.statistics.paired_test import LEVEL, PairedDifference, holm, paired_test
from results.tables.cells import NO_RUN, describe_failures

Mark = TypeVar("Mark", bound=str)
NOT_COMPARED = "not compared"
AGREEMENT = 1e-6  # between a record's mAP and the mean over its queries


@dataclass(frozen=True, slots=True)
class PairwiseTests:
    """Verdicts by line and by pair of lines; differences are the first minus the second."""

    evaluation: str
    score: str  # mAP or R1
    seeds: tuple[int, ...]
    queries: int  # that every run was asked
    identities: int
    places: tuple[RowId, ...]  # of the lines compared, in the table's order
    differences: dict[tuple[RowId, RowId], PairedDifference]
    adjusted: dict[tuple[RowId, RowId], float]  # p after Holm
    letters: dict[RowId, str]
    groups: dict[RowId, Group]
    reasons: dict[RowId, str]  # why a line is not among them, for its cell
    problems: tuple[str, ...]  # the same in whole sentences, where a file is to blame

    def between(self, ours: TableRow, theirs: TableRow) -> tuple[PairedDifference, float] | None:
        """The difference of two lines, and its p after Holm; None if they were not compared."""
        there, back = (ours.place, theirs.place), (theirs.place, ours.place)
        if there in self.differences:
            return self.differences[there], self.adjusted[there]
        if back in self.differences:
            found = self.differences[back]
            return replace(found, mean=-found.mean), self.adjusted[back]
        return None

    def verdict(self, ours: TableRow, theirs: TableRow) -> int | None:
        """1 if `ours` is better, -1 if worse, 0 if they cannot be told apart; None as `between`."""
        found = self.between(ours, theirs)
        if found is None:
            return None
        return int(np.sign(found[0].mean)) if found[1] <= LEVEL else 0


@dataclass(frozen=True, slots=True)
class _ScoreMatrix:
    """What one line brings: (S, G) parts of its score, over weights that all its seeds share."""

    asked: tuple[str, str]  # scoring protocol and queries
    parts: NDArray[np.float64]
    example: IdentitySums


def pairwise_tests(
    setting: ComparisonGroup, members: Sequence[TableRow], evaluation: str, score: str = "mAP"
) -> PairwiseTests:
    """Compare the complete ones of `members`, lines of `setting`, by one score."""
    partial = [line.place for line in members] if "partial" in setting.data_flags else []
    reference = [line.place for line in members if line.method == BASELINE[0]]
    wanted = complete_seeds(setting)
    return run_pairwise_tests(
        members, evaluation, score, wanted, partial=partial, unranked=reference
    )


def run_pairwise_tests(
    members: Sequence[TableRow],
    evaluation: str,
    score: str,
    wanted: Collection[int],
    *,
    partial: Collection[RowId] = (),
    unranked: Collection[RowId] = (),
) -> PairwiseTests:
    """Compare those of `members` that have all seeds `wanted` and not only `partial` data.

    The lines may be of several settings; no two have the same place. Those `unranked` are tested
    like the others and have letters, but are in no group.
    """
    seeds = tuple(sorted(wanted))
    reasons = {line.place: _incomplete(line, seeds, line.place in partial) for line in members}
    problems: list[str] = []
    found: dict[RowId, _ScoreMatrix] = {}
    for line in members:
        if reasons[line.place]:
            continue
        try:
            found[line.place] = _score_matrix(line, seeds, evaluation, score)
        except ValueError as error:
            reasons[line.place] = NOT_COMPARED
            problems.append(f"{line.label} is not compared: {error}.")
    _leave_out_others(found, reasons, problems)
    example = next((sums.example for sums in found.values()), None)
    differences = {
        (one, other): paired_test(found[one].parts, found[other].parts, found[one].example.weights)
        for one, other in combinations(found, 2)
    }
    p = holm([tested.p for tested in differences.values()])
    adjusted = dict(zip(differences, p, strict=True))
    means = {place: float(sums.parts.sum(axis=1).mean()) for place, sums in found.items()}
    ranked = {place: mean for place, mean in means.items() if place not in unranked}
    return PairwiseTests(
        evaluation=evaluation,
        score=score,
        seeds=seeds,
        queries=example.count if example else 0,
        identities=len(example.weights) if example else 0,
        places=tuple(found),
        differences=differences,
        adjusted=adjusted,
        letters=_marked(compact_letter_display, means, adjusted) if differences else {},
        groups=_marked(top_groups, ranked, adjusted),
        reasons={place: reason for place, reason in reasons.items() if reason},
        problems=tuple(problems),
    )


def _marked(
    rule: Callable[[list[float], list[Pair]], list[Mark]],
    means: dict[RowId, float],
    adjusted: dict[tuple[RowId, RowId], float],
) -> dict[RowId, Mark]:
    """Return what a rule of `letter_display` gives each row, from means and adjusted p values."""
    found = rule([*means.values()], _apart([*means], adjusted))
    return dict(zip(means, found, strict=True))


def _leave_out_others(
    found: dict[RowId, _ScoreMatrix], reasons: dict[RowId, str], problems: list[str]
) -> None:
    """Take out the lines that were asked otherwise than most, or for one identity; say so."""
    usual = Counter(sums.asked for sums in found.values()).most_common(1)
    for place in [place for place in found if found[place].asked != usual[0][0]]:
        scoring = found.pop(place).asked[0] != usual[0][0][0]
        reasons[place] = "other scoring" if scoring else "other queries"
        what = "by another protocol" if scoring else "on other queries"
        problems.append(f"{place[1]} is not compared: it was scored {what} than the rest.")
    if any(len(sums.example.weights) < 2 for sums in found.values()):
        problems.append("Nothing is compared: all queries show one identity.")
        reasons |= dict.fromkeys(found, NOT_COMPARED)
        found.clear()


def paired_difference(ours: TableRow, theirs: TableRow, evaluation: str) -> PairedDifference | None:
    """The difference over the seeds that both lines have; None if there is none, or no queries."""
    seeds = sorted({*ours.done["seed"]} & {*theirs.done["seed"]})
    try:
        first, second = (_score_matrix(line, seeds, evaluation) for line in (ours, theirs))
        if first.asked != second.asked:
            return None
        return paired_test(first.parts, second.parts, first.example.weights)
    except ValueError:
        return None


def _apart(places: Sequence[RowId], adjusted: dict[tuple[RowId, RowId], float]) -> list[Pair]:
    """The pairs of these lines that are told apart, by number."""
    return [
        (first, second)
        for first, second in combinations(range(len(places)), 2)
        if adjusted[places[first], places[second]] <= LEVEL
    ]


def _incomplete(line: TableRow, seeds: tuple[int, ...], partial: bool) -> str:
    """Why the line cannot be ranked, as far as the records say."""
    if line.done.empty:
        return describe_failures(line) or NO_RUN
    count = len({*seeds} & {*line.done["seed"]})
    if count < len(seeds):
        return f"{count}/{len(seeds)} seeds"
    return "partial data" if partial else ""


def _score_matrix(
    line: TableRow, seeds: Sequence[int], evaluation: str, score: str = "mAP"
) -> _ScoreMatrix:
    """What the runs of these seeds, each of which the line has, say of one evaluation.

    Raises:
        ValueError: a file cannot be used, or the runs do not agree in what they were asked.
    """
    runs = line.done.drop_duplicates("seed").set_index("seed").loc[list(seeds)]
    found = [_of_run(run, evaluation) for _, run in runs.iterrows()]
    if not found:
        raise ValueError("there is no seed")
    asked = {*zip(runs["scoring"], (sums.queries for sums in found), strict=True)}
    if len(asked) > 1:
        raise ValueError("its seeds were scored by different protocols or on different queries")
    return _ScoreMatrix(
        next(iter(asked)), np.stack([sums.parts[score] for sums in found]), found[0]
    )


def _of_run(run: pd.Series, evaluation: str) -> IdentitySums:
    try:
        found = load_identity_sums(Path(run["folder"]) / FILE).get(evaluation)
    except ValueError as error:
        raise ValueError(f"{error} ({run['key']})") from error
    if found is None:
        raise ValueError(f"{FILE} has no evaluation {evaluation} ({run['key']})")
    recorded = run[f"{evaluation} mAP" if len(run["evaluations"]) > 1 else "mAP"]
    own = found.parts["mAP"].sum()
    if abs(own - recorded) > AGREEMENT:
        raise ValueError(
            f"{FILE} is not of this record: its mAP is {100 * own:.4f}, the "
            f"record's {100 * recorded:.4f} ({run['key']})"
        )
    return found

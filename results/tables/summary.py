"""The summary over datasets: mean ranks, and wins and losses by the tests of each dataset."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from results.lines import BASELINE, RowId
from results.statistics.critical_difference import CriticalDifference
from results.tables.cells import NO_RUN, Cell, plain
from results.tables.dataset_ranks import CrossDatasetRanking, rank_across_datasets
from results.tables.table import Table

RIVALS = (BASELINE, ("pdrd", "PDRD"))  # whom the others win or lose against
BLANK = plain("")


def summary_tables(frame: pd.DataFrame) -> list[Table]:
    """One table for each of `rank_across_datasets`."""
    found = rank_across_datasets(frame)
    return [_table(pair, several=len(found) > 1) for pair in found]


def _table(pair: CrossDatasetRanking, *, several: bool) -> Table:
    places = dict.fromkeys(place for contest in pair.contests for place in contest.lines)
    ordered = sorted(places, key=lambda place: _order(pair, place))
    marks = dict.fromkeys(c.setting.data_flags for c in pair.contests if c.setting.data_flags)
    marked = f" ({'; '.join(marks)} data)" if marks else ""
    generated = "-generated" if "generated" in marked else ""
    name = f"summary-{pair.teacher}-{pair.network}{generated}" if several else "summary"
    against = tuple(f"Against {rival}" for _, rival in RIVALS)
    return Table(
        name=name.replace(" + ", "+"),
        title=f"Ranks over datasets, {pair.teacher} to {pair.network}{marked}",
        columns=("Method", "Mean rank", "Ranks of seeds", "Datasets", *against),
        rows=tuple(tuple(_row(pair, place)) for place in ordered),
        footnotes=tuple(_notes(pair)),
    )


def _order(pair: CrossDatasetRanking, place: RowId) -> tuple[int, float]:
    """The methods of most datasets first, by mean rank; what has no rank comes last."""
    found = [contest.ranks[place] for contest in pair.contests if place in contest.ranks]
    return (-len(found), float(np.mean(found))) if found else (0, 0.0)


def _row(pair: CrossDatasetRanking, place: RowId) -> Iterator[Cell]:
    runs = tuple(
        key
        for contest in pair.contests
        if place in contest.lines
        for key in contest.lines[place].keys
    )
    ranked = [contest for contest in pair.contests if place in contest.ranks]
    used = tuple(key for contest in ranked for key in contest.lines[place].keys)
    yield Cell(place[1], runs)
    if place[0] == BASELINE[0]:
        yield from (BLANK, BLANK, BLANK)
    elif not ranked:
        count = Cell(f"0/{len(pair.contests)}", runs, detail=_reasons(pair, place), value=0.0)
        yield from (plain(NO_RUN), plain(NO_RUN), count)
    else:
        found = [contest.ranks[place] for contest in ranked]
        spread = f" ± {np.std(found, ddof=1):.2f}" if len(found) > 1 else ""
        mean = float(np.mean(found))
        by_dataset = [f"{c.name}: {rank:g}" for c, rank in zip(ranked, found, strict=True)]
        yield Cell(f"{mean:.2f}{spread}", used, detail="; ".join(by_dataset), value=mean)
        single = np.concatenate([contest.ranks_by_seed[place] for contest in ranked])
        text = f"{single.min():g} to {single.max():g}"
        yield Cell(text, used, value=float(single.max() - single.min()))
        text = f"{len(ranked)}/{len(pair.contests)}"
        yield Cell(text, used, detail=_reasons(pair, place), value=float(len(ranked)))
    for rival in RIVALS:
        yield _against(pair, place, rival)


def _reasons(pair: CrossDatasetRanking, place: RowId) -> str:
    """On which datasets it is not ranked, and why."""
    absent = (c for c in pair.contests if place not in c.ranks)
    return "; ".join(f"{c.name}: {c.tested.reasons.get(place, NO_RUN)}" for c in absent)


def _against(pair: CrossDatasetRanking, place: RowId, rival: RowId) -> Cell:
    """Wins / ties / losses against `rival` over the datasets where both are compared."""
    if place == rival:
        return BLANK
    verdicts: dict[int, list[str]] = {1: [], 0: [], -1: []}
    runs: list[str] = []
    for contest in pair.contests:
        if place in contest.lines and rival in contest.lines:
            ours, theirs = contest.lines[place], contest.lines[rival]
            verdict = contest.tested.verdict(ours, theirs)
            if verdict is not None:
                verdicts[verdict].append(contest.name)
                runs += [*ours.keys, *theirs.keys]
    if not runs:
        return plain(NO_RUN)
    counts = [len(names) for names in verdicts.values()]
    words = zip(("better", "not told apart", "worse"), verdicts.values(), strict=True)
    detail = "; ".join(f"{word} on {', '.join(names)}" for word, names in words if names)
    text = " / ".join(map(str, counts))
    return Cell(text, tuple(dict.fromkeys(runs)), detail=detail, value=float(counts[0] - counts[2]))


def _notes(pair: CrossDatasetRanking) -> Iterator[str]:
    yield (
        "Mean rank: over datasets, of a method's rank by mean mAP among the complete rows, 1 the "
        "best; ± is the standard deviation over datasets (n - 1 in the denominator). Ranks of "
        "seeds: the lowest and the highest rank that a single seed gives it on any dataset."
    )
    yield (
        f"{' and '.join(f'Against {rival}' for _, rival in RIVALS)}: datasets won / tied / lost by "
        "the paired tests of each dataset's table, after Holm; a tie is a difference that cannot "
        "be told from none."
    )
    for contest in pair.contests:
        seeds = len(contest.tested.seeds)
        yield (
            f"{contest.name}: {len(contest.scores)} methods are ranked, {seeds} "
            f"seed{'s' * (seeds > 1)}; {contest.tested.evaluation}; {contest.setting.describe()}."
        )
        if seeds == 1:
            yield f"{contest.name} has one seed, whose noise no rank and no test covers."
    if pair.left_out:
        names = ", ".join(pair.left_out)
        yield f"Not counted, as fewer than two methods are ranked there: {names}."
    if any(len(contest.scores) != len(pair.common) for contest in pair.contests):
        yield (
            "Not every method is ranked on every dataset; ranks among other methods, or over other "
            "datasets, do not compare."
        )
    if pair.diagram is not None:
        yield _diagram_note(pair.diagram)
        if pair.diagram.warning:
            yield pair.diagram.warning


def _diagram_note(found: CriticalDifference) -> str:
    count = len(found.mean_ranks)
    note = (
        f"Over the {count} methods ranked on all {found.datasets} datasets, mean ranks are told "
        f"apart by Nemenyi's test at 5 % if they differ by {found.difference:.2f}."
    )
    if np.isnan(found.p):
        return note
    return (
        f"{note} Friedman's test that all are alike: chi-square {found.statistic:.2f} on "
        f"{count - 1} degrees of freedom, p {found.p:.2g}."
    )

"""Tables over datasets: mean ranks, and wins and losses by the tests of each dataset."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from results.lines import BASELINE, NO_RUN, RowId
from results.statistics.critical_difference import CriticalDifference
from results.statistics.paired_test import LEVEL
from results.tables.cells import BLANK, Cell
from results.tables.dataset_ranks import CrossDatasetRanking, rank_across_datasets
from results.tables.method_notes import method_notes
from results.tables.origin_notes import origin_notes
from results.tables.table import Table

OPPONENTS = (BASELINE, ("pdrd", "PDRD"))  # rows that all others are compared with


def summary_tables(frame: pd.DataFrame) -> list[Table]:
    """Return one table for each pair of networks with ranks on several datasets.

    Args:
        frame: All rows of `collect_runs`.
    """
    rankings = rank_across_datasets(frame)
    return [_summary_table(ranking, several=len(rankings) > 1) for ranking in rankings]


def _summary_table(ranking: CrossDatasetRanking, *, several: bool) -> Table:
    row_ids = dict.fromkeys(row_id for one in ranking.rankings for row_id in one.rows)
    ordered = sorted(row_ids, key=lambda row_id: _by_mean_rank(ranking, row_id))
    rows = tuple(tuple(_summary_row(ranking, row_id)) for row_id in ordered)
    notes = dict.fromkeys(one.group.data_note for one in ranking.rankings if one.group.data_note)
    data = f" ({'; '.join(notes)} data)" if notes else ""
    generated = "-generated" if "generated" in data else ""
    name = f"summary-{ranking.teacher}-{ranking.network}{generated}" if several else "summary"
    return Table(
        name=name.replace(" + ", "+"),
        title=(f"Ranks over datasets, teacher {ranking.teacher}, student {ranking.network}{data}"),
        columns=(
            "Method",
            "Mean rank",
            "Ranks of seeds",
            "Datasets",
            *(f"Against {label}" for _, label in OPPONENTS),
        ),
        rows=rows,
        footnotes=(
            *_origin_notes(ranking, rows),
            *_notes(ranking),
            *method_notes(pd.concat([one.group.done for one in ranking.rankings]), rows),
        ),
    )


def _by_mean_rank(ranking: CrossDatasetRanking, row_id: RowId) -> tuple[int, float]:
    """Return a key that sorts by number of datasets, then mean rank; unranked rows come last."""
    ranks = [one.ranks[row_id] for one in ranking.rankings if row_id in one.ranks]
    return (-len(ranks), float(np.mean(ranks))) if ranks else (0, 0.0)


def _summary_row(ranking: CrossDatasetRanking, row_id: RowId) -> Iterator[Cell]:
    with_row = [one for one in ranking.rankings if row_id in one.rows]
    runs = tuple(key for one in with_row for key in one.rows[row_id].keys)
    yield Cell(row_id[1], runs)
    if row_id[0] == BASELINE[0]:
        yield from (BLANK, BLANK, BLANK)
    else:
        yield from _rank_cells(ranking, row_id, runs)
    for opponent in OPPONENTS:
        yield _wins_cell(ranking, row_id, opponent)


def _rank_cells(
    ranking: CrossDatasetRanking, row_id: RowId, runs: tuple[str, ...]
) -> Iterator[Cell]:
    """Yield mean rank, range of ranks of seeds, and number of datasets."""
    ranked = [one for one in ranking.rankings if row_id in one.ranks]
    count_text, reasons = f"{len(ranked)}/{len(ranking.rankings)}", _why_unranked(ranking, row_id)
    if not ranked:
        yield from (Cell(NO_RUN), Cell(NO_RUN), Cell(count_text, runs, detail=reasons, value=0.0))
        return
    used = tuple(key for one in ranked for key in one.rows[row_id].keys)
    ranks = [one.ranks[row_id] for one in ranked]
    mean = float(np.mean(ranks))
    spread = f" ± {np.std(ranks, ddof=1):.2f}" if len(ranks) > 1 else ""
    by_dataset = [f"{one.name}: {rank:g}" for one, rank in zip(ranked, ranks, strict=True)]
    yield Cell(f"{mean:.2f}{spread}", used, detail="; ".join(by_dataset), value=mean)
    by_seed = np.concatenate([one.ranks_by_seed[row_id] for one in ranked])
    low, high = by_seed.min(), by_seed.max()
    yield Cell(f"{low:g} to {high:g}", used, value=float(high - low))
    yield Cell(count_text, used, detail=reasons, value=float(len(ranked)))


def _why_unranked(ranking: CrossDatasetRanking, row_id: RowId) -> str:
    """Return the datasets on which the row has no rank, with the reasons."""
    unranked = (one for one in ranking.rankings if row_id not in one.ranks)
    return "; ".join(f"{one.name}: {one.tests.reasons.get(row_id, NO_RUN)}" for one in unranked)


def _wins_cell(ranking: CrossDatasetRanking, row_id: RowId, opponent: RowId) -> Cell:
    """Return wins / ties / losses over the datasets on which both rows were compared."""
    if row_id == opponent:
        return BLANK
    by_verdict: dict[int, list[str]] = {1: [], 0: [], -1: []}
    runs: list[str] = []
    for one in ranking.rankings:
        if row_id in one.rows and opponent in one.rows:
            ours, theirs = one.rows[row_id], one.rows[opponent]
            verdict = one.tests.verdict(ours, theirs)
            if verdict is not None:
                by_verdict[verdict].append(one.name)
                runs += [*ours.keys, *theirs.keys]
    if not runs:
        return Cell(NO_RUN)
    counts = [len(names) for names in by_verdict.values()]
    words = zip(("better", "no difference", "worse"), by_verdict.values(), strict=True)
    detail = "; ".join(f"{word} on {', '.join(names)}" for word, names in words if names)
    text = " / ".join(map(str, counts))
    return Cell(text, tuple(dict.fromkeys(runs)), detail=detail, value=float(counts[0] - counts[2]))


def _origin_notes(
    ranking: CrossDatasetRanking, rows: tuple[tuple[Cell, ...], ...]
) -> Iterator[str]:
    """Yield a note for each dataset whose runs were not made by the same."""
    for one in ranking.rankings:
        yield from origin_notes(one.group.done, rows, f"on {one.name}")


def _notes(ranking: CrossDatasetRanking) -> Iterator[str]:
    yield (
        "Mean rank: mean over datasets of a method's rank by mean mAP among the complete rows; 1 "
        "is best; ± is the standard deviation over datasets (n - 1 in the denominator). Ranks of "
        "seeds: the lowest and highest rank of a single seed on any dataset."
    )
    yield (
        f"{' and '.join(f'Against {label}' for _, label in OPPONENTS)}: datasets won / tied / lost "
        "by the paired tests of each dataset's table, corrected by Holm's method; a tie is a "
        "difference that is not significant."
    )
    for one in ranking.rankings:
        seeds = len(one.tests.seeds)
        yield (
            f"{one.name}: {len(one.scores)} ranked methods, {seeds} seed{'s' * (seeds > 1)}, "
            f"evaluation {one.tests.evaluation}; {one.group.describe()}."
        )
        if seeds == 1:
            yield (
                f"{one.name} has one seed: its ranks and tests do not cover variation between "
                "seeds."
            )
    if ranking.excluded:
        yield (
            "Not counted because fewer than two methods are ranked there: "
            f"{', '.join(ranking.excluded)}."
        )
    if any(len(one.scores) != len(ranking.common) for one in ranking.rankings):
        yield (
            "Not every method is ranked on every dataset; mean ranks among other methods or over "
            "other datasets are not comparable."
        )
    if ranking.diagram is not None:
        yield _diagram_note(ranking.diagram)
        if ranking.diagram.warning:
            yield ranking.diagram.warning


def _diagram_note(diagram: CriticalDifference) -> str:
    count = len(diagram.mean_ranks)
    note = (
        f"The mean ranks of the {count} methods ranked on all {diagram.datasets} datasets differ "
        f"significantly by Nemenyi's test at {100 * LEVEL:.0f} % if they are at least "
        f"{diagram.difference:.2f} apart."
    )
    if np.isnan(diagram.p):
        return note
    return (
        f"{note} Friedman's test that all are equal: chi-square {diagram.statistic:.2f} with "
        f"{count - 1} degrees of freedom, p {diagram.p:.2g}."
    )

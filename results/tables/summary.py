"""The leaderboard: gains and ranks over datasets, and wins by the tests of each dataset."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from results.configurations import DEFAULT_CHOICE, TableChoice
from results.lines import BASELINE, NO_RUN, RowId
from results.statistics.critical_difference import CriticalDifference
from results.statistics.paired_test import LEVEL
from results.statistics.pairwise import PairwiseTests
from results.tables import footnotes
from results.tables.cells import BLANK, Cell, signed
from results.tables.dataset_ranks import (
    MIN_DATASETS_OF_DIAGRAM,
    CrossDatasetRanking,
    DatasetRanking,
    rank_across_datasets,
)
from results.tables.method_notes import method_notes
from results.tables.origin_notes import origin_notes
from results.tables.significance import (
    ONE_SEED_NOTE,
    STAR,
    caption_sentences,
    gain_cell,
    interval_cell,
)
from results.tables.table import Table

OPPONENTS = (BASELINE, ("pdrd", "PDRD"))  # rows that all others are compared with


def summary_tables(frame: pd.DataFrame, choice: TableChoice = DEFAULT_CHOICE) -> list[Table]:
    """Return one table for each pair of networks with ranks on several datasets.

    Args:
        frame: All rows of `collect_runs`.
        choice: What is compared.
    """
    rankings = rank_across_datasets(frame, choice)
    return [_summary_table(ranking, several=len(rankings) > 1) for ranking in rankings]


def _summary_table(ranking: CrossDatasetRanking, *, several: bool) -> Table:
    rows = tuple(tuple(_summary_row(ranking, row_id)) for row_id in leaderboard_order(ranking))
    notes = dict.fromkeys(one.group.data_note for one in ranking.rankings if one.group.data_note)
    data = f" ({'; '.join(notes)} data)" if notes else ""
    generated = "-generated" if "generated" in data else ""
    name = f"summary-{ranking.teacher}-{ranking.network}{generated}" if several else "summary"
    done = pd.concat([one.group.done for one in ranking.rankings])
    origins = [
        note
        for one in ranking.rankings
        for note in origin_notes(one.group.done, rows, f"on {one.name}")
    ]
    tests = [one.tests for one in ranking.rankings]
    return Table(
        name=name.replace(" + ", "+"),
        title=f"Leaderboard, teacher {ranking.teacher}, student {ranking.network}{data}",
        columns=(
            "Method",
            "Mean gain in mAP",
            *(f"Gain on {one.name}" for one in ranking.rankings),
            "Mean rank",
            "Datasets",
            *(f"Against {label}" for _, label in OPPONENTS),
        ),
        rows=rows,
        caption=(
            *origins,
            *([footnotes.SYNTHETIC_CAPTION] if generated else []),
            *_test_sentences(tests),
            "Mean gain: over these datasets; other datasets are not covered.",
            *method_notes(done, rows),
        ),
        footnotes=tuple(_notes(ranking)),
    )


def leaderboard_order(ranking: CrossDatasetRanking) -> list[RowId]:
    """Return the rows in the order of the leaderboard: most datasets, then highest mean gain."""
    row_ids = dict.fromkeys(row_id for one in ranking.rankings for row_id in one.rows)
    return sorted(row_ids, key=lambda row_id: _by_mean_gain(ranking, row_id))


def _test_sentences(tests: Sequence[PairwiseTests]) -> Iterator[str]:
    """Yield what the stars mean, or that there are none with one seed."""
    for text in caption_sentences(tests, "the undistilled student"):
        if STAR in text or text == ONE_SEED_NOTE:
            yield text


def _by_mean_gain(ranking: CrossDatasetRanking, row_id: RowId) -> tuple[int, float]:
    """Return a key that sorts by number of datasets, then gain; rows that lack it come last."""
    gains = [cell.value for one in ranking.rankings if (cell := _gain_on(one, row_id)).text]
    values = [value for value in gains if value is not None]
    return (-len(values), -float(np.mean(values))) if values else (0, 0.0)


def _gain_on(one: DatasetRanking, row_id: RowId) -> Cell:
    """Return the gain on one dataset; blank for the reference."""
    row, reference = one.rows.get(row_id), one.reference
    if reference is not None and row_id == reference.row_id:
        return BLANK
    if row is None:
        return Cell(NO_RUN)
    return gain_cell(row, reference, [one.tests])


def _summary_row(ranking: CrossDatasetRanking, row_id: RowId) -> Iterator[Cell]:
    with_row = [one for one in ranking.rankings if row_id in one.rows]
    runs = tuple(key for one in with_row for key in one.rows[row_id].keys)
    yield Cell(row_id[1], runs)
    yield _mean_gain_cell(ranking, row_id)
    for one in ranking.rankings:
        cell = _gain_on(one, row_id)
        # The interval is in the dataset's own table.
        head, bracket, _ = cell.text.partition(" [")
        star = STAR if bracket and cell.text.endswith(STAR) else ""
        yield Cell(f"{head}{star}", cell.runs, cell.mark, cell.detail, cell.value)
    if row_id[0] == BASELINE[0]:
        yield from (BLANK, BLANK)
    else:
        yield from _rank_cells(ranking, row_id, runs)
    for opponent in OPPONENTS:
        yield _wins_cell(ranking, row_id, opponent)


def _mean_gain_cell(ranking: CrossDatasetRanking, row_id: RowId) -> Cell:
    """Return the mean gain over the datasets, with its interval and star where it was tested."""
    cells = [_gain_on(one, row_id) for one in ranking.rankings]
    known = [cell for cell in cells if cell.value is not None]
    if not known:
        return BLANK if any(cell == BLANK for cell in cells) else Cell(NO_RUN)
    values = [cell.value for cell in known if cell.value is not None]
    runs = tuple(dict.fromkeys(key for cell in known for key in cell.runs))
    cell = Cell(signed(float(np.mean(values))), runs, value=float(np.mean(values)))
    if row_id not in ranking.mean_gains:
        return cell
    gain, p = ranking.mean_gains[row_id]
    tested = interval_cell(cell, gain)
    star = STAR if p <= LEVEL else ""
    return Cell(f"{tested.text}{star}", runs, detail=tested.detail, value=tested.value)


def _rank_cells(
    ranking: CrossDatasetRanking, row_id: RowId, runs: tuple[str, ...]
) -> Iterator[Cell]:
    """Yield mean rank and number of datasets."""
    ranked = [one for one in ranking.rankings if row_id in one.ranks]
    count_text, reasons = f"{len(ranked)}/{len(ranking.rankings)}", _why_unranked(ranking, row_id)
    if not ranked:
        yield from (Cell(NO_RUN), Cell(count_text, runs, detail=reasons, value=0.0))
        return
    used = tuple(key for one in ranked for key in one.rows[row_id].keys)
    ranks = [one.ranks[row_id] for one in ranked]
    mean = float(np.mean(ranks))
    by_dataset = [f"{one.name}: {rank:g}" for one, rank in zip(ranked, ranks, strict=True)]
    yield Cell(f"{mean:.2f}", used, detail="; ".join(by_dataset), value=mean)
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
            verdict = one.tests.verdict(row_id, opponent)
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


def _notes(ranking: CrossDatasetRanking) -> Iterator[str]:
    yield (
        "Mean gain in mAP: mean of the gains over the datasets on which the row was tested; its "
        "variance is the sum of theirs, divided by the square of their number. It speaks of these "
        f"datasets. {STAR}: significant at {100 * LEVEL:.0f} % by Holm's method over the rows."
    )
    yield (
        "Mean rank: mean over datasets of a method's rank by mean mAP among the compared rows; 1 "
        "is best."
    )
    yield (
        f"{' and '.join(f'Against {label}' for _, label in OPPONENTS)}: datasets won / tied / lost "
        "by the paired tests of each dataset's table, corrected by Holm's method over all pairs; a "
        "tie is a difference that is not significant."
    )
    for one in ranking.rankings:
        yield (
            f"{one.name}: {len(one.scores)} ranked methods, seeds {_seeds_text(one)}, evaluation "
            f"{one.tests.evaluation}; {one.group.describe()}."
        )
    if ranking.excluded:
        yield (
            "Not counted because fewer than two methods are ranked there: "
            f"{', '.join(ranking.excluded)}."
        )
    if any(len(one.scores) != len(ranking.common) for one in ranking.rankings):
        yield (
            "Not every method is ranked on every dataset; means among other methods or over other "
            "datasets are not comparable."
        )
    if ranking.diagram is not None and len(ranking.rankings) >= MIN_DATASETS_OF_DIAGRAM:
        yield _diagram_note(ranking.diagram)
        if ranking.diagram.warning:
            yield ranking.diagram.warning


def _seeds_text(one: DatasetRanking) -> str:
    counts = one.tests.seed_counts
    return f"{counts[0]}" if counts[0] == counts[-1] else f"{counts[0]} to {counts[-1]}"


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

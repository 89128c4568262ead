"""Footnotes of VRKD's tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from results.lines import NO_RUN
from results.published import NetworkTable, PublishedPaper, Scored
from results.statistics.pairwise import PairwiseTests
from results.tables import footnotes, published_values, significance
from results.tables.cells import Cell
from results.tables.method_notes import method_notes
from results.tables.vrkd_runs import DATASETS, TESTS, MatchedRow, dataset_of, training_command
from results.teacher_weights import other_teacher_notes

SIZES_NOTE = (
    "VRKD 1 to 9 are the paper's own rows from the top. Params: with the classifier of the "
    "dataset's identities. Ops: multiply-accumulates of one image with batch normalisation, ReLU "
    "and pooling, as VRKD counts them."
)
TRICKS_NOTE = "LS=1: last stride 1. LSR: label smoothing. TRI: triplet loss."
SEEDS_NOTE = "Seeds: on VeRi-776 / on VehicleID."
GAIN_NOTE = "Gain: points above the undistilled student of the same seed and settings."
NO_RUN_NOTE = f"{NO_RUN}: the paper does not give this number, or no run provides it."


def vrkd_footnotes(
    paper: PublishedPaper,
    table: NetworkTable,
    matched: Sequence[MatchedRow],
    rows: Sequence[Sequence[Cell]],
    tests: Mapping[Scored, Sequence[PairwiseTests]],
) -> tuple[str, ...]:
    """Return the footnotes of one table, each once.

    Args:
        paper: The paper.
        table: The published table.
        matched: Its rows with their runs.
        rows: Rows of our table.
        tests: Tests between our rows by test of the papers.
    """
    notes = [SIZES_NOTE] if table.kind == "models" else []
    notes += [TRICKS_NOTE, SEEDS_NOTE]
    if table.kind == "role":
        notes.append(GAIN_NOTE)
    if any("±" in cell.text for row in rows for cell in row):
        notes.append(footnotes.SPREAD)
    notes += [NO_RUN_NOTE, published_values.DIFFERENCE_NOTE]
    own = [row for row in matched if not row.published.cited]
    for dataset in DATASETS:
        notes += _dataset_notes(paper, dataset, own)
    notes += table.notes
    for dataset in DATASETS:
        of_dataset = [one for test in TESTS if dataset_of(test) == dataset for one in tests[test]]
        for note in significance.significance_notes_without_letters(of_dataset):
            notes.append(f"Ours on {dataset}. {note}")
    for match in (match for row in own for match in row.matches.values()):
        notes += other_teacher_notes(match.group.done)
        notes += footnotes.draw_notes(match.group)
        notes += footnotes.recorded_notes(match.group)
        notes += method_notes(match.group.done, rows)
    return tuple(dict.fromkeys(notes))


def _dataset_notes(paper: PublishedPaper, dataset: str, own: Sequence[MatchedRow]) -> Iterator[str]:
    """Yield differences of protocol, rows without runs, and what the paper does not state."""
    labels_by_differences: dict[tuple[str, ...], list[str]] = {}
    for row in own:
        match = row.matches.get(dataset)
        if match and match.differences:
            labels_by_differences.setdefault(match.differences, []).append(row.label)
        if match and match.other_groups:
            count = match.other_groups
            subject = "1 other group" if count == 1 else f"{count} other groups"
            yield f"{row.label} on {dataset}: {subject} of our runs also match and are not shown."
    for differences, labels in labels_by_differences.items():
        yield f"{', '.join(labels)} on {dataset}: {'; '.join(differences)}."
    missing = [row for row in own if dataset not in row.matches]
    if missing:
        yield (
            f"Missing on {dataset}: {', '.join(row.label for row in missing)}. To train the first: "
            f"{training_command(missing[0].published, dataset)}"
        )
    unstated = published_values.unstated_fields(paper, dataset)
    if unstated:
        yield f"{paper.reference} do not state for {dataset}: {', '.join(unstated)}."

"""Footnotes of VRKD's tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from results.lines import NO_RUN
from results.published import NetworkTable, PublishedPaper
from results.tables import footnotes, published_values
from results.tables.cells import Cell
from results.tables.method_notes import method_notes
from results.tables.vrkd_runs import DATASETS, MatchedRow, PaperRowMatch, training_command
from results.teacher_weights import other_teacher_notes

SIZES_NOTE = (
    "VRKD 1 to 9 are the paper's own rows from the top. Params: with the classifier of the "
    "dataset's identities. Ops: multiply-accumulates of one image with batch normalisation, ReLU "
    "and pooling, as VRKD counts them."
)
TRICKS_NOTE = "LS=1: last stride 1. LSR: label smoothing. TRI: triplet loss."
SEEDS_NOTE = "Seeds: on VeRi-776 / on VehicleID."
GAIN_NOTE = "Gain: points above the undistilled student of the same seed and settings."
NO_TESTS_NOTE = (
    "Rows differ in more than the method, so nothing is tested or marked here; see the comparisons."
)
NO_RUN_NOTE = f"{NO_RUN}: the paper does not give this number, or no run provides it."


def vrkd_caption(
    table: NetworkTable, matched: Sequence[MatchedRow], rows: Sequence[Sequence[Cell]]
) -> tuple[str, ...]:
    """Return what has to stand below one table.

    Args:
        table: The published table.
        matched: Its rows with their runs.
        rows: Rows of our table.
    """
    sentences = [TRICKS_NOTE, SEEDS_NOTE]
    if table.kind == "role":
        sentences.append(GAIN_NOTE)
    if any("±" in cell.text for row in rows for cell in row):
        sentences.append(footnotes.SPREAD)
    sentences.append(NO_RUN_NOTE)
    for match in _matches(matched):
        sentences += method_notes(match.group.done, rows)
    return tuple(dict.fromkeys(sentences))


def vrkd_footnotes(
    paper: PublishedPaper, table: NetworkTable, matched: Sequence[MatchedRow]
) -> tuple[str, ...]:
    """Return the footnotes of one table, each once.

    Args:
        paper: The paper.
        table: The published table.
        matched: Its rows with their runs.
    """
    notes = [SIZES_NOTE] if table.kind == "models" else []
    notes += [NO_TESTS_NOTE, published_values.DIFFERENCE_NOTE]
    own = [row for row in matched if not row.published.cited]
    for dataset in DATASETS:
        notes += _dataset_notes(paper, dataset, own)
    notes += table.notes
    for match in _matches(matched):
        notes += other_teacher_notes(match.group.done)
        notes += footnotes.draw_notes(match.group)
        notes += footnotes.recorded_notes(match.group)
    return tuple(dict.fromkeys(notes))


def _matches(matched: Sequence[MatchedRow]) -> Iterator[PaperRowMatch]:
    """Yield our runs of the paper's own rows."""
    for row in matched:
        if not row.published.cited:
            yield from row.matches.values()


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

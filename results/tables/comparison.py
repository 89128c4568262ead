"""Tables of all methods on one dataset: PDRD's Tables 2 to 5."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from results.comparable import ComparisonGroup, comparison_groups
from results.configurations import DEFAULT_CHOICE, TableChoice, compared_rows, reference_row
from results.lines import BASELINE, TableRow, expected_seeds, teacher_rows
from results.published import Published, PublishedPaper, PublishedRow
from results.statistics.pairwise import PairwiseTests
from results.tables import footnotes, published_values, significance
from results.tables.cells import BLANK, Cell, label_cell, seeds_cell
from results.tables.table import (
    DATASET_NAMES,
    Table,
    qualify_title,
    score_cells,
    score_heading,
)


def comparison_tables(
    frame: pd.DataFrame, dataset: str, published: Published, choice: TableChoice = DEFAULT_CHOICE
) -> list[Table]:
    """Return one table for each comparison group of a dataset, the largest group first.

    A table has one row for each method that ran, and the papers' numbers for the same networks.

    Args:
        frame: All rows of `collect_runs`.
        dataset: Name of the dataset.
        published: The papers' numbers.
        choice: What is compared.
    """
    groups = comparison_groups(frame, dataset)
    several = len(groups) > 1
    return [_comparison_table(group, published, choice, several=several) for group in groups]


def _comparison_table(
    group: ComparisonGroup, published: Published, choice: TableChoice, *, several: bool
) -> Table:
    printed = published_values.tables_of_same_networks(group, published, "comparison")
    papers = [""] if len(printed) == 1 else [f" ({paper.name})" for paper, _ in printed]
    published_headings = [f"{name}{paper}" for paper in papers for name in published_values.COLUMNS]
    headings = [score_heading(column, group) for column in group.score_columns]
    compared = compared_rows(group, choice)
    tests = significance.group_tests(group, compared, choice)
    reference = find_row(compared, reference_row(compared, choice))
    rows = list(_table_rows(group, printed, compared, reference, tests))
    title = f"Distillation methods on {DATASET_NAMES.get(group.dataset, group.dataset)}"
    name = reference.label if reference else "the undistilled student"
    return Table(
        name=f"comparison-{group.dataset}{f'-{group.digest}' if several else ''}",
        title=qualify_title(title, group),
        columns=(
            "Method",
            "Teacher",
            "Student",
            *headings,
            f"Gain in {headings[0]}",
            *significance.group_headings(tests),
            "Seeds",
            *published_headings,
            "Reference",
        ),
        rows=tuple(rows),
        caption=(
            *footnotes.caption_sentences([group], rows),
            *significance.caption_sentences(tests, name),
        ),
        footnotes=(
            *footnotes.table_footnotes([group], printed),
            footnotes.GAIN.format(reference=name),
            *significance.significance_notes(tests, name),
        ),
    )


def find_row(rows: Sequence[TableRow], row_id: tuple[str, str] | None) -> TableRow | None:
    """Return the row with this method and label; None if there is none."""
    return next((row for row in rows if row.row_id == row_id), None)


def _table_rows(
    group: ComparisonGroup,
    printed: published_values.PublishedTables,
    compared: Sequence[TableRow],
    reference: TableRow | None,
    tests: Sequence[PairwiseTests],
) -> Iterator[tuple[Cell, ...]]:
    """Yield teachers, the undistilled student and the methods that ran.

    An undistilled student that did not run has a row if a paper has one.
    """
    no_letters = (BLANK,) * len(significance.lettered_tests(tests))
    for row, network in teacher_rows(group):
        scores = (*score_cells(row, group), BLANK, *no_letters, seeds_cell(row, 1))
        outside = published_values.all_published_cells(row, group, printed)
        yield (label_cell(row), BLANK, Cell(network), *scores, *outside, BLANK)
    expected, student = expected_seeds(group), Cell(group.network)
    for row in compared:
        outside = published_values.all_published_cells(row, group, printed)
        is_baseline = row.method == BASELINE[0]
        if row.runs.empty and not (is_baseline and any(cell.text for cell in outside)):
            continue
        scores = significance.mark_scores(score_cells(row, group), row.row_id, tests)
        is_reference = reference is not None and row.row_id == reference.row_id
        gain = BLANK if is_reference else significance.gain_cell(row, reference, tests)
        letters = significance.letter_cells(row.row_id, tests)
        teacher = BLANK if is_baseline else Cell(group.teacher)
        printed_rows = [(paper, table.row(row.method)) for paper, table in printed]
        paper = BLANK if is_baseline else Cell(_reference(row, printed_rows))
        names = (label_cell(row), teacher, student)
        yield (*names, *scores, gain, *letters, seeds_cell(row, expected), *outside, paper)


def _reference(row: TableRow, printed: list[tuple[PublishedPaper, PublishedRow | None]]) -> str:
    """Return the reference in the row's records, otherwise the one that a paper prints."""
    recorded = [reference for reference in row.done["reference"] if reference]
    published = [_printed_reference(one, paper) for paper, one in printed if one]
    return next(iter([*recorded, *published]), "")


def _printed_reference(row: PublishedRow, paper: PublishedPaper) -> str:
    is_own = row.reference == "Ours"
    return f"{paper.paper.year} {paper.paper.venue}" if is_own else row.reference

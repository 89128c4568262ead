"""Tables of all methods on one dataset: PDRD's Tables 2 to 5."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from results.comparable import ComparisonGroup, comparison_groups
from results.lines import BASELINE, NO_RUN, TableRow, baseline_row, expected_seeds, teacher_rows
from results.published import Published, PublishedPaper, PublishedRow
from results.statistics.pairwise import PairwiseTests
from results.tables import footnotes, published_values, significance
from results.tables.cells import BLANK, Cell, label_cell, seeds_cell
from results.tables.table import (
    DATASET_NAMES,
    Table,
    qualify_title,
    rows_by_method,
    score_cells,
    score_heading,
)


def comparison_tables(frame: pd.DataFrame, dataset: str, published: Published) -> list[Table]:
    """Return one table for each comparison group of a dataset, the largest group first.

    A table has the methods that ran and, if a paper has numbers for the same networks, the other
    rows of that paper.

    Args:
        frame: All rows of `collect_runs`.
        dataset: Name of the dataset.
        published: The papers' numbers.
    """
    groups = comparison_groups(frame, dataset)
    return [_comparison_table(group, published, several=len(groups) > 1) for group in groups]


def _comparison_table(group: ComparisonGroup, published: Published, *, several: bool) -> Table:
    printed = published_values.tables_of_same_networks(group, published, "comparison")
    papers = [""] if len(printed) == 1 else [f" ({paper.name})" for paper, _ in printed]
    published_headings = [f"{name}{paper}" for paper in papers for name in published_values.COLUMNS]
    headings = [score_heading(column, group) for column in group.score_columns]
    gain_heading = f"Gain in {headings[0]}"
    by_method = rows_by_method(group)
    tests = significance.pairwise_tests_by_score(
        group, [row for rows in by_method.values() for row in rows]
    )
    rows = list(_table_rows(group, printed, by_method, tests))
    title = f"Distillation methods on {DATASET_NAMES.get(group.dataset, group.dataset)}"
    return Table(
        name=f"comparison-{group.dataset}{f'-{group.digest}' if several else ''}",
        title=qualify_title(title, group),
        columns=(
            "Method",
            "Teacher",
            "Student",
            *headings,
            gain_heading,
            *significance.group_headings(group),
            "Seeds",
            *published_headings,
            "Reference",
        ),
        rows=tuple(rows),
        footnotes=(
            *footnotes.table_footnotes([group], printed, rows),
            footnotes.GAIN.format(heading=gain_heading),
            *significance.interval_notes(gain_heading, tests),
            *significance.significance_notes(tests),
        ),
    )


def _table_rows(
    group: ComparisonGroup,
    printed: published_values.PublishedTables,
    by_method: dict[str, list[TableRow]],
    tests: Sequence[PairwiseTests],
) -> Iterator[tuple[Cell, ...]]:
    """Yield teachers, the undistilled student, methods that ran and rows that are only published.

    An undistilled student that did not run has a row if a paper has one.
    """
    no_letters = (BLANK,) * len(significance.map_tests(tests))
    for row, network in teacher_rows(group):
        scores = (*score_cells(row, group), BLANK, *no_letters, seeds_cell(row, 1))
        outside = published_values.all_published_cells(row, group, printed)
        yield (label_cell(row), BLANK, Cell(network), *scores, *outside, BLANK)
    expected, baseline = expected_seeds(group), baseline_row(group)
    student = Cell(group.network)
    for method, rows in by_method.items():
        printed_rows = [(paper, table.row(method)) for paper, table in printed]
        for row in rows:
            outside = published_values.all_published_cells(row, group, printed)
            letters = (*significance.letter_cells(row, tests), seeds_cell(row, expected))
            if method == BASELINE[0]:
                scores = (*score_cells(row, group), BLANK)
                if len(row.runs) or any(cell.text for cell in outside):
                    yield (label_cell(row), BLANK, student, *scores, *letters, *outside, BLANK)
                continue
            scores = significance.mark_top_groups(score_cells(row, group), row, tests)
            gain = significance.gain_with_interval(row, baseline, tests)
            names = (label_cell(row), Cell(group.teacher), student)
            reference = Cell(_reference(row, printed_rows))
            yield (*names, *scores, gain, *letters, *outside, reference)
    yield from _published_only_rows(group, printed, {"teacher", *by_method})


def _published_only_rows(
    group: ComparisonGroup, printed: published_values.PublishedTables, methods: set[str]
) -> Iterator[tuple[Cell, ...]]:
    """Yield the papers' rows of methods that are not among `methods`."""
    width = len(published_values.COLUMNS)
    without_run = (Cell(NO_RUN),) * (len(group.score_columns) + len(group.evaluations) + 2)
    for number, (paper, table) in enumerate(printed):
        for published_row in table.rows:
            if published_row.method in methods:
                continue
            row = TableRow(published_row.method, published_row.label, group.students.iloc[:0])
            outside = [BLANK] * width * len(printed)
            outside[width * number : width * (number + 1)] = published_values.published_cells(
                row, group, paper, published_row
            )
            teacher = table.teacher if published_row.teacher is None else published_row.teacher
            student = table.student if published_row.student is None else published_row.student
            names = (Cell(row.label), Cell(teacher), Cell(student))
            reference = Cell(_printed_reference(published_row, paper))
            yield (*names, *without_run, *outside, reference)


def _reference(row: TableRow, printed: list[tuple[PublishedPaper, PublishedRow | None]]) -> str:
    """Return the reference in the row's records, otherwise the one that a paper prints."""
    recorded = [reference for reference in row.done["reference"] if reference]
    published = [_printed_reference(one, paper) for paper, one in printed if one]
    return next(iter([*recorded, *published]), "")


def _printed_reference(row: PublishedRow, paper: PublishedPaper) -> str:
    is_own = row.reference == "Ours"
    return f"{paper.paper.year} {paper.paper.venue}" if is_own else row.reference

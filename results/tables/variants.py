"""Tables of methods that ran in several configurations: sweeps, options, versions of their code.

Their rows stand here only. They enter no test of other tables and do not change the noise that is
estimated there, so a sweep moves no verdict.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from results.comparable import ComparisonGroup, comparison_groups
from results.configurations import (
    DEFAULT_CHOICE,
    TableChoice,
    compared_rows,
    reference_row,
    variant_rows,
)
from results.lines import TableRow, expected_seeds
from results.statistics.pairwise import PairwiseTests, compare_with
from results.tables import footnotes, significance
from results.tables.cells import BLANK, Cell, label_cell, mean_gain_cell, seeds_cell
from results.tables.comparison import find_row
from results.tables.table import DATASET_NAMES, Table, qualify_title, score_cells, score_heading

COMPARED_NOTE = (
    "The first row of each method is the one that is compared with other methods. Intervals are "
    "not corrected for the number of variants: the best of many tends to look better than it is."
)


def variant_tables(
    frame: pd.DataFrame, dataset: str, choice: TableChoice = DEFAULT_CHOICE
) -> list[Table]:
    """Return one table for each comparison group with a method in several configurations.

    Args:
        frame: All rows of `collect_runs`.
        dataset: Name of the dataset.
        choice: What is compared.
    """
    groups = comparison_groups(frame, dataset)
    tables = (_variant_table(group, choice, several=len(groups) > 1) for group in groups)
    return [table for table in tables if table is not None]


def _variant_table(group: ComparisonGroup, choice: TableChoice, *, several: bool) -> Table | None:
    variants = variant_rows(group, choice)
    if not variants:
        return None
    compared = compared_rows(group, choice)
    tests = significance.group_tests(group, compared, choice)
    reference = find_row(compared, reference_row(compared, choice))
    headings = [score_heading(column, group) for column in group.score_columns]
    rows = tuple(_rows(group, variants, reference, tests))
    title = f"Variants on {DATASET_NAMES.get(group.dataset, group.dataset)}"
    name = reference.label if reference else "the undistilled student"
    return Table(
        name=f"variants-{group.dataset}{f'-{group.digest}' if several else ''}",
        title=qualify_title(title, group),
        columns=("Method", *headings, f"Gain in {headings[0]}", "From the first row", "Seeds"),
        rows=rows,
        caption=(COMPARED_NOTE, *footnotes.caption_sentences([group], rows)),
        footnotes=(
            *footnotes.table_footnotes([group], []),
            footnotes.GAIN.format(reference=name),
        ),
    )


def _rows(
    group: ComparisonGroup,
    variants: Sequence[tuple[TableRow, list[TableRow]]],
    reference: TableRow | None,
    tests: Sequence[PairwiseTests],
) -> Iterator[tuple[Cell, ...]]:
    expected = expected_seeds(group)
    for chosen, others in variants:
        for row in (chosen, *others):
            is_reference = reference is not None and row.row_id == reference.row_id
            gain = BLANK if is_reference else significance.gain_cell(row, reference, tests)
            change = BLANK if row is chosen else _change_cell(row, chosen, tests)
            scores = score_cells(row, group)
            yield (label_cell(row), *scores, gain, change, seeds_cell(row, expected))


def _change_cell(row: TableRow, chosen: TableRow, tests: Sequence[PairwiseTests]) -> Cell:
    """Return the difference in mAP from the method's compared row."""
    cell = mean_gain_cell(row, chosen)
    if cell.value is None or not tests:
        return cell
    return significance.interval_cell(cell, compare_with(tests[0], row, chosen.row_id))

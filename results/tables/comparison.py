"""The tables of all methods on one dataset: PDRD's Tables 2 to 5."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from results.comparable import ComparisonGroup, comparison_groups
from results.lines import TableRow, baseline_row, expected_seeds, teacher_rows
from results.published import Published, PublishedPaper, PublishedRow
from results.statistics.pairwise import PairwiseTests
from results.tables import footnotes
from results.tables import published_values as against
from results.tables import significance as verdicts
from results.tables.cells import NO_RUN, Cell, label_cell, plain, seeds_cell
from results.tables.table import (
    BLANK,
    DATASET_NAMES,
    Table,
    qualify_title,
    rows_by_method,
    score_cells,
    score_heading,
)


def comparison_tables(frame: pd.DataFrame, dataset: str, published: Published) -> list[Table]:
    """All methods on one dataset (PDRD, Tables 2 to 5), one table per setting, largest first.

    `frame` is that of `gather`. Methods that did not run have rows too, and say so.
    """
    found = comparison_groups(frame, dataset)
    return [_comparison(setting, published, several=len(found) > 1) for setting in found]


def _comparison(setting: ComparisonGroup, published: Published, *, several: bool) -> Table:
    printed = against.tables_of_same_networks(setting, published, "comparison")
    names = [""] if len(printed) == 1 else [f" ({source.name})" for source, _ in printed]
    outside = [f"{column}{name}" for name in names for column in against.COLUMNS]
    shown = [score_heading(column, setting) for column in setting.scored]
    gain_heading = f"Gain in {shown[0]}"
    groups = verdicts.group_headings(setting)
    columns = ("Method", "Teacher", "Student", *shown, gain_heading, *groups, "Seeds")
    compared = rows_by_method(setting)
    tested = verdicts.pairwise_tests_by_score(
        setting, [line for found in compared.values() for line in found]
    )
    rows = list(_rows(setting, printed, compared, tested))
    title = f"Distillation methods on {DATASET_NAMES.get(setting.dataset, setting.dataset)}"
    return Table(
        name=f"comparison-{setting.dataset}{f'-{setting.digest}' if several else ''}",
        title=qualify_title(title, setting),
        columns=(*columns, *outside, "Reference"),
        rows=tuple(rows),
        footnotes=(
            *footnotes.table_footnotes([setting], printed, rows),
            footnotes.GAIN.format(gain=gain_heading),
            *(verdicts.interval_note(gain_heading, tested)),
            *verdicts.significance_notes(tested),
        ),
    )


def _rows(
    setting: ComparisonGroup,
    printed: against.PrintedTables,
    compared: dict[str, list[TableRow]],
    tested: Sequence[PairwiseTests],
) -> Iterator[tuple[Cell, ...]]:
    """Teachers, the plain student, compared methods, others that ran, others that are printed."""
    apart = (BLANK,) * len(verdicts.map_tests(tested))
    for line, network in teacher_rows(setting):
        numbers = (*score_cells(line, setting), BLANK, *apart, seeds_cell(line, 1))
        outside = against.all_published_cells(line, setting, printed)
        yield (label_cell(line), BLANK, plain(network), *numbers, *outside, BLANK)
    expected, undistilled_line = expected_seeds(setting), baseline_row(setting)
    student = plain(setting.network)
    for method, of_method in compared.items():
        rows = [(source, table.row(method)) for source, table in printed]
        for line in of_method:
            outside = against.all_published_cells(line, setting, printed)
            letters = (*verdicts.letter_cells(line, tested), seeds_cell(line, expected))
            if method == "none":
                names = (label_cell(line), BLANK, student, *score_cells(line, setting), BLANK)
                yield (*names, *letters, *outside, BLANK)
                continue
            names = (label_cell(line), plain(setting.teacher), student)
            marked = verdicts.mark_top_groups(score_cells(line, setting), line, tested)
            gained = verdicts.gain_with_interval(line, undistilled_line, tested)
            numbers = (*marked, gained, *letters)
            yield (*names, *numbers, *outside, plain(_reference(line, rows)))
    yield from _only_printed(setting, printed, {"teacher", *compared})


def _only_printed(
    setting: ComparisonGroup, printed: against.PrintedTables, known: set[str]
) -> Iterator[tuple[Cell, ...]]:
    """Rows of the papers that are no entry of this comparison."""
    width = len(against.COLUMNS)
    for place, (source, table) in enumerate(printed):
        for row in table.rows:
            if row.method not in known:
                outside = [BLANK] * width * len(printed)
                nobody = TableRow(row.method, row.label, setting.students.iloc[:0])
                beside = against.published_cells(nobody, setting, source, row)
                outside[width * place : width * (place + 1)] = beside
                networks = (
                    _either(row.teacher, table.teacher),
                    _either(row.student, table.student),
                )
                names = map(plain, (row.label, *networks))
                absent = len(setting.scored) + len(setting.tests) + 2
                cells = (*names, *absent * (plain(NO_RUN),))
                yield (*cells, *outside, plain(_printed_reference(row, source)))


def _reference(line: TableRow, rows: list[tuple[PublishedPaper, PublishedRow | None]]) -> str:
    """The reference from the line's records, else as a paper prints it."""
    recorded = [reference for reference in line.done["reference"] if reference]
    printed = [_printed_reference(row, source) for source, row in rows if row]
    return next(iter([*recorded, *printed]), "")


def _printed_reference(row: PublishedRow, source: PublishedPaper) -> str:
    own = row.reference == "Ours"
    return f"{source.paper.year} {source.paper.venue}" if own else row.reference


def _either(own: str | None, common: str) -> str:
    return common if own is None else own

"""Tables of the parts of PDRD's loss: PDRD's Table 1."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from results.comparable import ComparisonGroup, comparison_groups
from results.configurations import DEFAULT_CHOICE, TableChoice, compared_rows
from results.lines import BASELINE, NO_RUN, RowId, TableRow, expected_seeds, teacher_rows
from results.published import Published, PublishedPaper, PublishedTable
from results.statistics.pairwise import PairwiseTests
from results.tables import footnotes, published_values, significance
from results.tables.cells import BLANK, Cell, seeds_cell
from results.tables.table import DATASET_NAMES, Table, qualify_title, score_cells, score_heading

SHORT_NAMES = {"dukemtmc": "Duke", "veri776": "VeRi"}  # datasets of the ablation
TITLE = "Ablation of PDRD's loss"
Block = dict[RowId, tuple[Cell, ...]]  # the cells of one dataset


def ablation_tables(
    frame: pd.DataFrame, published: Published, choice: TableChoice = DEFAULT_CHOICE
) -> list[Table]:
    """Return the ablation of PDRD's loss on the datasets where one of its parts has run.

    The datasets share one table if each has one comparison group and their networks agree;
    otherwise every group has a table. A row has runs or a published number.

    Args:
        frame: All rows of `collect_runs`.
        published: The papers' numbers; methods and labels of the rows are those of PDRD's Table 1.
        choice: What is compared.
    """
    labels = _method_labels(published)
    by_dataset = {
        dataset: [g for g in comparison_groups(frame, dataset) if _has_part(g, labels)]
        for dataset in SHORT_NAMES
    }
    groups = [group for of_dataset in by_dataset.values() for group in of_dataset]
    networks = {(group.teacher, group.network) for group in groups}
    if not groups:
        return []
    if len(networks) == 1 and all(len(of_dataset) <= 1 for of_dataset in by_dataset.values()):
        return [_ablation_table("ablation", groups, published, labels, choice)]
    return [
        _ablation_table(
            f"ablation-{group.dataset}-{group.digest}", [group], published, labels, choice
        )
        for group in groups
    ]


def _method_labels(published: Published) -> dict[str, str]:
    """Return the labels of the baseline and of the parts, in the order of the published table."""
    tables = (
        table for paper in published.papers for table in paper.tables if table.kind == "ablation"
    )
    rows = (row for table in tables for row in table.rows if row.method != "teacher")
    return dict([BASELINE]) | {row.method: row.label for row in rows}


def _has_part(group: ComparisonGroup, labels: dict[str, str]) -> bool:
    """Return whether a part of the loss has a finished run in the group."""
    runs = group.students
    is_part = runs["method"].isin(labels.keys() - {BASELINE[0]})
    return bool((is_part & (runs["status"] == "done")).any())


def _ablation_table(
    name: str,
    groups: Sequence[ComparisonGroup],
    published: Published,
    labels: dict[str, str],
    choice: TableChoice,
) -> Table:
    headings: list[str] = []
    blocks: list[Block] = []
    printed: published_values.PublishedTables = []
    caption: list[str] = []
    notes: list[str] = []
    for group in groups:
        tables = published_values.tables_of_same_networks(group, published, "ablation")[:1]
        printed += [pair for pair in tables if pair not in printed]
        compared = compared_rows(group, choice)
        rows = {row.method: row for row in compared if row.method in labels}
        shown = [row.row_id for row in rows.values()]
        # The tests are those of the comparison, so equal rows have equal verdicts in both.
        tests = [one.select(shown) for one in significance.group_tests(group, compared, choice)]
        prefix = f"{SHORT_NAMES[group.dataset]}. " if len(groups) > 1 else ""
        caption += significance.caption_sentences(tests, BASELINE[1], with_gains=False)
        notes += [f"{prefix}{note}" for note in significance.significance_notes(tests, BASELINE[1])]
        block = _block(group, rows, labels, tests, tables[0] if tables else None)
        blocks.append(dict(block))
        headings += _headings(group, tests, with_published=bool(tables))
    joined = list(_join_blocks(blocks, groups[0], ["teacher", *labels]))
    return Table(
        name=name,
        title=_title(groups),
        columns=("Method", "Teacher", "Student", *headings),
        rows=tuple(joined),
        caption=tuple(dict.fromkeys([*footnotes.caption_sentences(groups, joined), *caption])),
        footnotes=(*footnotes.table_footnotes(groups, printed), *notes),
    )


def _title(groups: Sequence[ComparisonGroup]) -> str:
    if len(groups) == 1:
        return qualify_title(f"{TITLE} on {DATASET_NAMES[groups[0].dataset]}", groups[0])
    flagged = [f"{SHORT_NAMES[g.dataset]}: {g.data_note} data" for g in groups if g.data_note]
    return f"{TITLE} ({'; '.join(flagged)})" if flagged else TITLE


def _headings(
    group: ComparisonGroup, tests: Sequence[PairwiseTests], *, with_published: bool
) -> list[str]:
    """Return the headings of one dataset's columns."""
    own = [
        *(score_heading(column, group) for column in group.score_columns),
        *(name[0].lower() + name[1:] for name in significance.group_headings(tests)),
        "seeds",
    ]
    outside = [name[0].lower() + name[1:] for name in published_values.COLUMNS if with_published]
    return [f"{SHORT_NAMES[group.dataset]} {name}" for name in (*own, *outside)]


def _block(
    group: ComparisonGroup,
    rows: Mapping[str, TableRow],
    labels: Mapping[str, str],
    tests: Sequence[PairwiseTests],
    printed: tuple[PublishedPaper, PublishedTable] | None,
) -> Iterator[tuple[RowId, tuple[Cell, ...]]]:
    """Yield the cells of one dataset by row, under the labels of the paper's table."""

    def outside(row: TableRow) -> tuple[Cell, ...]:
        if printed is None:
            return ()
        paper, table = printed
        return published_values.published_cells(row, group, paper, table.row(row.method))

    no_letters = (BLANK,) * len(significance.lettered_tests(tests))
    for row, _ in teacher_rows(group):
        own = (*score_cells(row, group), *no_letters, seeds_cell(row, 1))
        yield row.row_id, (*own, *outside(row))
    expected = expected_seeds(group)
    for method, label in labels.items():
        row = rows.get(method) or TableRow(method, label, group.students.iloc[:0])
        published = outside(row)
        if row.runs.empty and not any(cell.text for cell in published):
            continue
        scores = significance.mark_scores(score_cells(row, group), row.row_id, tests)
        letters = significance.letter_cells(row.row_id, tests) if method in rows else no_letters
        yield (method, label), (*scores, *letters, seeds_cell(row, expected), *published)


def _join_blocks(
    blocks: Sequence[Block], group: ComparisonGroup, methods: Sequence[str]
) -> Iterator[tuple[Cell, ...]]:
    """Yield the table's rows in the order of `methods`; `group` is any one of the table's."""
    networks = {"teacher": ("", group.teacher), BASELINE[0]: ("", group.network)}
    row_ids = dict.fromkeys(row_id for block in blocks for row_id in block)
    for row_id in sorted(row_ids, key=lambda row_id: methods.index(row_id[0])):
        cells = [
            cell
            for block in blocks
            for cell in block.get(row_id, _absent_cells(block, len(group.score_columns)))
        ]
        runs = tuple(dict.fromkeys(run for cell in cells for run in cell.runs))
        teacher, student = networks.get(row_id[0], (group.teacher, group.network))
        yield (Cell(row_id[1], runs), Cell(teacher), Cell(student), *cells)


def _absent_cells(block: Block, scores: int) -> tuple[Cell, ...]:
    """Return the cells of a row that only another dataset has."""
    width = len(next(iter(block.values())))
    return (*scores * (Cell(NO_RUN),), *(width - scores) * (BLANK,))

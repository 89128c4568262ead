"""The table of what the parts of PDRD's loss add: PDRD's Table 1."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from results.comparable import ComparisonGroup, comparison_groups
from results.lines import BASELINE, TableRow, expected_seeds, table_rows, teacher_rows
from results.published import Published, PublishedPaper, PublishedTable
from results.statistics.pairwise import PairwiseTests
from results.tables import footnotes
from results.tables import published_values as against
from results.tables import significance as verdicts
from results.tables.cells import NO_RUN, Cell, plain, seeds_cell
from results.tables.table import (
    BLANK,
    DATASET_NAMES,
    Table,
    qualify_title,
    score_cells,
    score_heading,
)

SHORT = {"dukemtmc": "Duke", "veri776": "VeRi"}  # the datasets of the ablation
ABLATED = {
    "pairwise": "Student + L_pairwise",
    "pdrk": "Student + L_pdrk",
    "pdrd": "Student + L_npdrk",
}


def ablation_tables(frame: pd.DataFrame, published: Published) -> list[Table]:
    """What the parts of PDRD's loss add (PDRD, Table 1), where one of them has run.

    The datasets stand side by side if each has one setting and their networks agree; otherwise
    every setting has a table of its own.
    """
    found = {name: [s for s in comparison_groups(frame, name) if _is_ablation(s)] for name in SHORT}
    sections = [setting for group in found.values() for setting in group]
    networks = {(setting.teacher, setting.network) for setting in sections}
    if not sections:
        return []
    if len(networks) == 1 and all(len(group) <= 1 for group in found.values()):
        return [_ablation("ablation", sections, published)]
    return [
        _ablation(f"ablation-{setting.dataset}-{setting.digest}", [setting], published)
        for setting in sections
    ]


def _is_ablation(setting: ComparisonGroup) -> bool:
    runs = setting.students
    return bool((runs["method"].isin(list(ABLATED)) & (runs["status"] == "done")).any())


def _ablation(name: str, sections: Sequence[ComparisonGroup], published: Published) -> Table:
    headings: list[str] = []
    blocks: list[dict[tuple[str, str], tuple[Cell, ...]]] = []
    printed: against.PrintedTables = []
    said: list[str] = []
    for setting in sections:
        tables = against.tables_of_same_networks(setting, published, "ablation")[:1]
        printed += [pair for pair in tables if pair not in printed]
        members = _members(setting)
        tested = verdicts.pairwise_tests_by_score(setting, [line for _, line in members])
        said += [
            f"{SHORT[setting.dataset]}. {note}" if len(sections) > 1 else note
            for note in verdicts.significance_notes(tested)
        ]
        blocks.append(dict(_section(setting, members, tested, tables[0] if tables else None)))
        outside = [f"{column[0].lower()}{column[1:]}" for column in against.COLUMNS if tables]
        shown = (score_heading(column, setting) for column in setting.scored)
        groups = (name[0].lower() + name[1:] for name in verdicts.group_headings(setting))
        own = (*shown, *groups, "seeds")
        headings += [f"{SHORT[setting.dataset]} {part}" for part in (*own, *outside)]
    first = sections[0]
    networks = {"teacher": ("", first.teacher), "none": ("", first.network)}
    rows = []
    for method in ("teacher", "none", *ABLATED):
        for place in dict.fromkeys(place for block in blocks for place in block):
            if place[0] == method:
                parts = [block.get(place, _absent(block)) for block in blocks]
                pair = networks.get(method, (first.teacher, first.network))
                cells = [cell for part in parts for cell in part]
                runs = tuple(dict.fromkeys(run for cell in cells for run in cell.runs))
                rows.append((Cell(place[1], runs), *map(plain, pair), *cells))
    title = "What the parts of PDRD's loss add"
    marked = [f"{SHORT[s.dataset]}: {s.data_flags} data" for s in sections if s.data_flags]
    if len(sections) > 1 and marked:
        title = f"{title} ({'; '.join(marked)})"
    if len(sections) == 1:
        title = qualify_title(f"{title} on {DATASET_NAMES[first.dataset]}", first)
    return Table(
        name=name,
        title=title,
        columns=("Method", "Teacher", "Student", *headings),
        rows=tuple(rows),
        footnotes=(*footnotes.table_footnotes(sections, printed, rows), *said),
    )


def _members(setting: ComparisonGroup) -> list[tuple[str, TableRow]]:
    """The plain student and the methods of the ablation, line by line."""
    labels = {**dict([BASELINE]), **ABLATED}
    return [
        (method, line)
        for method, label in labels.items()
        for line in table_rows(setting, method, label)
    ]


def _section(
    setting: ComparisonGroup,
    members: Sequence[tuple[str, TableRow]],
    tested: Sequence[PairwiseTests],
    printed: tuple[PublishedPaper, PublishedTable] | None,
) -> Iterator[tuple[tuple[str, str], tuple[Cell, ...]]]:
    """The cells of one dataset by (method, row label)."""

    def outside(line: TableRow) -> tuple[Cell, ...]:
        if printed is None:
            return ()
        source, table = printed
        return against.published_cells(line, setting, source, table.row(line.method))

    apart = (BLANK,) * len(verdicts.map_tests(tested))
    for line, _ in teacher_rows(setting):
        numbers = (*score_cells(line, setting), *apart, seeds_cell(line, 1))
        yield ("teacher", line.label), (*numbers, *outside(line))
    expected = expected_seeds(setting)
    for method, line in members:
        marked = verdicts.mark_top_groups(score_cells(line, setting), line, tested)
        letters = verdicts.letter_cells(line, tested)
        yield (method, line.label), (*marked, *letters, seeds_cell(line, expected), *outside(line))


def _absent(block: dict[tuple[str, str], tuple[Cell, ...]]) -> tuple[Cell, ...]:
    """The cells of a row that only another dataset has."""
    width = len(next(iter(block.values())))
    return (*4 * (plain(NO_RUN),), *(width - 4) * (BLANK,))

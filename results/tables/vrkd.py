"""VRKD's Tables 1 to 3: networks and training tricks, backbones, and the gain of distillation.

Every row of the paper is followed by ours, and by the difference where there is one. Rows differ in
more than the method, so none is marked or tested; comparisons of methods have tables of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from results.comparable import SCORES, comparison_groups
from results.lines import BASELINE, NO_RUN, TableRow, baseline_row, expected_seeds
from results.published import NetworkTable, Published, PublishedNetworkRow, PublishedPaper
from results.tables.cells import BLANK, Cell, seeds_cell
from results.tables.origin_notes import origin_notes
from results.tables.published_values import difference_cell
from results.tables.table import Table
from results.tables.vrkd_footnotes import vrkd_caption, vrkd_footnotes
from results.tables.vrkd_runs import (
    DATASETS,
    TESTS,
    MatchedRow,
    PaperRowMatch,
    dataset_of,
    differences_of_test,
    match_rows,
    runs_with_test,
    score_cell_of_test,
    size_cells,
)


def network_tables(frame: pd.DataFrame, published: Published) -> list[Table]:
    """Return the papers' tables of networks for which at least one run is done.

    Args:
        frame: All rows of `collect_runs`.
        published: The papers' numbers.
    """
    groups = {dataset: comparison_groups(frame, dataset) for dataset in DATASETS}
    tables = []
    for paper, table in published.network_tables():
        matched = list(match_rows(paper, table, groups))
        matches = [match for row in matched for match in row.matches.values()]
        if any(len(row.done) for match in matches for row in match.rows):
            tables.append(_network_table(paper, table, matched))
    return tables


def _network_table(
    paper: PublishedPaper, table: NetworkTable, matched: Sequence[MatchedRow]
) -> Table:
    columns = _columns(table)
    rows: list[tuple[Cell, ...]] = []
    previous: MatchedRow | None = None
    for one in matched:
        rows += _rows(table, one)
        if table.kind == "role" and previous is not None and one.published.method != BASELINE[0]:
            rows += _gain_rows(previous, one, len(columns))
        previous = one
    return Table(
        name=f"{paper.name}-{table.kind}",
        title=f"{table.title} ({paper.reference}, Table {table.number}), and ours",
        columns=columns,
        rows=tuple(rows),
        caption=(*_origin_notes(matched, rows), *vrkd_caption(table, matched, rows)),
        footnotes=vrkd_footnotes(paper, table, matched),
    )


def _origin_notes(matched: Sequence[MatchedRow], rows: Sequence[Sequence[Cell]]) -> Iterator[str]:
    """Yield a note for each dataset on which our rows were not made by the same."""
    for dataset in DATASETS:
        matches = [one.matches[dataset] for one in matched if dataset in one.matches]
        if matches:
            runs = pd.concat([match.group.done for match in matches]).drop_duplicates("key")
            yield from origin_notes(runs, rows, f"on {dataset}")


def _columns(table: NetworkTable) -> tuple[str, ...]:
    scores = (f"{heading} {score}" for heading in TESTS.values() for score in SCORES)
    if table.kind == "models":
        names = ["Method", "Network", "Params (M)", "Ops (G)", "Input", "LS=1", "LSR", "TRI"]
    else:
        names = ["Student", "Network", "Input", "LS=1", "LSR"]
    return (*names, "Seeds", *scores)


def _rows(table: NetworkTable, matched: MatchedRow) -> Iterator[tuple[Cell, ...]]:
    """Yield the paper's row, and for each set of options our row and the differences."""
    row = matched.published
    printed = [_number_cell(row.score(test, i)) for test in TESTS for i in range(len(SCORES))]
    sizes = (_number_cell(row.parameters), _number_cell(row.operations))
    yield (*_head(table, row, matched.label, row.model, sizes), BLANK, *printed)
    for options, rows in matched.rows_by_options().items():
        done = pd.concat([one.done for one in rows.values()])
        label = f"{matched.label}, ours{options}"
        head = _head(table, row, label, row.network or "", size_cells(done))
        yield (*head, _seeds_cell(matched, rows), *_score_cells(rows))
        differences = list(_difference_cells(matched, rows))
        if any(cell.text not in ("", NO_RUN) for cell in differences):
            blank = (BLANK,) * (len(head) - 1)
            yield (Cell(f"{matched.label}, difference{options}"), *blank, BLANK, *differences)


def _head(
    table: NetworkTable,
    row: PublishedNetworkRow,
    label: str,
    network: str,
    sizes: tuple[Cell, ...],
) -> tuple[Cell, ...]:
    """Return the cells before "Seeds"."""
    last_stride = Cell({1: "yes", 2: "no", None: NO_RUN}[row.last_stride])
    smoothing, triplet = (
        Cell("yes" if trick else "no") for trick in (row.label_smoothing, row.triplet)
    )
    size = Cell(f"{row.size}x{row.size}")
    if table.kind == "models":
        return (Cell(label), Cell(network), *sizes, size, last_stride, smoothing, triplet)
    return (Cell(label), Cell(network), size, last_stride, smoothing)


def _score_cells(rows: dict[str, TableRow]) -> Iterator[Cell]:
    """Yield our scores of every test."""
    for test in TESTS:
        row = rows.get(dataset_of(test))
        for score in SCORES:
            yield Cell(NO_RUN) if row is None else score_cell_of_test(row, test, score)


def _difference_cells(matched: MatchedRow, rows: dict[str, TableRow]) -> Iterator[Cell]:
    """Yield our scores minus the paper's."""
    for test in TESTS:
        dataset = dataset_of(test)
        row = rows.get(dataset)
        for number, score in enumerate(SCORES):
            published = matched.published.score(test, number)
            if row is None or published is None:
                yield Cell(NO_RUN)
                continue
            match = matched.matches[dataset]
            with_test, prefix = runs_with_test(row, test)
            differences = differences_of_test(match.differences, test)
            note = match.group.data_note
            yield difference_cell(with_test, f"{prefix}{score}", published, differences, note)


def _seeds_cell(matched: MatchedRow, rows: dict[str, TableRow]) -> Cell:
    """Return the seeds on each dataset, as "3 / 2 of 3"."""
    texts: list[str] = []
    keys: list[str] = []
    for dataset in DATASETS:
        if dataset not in rows:
            texts.append(NO_RUN)
            continue
        group, row = matched.matches[dataset].group, rows[dataset]
        flags = f" ({group.data_note} data)" if group.data_note else ""
        texts.append(f"{seeds_cell(row, expected_seeds(group)).text}{flags}")
        keys += row.keys
    return Cell(" / ".join(texts), tuple(keys))


def _gain_rows(
    undistilled: MatchedRow, distilled: MatchedRow, width: int
) -> Iterator[tuple[Cell, ...]]:
    """Yield the gain of VRKD on one network: the paper's, and ours if there is one."""
    scores = [(test, number) for test in TESTS for number in range(len(SCORES))]
    blank = (BLANK,) * (width - 1 - len(scores))
    label = f"{undistilled.published.model}, gain"
    pairs = [(distilled.published.score(*s), undistilled.published.score(*s)) for s in scores]
    yield (
        Cell(label),
        *blank,
        *(_number_cell(None if a is None or b is None else a - b, "+.2f") for a, b in pairs),
    )
    gains = [_gain_cell(distilled.matches.get(dataset_of(t)), t, SCORES[n]) for t, n in scores]
    if any(cell.runs for cell in gains):
        yield (Cell(f"{label} of ours"), *blank, *gains)


def _gain_cell(match: PaperRowMatch | None, test: str, score: str) -> Cell:
    """Return our gain in points: mean and standard deviation over the seeds of both rows."""
    baseline = baseline_row(match.group) if match else None
    if match is None or baseline is None:
        return Cell(NO_RUN)
    values, keys = [], []
    for row in (match.rows[0], baseline):
        with_test, prefix = runs_with_test(row, test)
        done = with_test.done.set_index("seed")
        values.append(100 * done[f"{prefix}{score}"].astype(float))
        keys.append(done["key"])
    gains = (values[0] - values[1]).dropna()
    if gains.empty:
        return Cell(NO_RUN)
    mean = float(gains.mean())
    text = f"{mean:+.2f}" + (f" ± {gains.std(ddof=1):.2f}" if len(gains) > 1 else "")
    used = tuple(str(key) for part in keys for key in part[part.index.isin(gains.index)])
    return Cell(text, used, value=mean)


def _number_cell(value: float | None, form: str = ".2f") -> Cell:
    return Cell(NO_RUN) if value is None else Cell(format(value, form), value=value)

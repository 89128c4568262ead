"""VRKD's Tables 1 to 3: networks and training tricks, backbones, and what distillation adds.

Every row of the paper is followed by ours, and by the difference where there is one to show. Ours
are compared with each other, whatever their settings, as far as they answered the same queries.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from results.comparable import SCORES, ComparisonGroup, comparison_groups
from results.lines import TableRow, baseline_row, expected_seeds
from results.published import NetworkTable, Published, PublishedNetworkRow, PublishedPaper, Scored
from results.statistics.pairwise import PairwiseTests
from results.tables import footnotes
from results.tables import published_values as against
from results.tables import significance as verdicts
from results.tables.cells import NO_RUN, Cell, plain, seeds_cell
from results.tables.table import BLANK, Table
from results.tables.vrkd_runs import (
    PaperRowMatch,
    dataset_of,
    differences_of_test,
    match_paper_row,
    pairwise_tests_of_rows,
    runs_with_test,
    score_cell_of_test,
    size_cells,
    training_command,
)

TESTS: dict[Scored, str] = {
    "veri776": "VeRi",
    "vehicleid test800": "Test800",
    "vehicleid test1600": "Test1600",
    "vehicleid test2400": "Test2400",
}
DATASETS = ("veri776", "vehicleid")
SIZES = (
    "VRKD 1 to 9: the paper's own rows from the top. Params: with the classifier of the dataset's "
    "identities. Ops: multiply-accumulates of one image with batch normalisation, ReLU and "
    "pooling, as VRKD counts them."
)
TRICKS = "LS=1: last stride 1. LSR: label smoothing. TRI: triplet loss."
SEEDS = "Seeds: on VeRi-776 / on VehicleID."
GAIN = "Gain: points above the undistilled student of the same seed and setting."
TestsByTest = dict[Scored, list[PairwiseTests]]  # by test, one for each score


@dataclass(frozen=True, slots=True)
class _Place:
    """One row of the paper with what ran for it, by dataset."""

    row: PublishedNetworkRow
    label: str
    found: dict[str, PaperRowMatch]


def network_tables(frame: pd.DataFrame, published: Published) -> list[Table]:
    """The papers' tables of networks for which at least one run is done; `frame` is `gather`'s."""
    found = {name: comparison_groups(frame, name) for name in DATASETS}
    tables = []
    for source, table in published.network_tables():
        places = list(_places(source, table, found))
        if any(len(line.done) for p in places for m in p.found.values() for line in m.lines):
            tables.append(_table(source, table, places))
    return tables


def _places(
    source: PublishedPaper, table: NetworkTable, found: dict[str, list[ComparisonGroup]]
) -> Iterator[_Place]:
    number = 0
    for row in table.rows:
        label = row.label
        if not row.cited:
            number += 1
            label = _label(table, row, number)
        matches = {
            name: match_paper_row(found[name], row, table, source.protocols.get(name))
            for name in DATASETS
            if not row.cited
        }
        yield _Place(row, label, {name: one for name, one in matches.items() if one})


def _label(table: NetworkTable, row: PublishedNetworkRow, number: int) -> str:
    """A name that no other row has: VRKD's rows of its Table 1 are numbered from the top."""
    if table.kind == "models":
        return f"{row.label} {number}"
    return row.model if row.method == "none" else f"{row.model} + {row.label}"


def _table(source: PublishedPaper, table: NetworkTable, places: Sequence[_Place]) -> Table:
    tricks = ("LS=1", "LSR", "TRI") if table.kind == "models" else ("LS=1", "LSR")
    before = ("Method", "Network", "Params (M)", "Ops (G)", "Input")
    names = before if table.kind == "models" else ("Student", "Network", "Input")
    columns = (*names, *tricks, "Seeds", *(f"{t} {s}" for t in TESTS.values() for s in SCORES))
    tested: TestsByTest = {}
    for test in TESTS:
        ours = (row for place in places for row in _ours(place, dataset_of(test)))
        tested[test] = pairwise_tests_of_rows(ours, test)
    rows: list[tuple[Cell, ...]] = []
    previous: _Place | None = None
    for place in places:
        rows += _rows(table, place, tested)
        if table.kind == "role" and previous is not None and place.row.method != "none":
            rows += _gains(previous, place, len(columns))
        previous = place
    return Table(
        name=f"{source.name}-{table.kind}",
        title=f"{table.title} ({source.reference}, Table {table.number}), and ours",
        columns=columns,
        rows=tuple(rows),
        footnotes=tuple(dict.fromkeys(_notes(source, table, places, rows, tested))),
    )


def _rows(table: NetworkTable, place: _Place, tested: TestsByTest) -> Iterator[tuple[Cell, ...]]:
    """The paper's row, ours, and the differences."""
    row = place.row
    printed = [_number(row.score(test, i)) for test in TESTS for i in range(len(SCORES))]
    counted = (_number(row.parameters), _number(row.operations))
    yield (*_head(table, row, place.label, row.model, counted), BLANK, *printed)
    if row.cited:
        return
    pairs = _side_by_side(place)
    for option, ran in pairs.items():
        done = pd.concat([line.done for line in ran.values()])
        label = f"{place.label}, ours{option}"
        head = _head(table, row, label, row.network or "", size_cells(done))
        yield (*head, _seeds(place, ran), *_scores(ran, label, tested))
        gaps = list(_differences(place, ran))
        if any(cell.text not in ("", NO_RUN) for cell in gaps):
            blank = (BLANK,) * (len(head) - 1)
            yield (plain(f"{place.label}, difference{option}"), *blank, BLANK, *gaps)
    if not pairs:
        head = _head(table, row, f"{place.label}, ours", row.network or "", (plain(NO_RUN),) * 2)
        yield (*head, plain(NO_RUN), *(plain(NO_RUN),) * len(printed))


def _ours(place: _Place, dataset: str) -> Iterator[tuple[str, TableRow, ComparisonGroup]]:
    """What ran for a row on one dataset, as the table calls it."""
    for option, ran in _side_by_side(place).items():
        if dataset in ran:
            yield f"{place.label}, ours{option}", ran[dataset], place.found[dataset].setting


def _side_by_side(place: _Place) -> dict[str, dict[str, TableRow]]:
    """The lines by their options, " (temperature=4)", then by dataset."""
    found: dict[str, dict[str, TableRow]] = {}
    for dataset, one in place.found.items():
        for line in one.lines:
            added = line.label.removeprefix(place.row.label) if len(line.runs) else ""
            found.setdefault(added, {})[dataset] = line
    return found


def _head(
    table: NetworkTable,
    row: PublishedNetworkRow,
    label: str,
    network: str,
    counted: tuple[Cell, ...],
) -> tuple[Cell, ...]:
    stride = {1: "yes", 2: "no", None: NO_RUN}[row.last_stride]
    told = (stride, *("yes" if trick else "no" for trick in (row.label_smoothing, row.triplet)))
    size = plain(f"{row.size}x{row.size}")
    if table.kind != "models":
        return (plain(label), plain(network), size, *map(plain, told[:2]))
    return (plain(label), plain(network), *counted, size, *map(plain, told))


def _scores(ran: dict[str, TableRow], label: str, tested: TestsByTest) -> Iterator[Cell]:
    for test in TESTS:
        line = ran.get(dataset_of(test))
        for column, family in zip(SCORES, tested[test], strict=True):
            if line is None:
                yield plain(NO_RUN)
                continue
            group = family.groups.get((line.method, label), "")
            yield replace(score_cell_of_test(line, test, column), group=group)


def _differences(place: _Place, ran: dict[str, TableRow]) -> Iterator[Cell]:
    for test in TESTS:
        dataset = dataset_of(test)
        line = ran.get(dataset)
        for number, column in enumerate(SCORES):
            published = place.row.score(test, number)
            if line is None or published is None:
                yield plain(NO_RUN)
                continue
            one = place.found[dataset]
            kept, prefix = runs_with_test(line, test)
            name, unequal = f"{prefix}{column}", differences_of_test(one.unequal, test)
            yield against.difference_cell(kept, name, published, unequal, one.setting.data_flags)


def _seeds(place: _Place, ran: dict[str, TableRow]) -> Cell:
    said: list[str] = []
    keys: list[str] = []
    for dataset in DATASETS:
        if dataset not in ran:
            said.append(NO_RUN)
            continue
        setting, line = place.found[dataset].setting, ran[dataset]
        marks = f" ({setting.data_flags} data)" if setting.data_flags else ""
        said.append(f"{seeds_cell(line, expected_seeds(setting)).text}{marks}")
        keys += line.keys
    return Cell(" / ".join(said), tuple(keys))


def _gains(student: _Place, taught: _Place, width: int) -> Iterator[tuple[Cell, ...]]:
    """What VRKD adds to one network, as the paper's two rows say and as ours do."""
    places = [(test, number) for test in TESTS for number in range(len(SCORES))]
    printed = [(taught.row.score(*place), student.row.score(*place)) for place in places]
    blank = (BLANK,) * (width - 1 - len(places))
    label = student.row.model
    yield (
        plain(f"{label}, gain"),
        *blank,
        *(_number(None if a is None or b is None else a - b, "+.2f") for a, b in printed),
    )
    cells = [_gain(taught.found.get(dataset_of(t)), t, SCORES[n]) for t, n in places]
    yield (plain(f"{label}, gain of ours"), *blank, *cells)


def _gain(taught: PaperRowMatch | None, test: str, column: str) -> Cell:
    """Mean over the seeds that both have, with its deviation."""
    student = baseline_row(taught.setting) if taught else None
    if taught is None or student is None:
        return plain(NO_RUN)
    values, keys = [], []
    for line in (taught.lines[0], student):
        kept, prefix = runs_with_test(line, test)
        done = kept.done.set_index("seed")
        values.append(100 * done[f"{prefix}{column}"].astype(float))
        keys.append(done["key"])
    gains = (values[0] - values[1]).dropna()
    if gains.empty:
        return plain(NO_RUN)
    mean = float(gains.mean())
    text = f"{mean:+.2f}" + (f" ± {gains.std(ddof=1):.2f}" if len(gains) > 1 else "")
    used = tuple(str(key) for part in keys for key in part[part.index.isin(gains.index)])
    return Cell(text, used, value=mean)


def _notes(
    source: PublishedPaper,
    table: NetworkTable,
    places: Sequence[_Place],
    rows: Sequence[Sequence[Cell]],
    tested: TestsByTest,
) -> Iterator[str]:
    if table.kind == "models":
        yield SIZES
    yield TRICKS
    yield SEEDS
    if table.kind == "role":
        yield GAIN
    if any("±" in cell.text for row in rows for cell in row):
        yield footnotes.SPREAD
    yield f"{NO_RUN}: the paper has no number, or there is no run to take it from."
    yield against.DIFFERENCE
    own = [place for place in places if not place.row.cited]
    for dataset in DATASETS:
        yield from _of_dataset(source, dataset, own)
    yield from table.notes
    for dataset in DATASETS:
        ours = [one for test in TESTS if dataset_of(test) == dataset for one in tested[test]]
        for note in verdicts.significance_notes_without_letters(ours):
            yield f"Ours on {dataset}. {note}"
    for one in (one for place in own for one in place.found.values()):
        yield from footnotes.draw_notes(one.setting)
        yield from footnotes.recorded_notes(one.setting)


def _of_dataset(source: PublishedPaper, dataset: str, own: Sequence[_Place]) -> Iterator[str]:
    """What sets our runs apart from the paper's, which rows have none, and what it leaves open."""
    unequal: dict[str, list[str]] = {}
    for place in own:
        one = place.found.get(dataset)
        if one and one.unequal:
            unequal.setdefault("; ".join(one.unequal), []).append(place.label)
        if one and one.others:
            left = f"{one.others} more of our settings fit the row and are left out"
            yield f"{place.label} on {dataset}: {left}."
    for said, labels in unequal.items():
        yield f"{', '.join(labels)} on {dataset}: {said}."
    absent = [place for place in own if dataset not in place.found]
    if absent:
        yield (
            f"Missing on {dataset}: {', '.join(place.label for place in absent)}. The first: "
            f"{training_command(absent[0].row, dataset)}"
        )
    left_open = against.unstated_fields(source, dataset)
    if left_open:
        yield f"{source.reference} do not state of {dataset}: {', '.join(left_open)}."


def _number(value: float | None, form: str = ".2f") -> Cell:
    return plain(NO_RUN) if value is None else Cell(format(value, form), value=value)

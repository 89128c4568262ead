"""Ours beside the papers' numbers: the difference, one further run, and how the protocols differ.

A difference is never shown without what it depends on: whether the published number lies where one
further run of ours is expected, and in how many fields the protocols differ. On data that is
partial or generated it is not shown at all.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from results.comparable import ComparisonGroup
from results.lines import TableRow
from results.published import Protocol, Published, PublishedPaper, PublishedRow, PublishedTable
from results.statistics.paired_test import prediction_interval
from results.tables.cells import NO_RUN, Cell, plain

PrintedTables = list[tuple[PublishedPaper, PublishedTable]]
SCORING = {"metric": "cosine", "reranking": False, "cameras": "others"}  # of every table here
COLUMNS = ("Published mAP", "Published R1", "Difference mAP", "Difference R1")
DIFFERENCE = (
    "Difference: ours minus the published number, in points. in or out: whether the published "
    "number lies in the 95 % prediction interval of one further run of ours, mean ± t sd "
    "sqrt(1 + 1/S) over S seeds; n=1: one seed, for which there is no such interval. ≠2: the "
    "protocols differ in 2 fields, of those that the paper states."
)
FIELD_LABELS = {
    "version": "version of the dataset",
    "train_images": "training images",
    "train_identities": "training identities",
    "metric": "metric",
    "reranking": "re-ranking",
    "cameras": "cameras of the matches",
    "checkpoint": "checkpoint that is scored",
}


def published_cells(
    line: TableRow, setting: ComparisonGroup, source: PublishedPaper, row: PublishedRow | None
) -> tuple[Cell, ...]:
    """A line's cells under `COLUMNS`; empty where the paper has no such row."""
    values = row.scores.get(setting.dataset) if row else None
    if values is None:
        return (plain(""),) * len(COLUMNS)
    unequal = protocol_differences(line.done, source.protocols.get(setting.dataset))
    return (
        *(Cell(f"{value:.2f}", value=value) for value in values),
        difference_cell(line, "mAP", values[0], unequal, setting.data_flags),
        difference_cell(line, "R1", values[1], unequal, setting.data_flags),
    )


def all_published_cells(
    line: TableRow, setting: ComparisonGroup, printed: PrintedTables
) -> tuple[Cell, ...]:
    """A line's cells under the `COLUMNS` of every printed table, from whichever table has its row.

    PDRD prints its teachers and plain students in Table 1 only.
    """
    rows = (
        (source, _row(source, table, setting.dataset, line.method)) for source, table in printed
    )
    return tuple(
        cell for source, row in rows for cell in published_cells(line, setting, source, row)
    )


def difference_cell(
    line: TableRow, column: str, published: float, unequal: tuple[str, ...], marks: str
) -> Cell:
    """Return ours minus `published` in points, with the differences of protocol as its detail.

    `column` is one of the frame's scores, `unequal` comes from `protocol_differences`, and `marks`
    names data that is not complete.
    """
    if line.done.empty:
        return plain(NO_RUN)
    if marks:
        return Cell(f"{marks} data", line.keys)
    values = [100 * float(value) for value in line.done[column]]
    gap = sum(values) / len(values) - published
    interval = prediction_interval(values)
    details = [f"published {published:.2f}"]
    if interval is None:
        verdict = "n=1"
        details.append("with one seed there is no interval of one further run")
    else:
        low, high = interval
        verdict = "in" if low <= published <= high else "out"
        details.append(f"one further run of ours: {low:.2f} to {high:.2f} with 95 %")
    text = f"{round(gap, 2) + 0.0:+.2f} {verdict}{f' ≠{len(unequal)}' if unequal else ''}"
    keys = tuple(map(str, line.done["key"]))
    return Cell(text, keys, detail="; ".join([*details, *unequal]), value=gap)


def protocol_differences(
    runs: pd.DataFrame, protocol: Protocol | None, own: Mapping[str, Any] | None = None
) -> tuple[str, ...]:
    """In what the protocol of `runs` is not the paper's: "epochs 10 instead of 150".

    `runs` are of one setting. `own` are fields that the paper states for this row alone. What the
    paper does not state is no difference, and neither is a field that older records do not have.
    """
    if protocol is None or runs.empty:
        return ()
    ours = _ours(runs.iloc[0])
    return tuple(
        f"{_spoken(name)} {_said(ours[name])} instead of {_said(stated)}"
        for name, stated in {**dict(_stated(protocol)), **(own or {})}.items()
        if stated is not None
        and name in ours
        and ours[name] not in (stated, protocol.misprints.get(name, stated))
    )


def unstated_fields(source: PublishedPaper, dataset: str) -> tuple[str, ...]:
    """What the paper leaves open of how its numbers were made."""
    protocol = source.protocols.get(dataset)
    open_fields = [
        spoken
        for name, spoken in FIELD_LABELS.items()
        if protocol is not None and getattr(protocol, name) is None
    ]
    return (*open_fields, *(["number of runs that a number is of"] if source.seeds is None else []))


def _row(
    source: PublishedPaper, table: PublishedTable, dataset: str, method: str
) -> PublishedRow | None:
    """The row of `method` in the table or else in another of the paper on the same networks."""
    same = [
        other
        for other in source.tables
        if (other.teacher, other.student) == (table.teacher, table.student)
    ]
    rows = (one.row(method) for one in (table, *same))
    return next((row for row in rows if row is not None and dataset in row.scores), None)


def tables_of_same_networks(
    setting: ComparisonGroup, published: Published, kind: str
) -> list[tuple[PublishedPaper, PublishedTable]]:
    """The papers' tables of a kind; published numbers of other networks are no measure of ours."""
    mine = (setting.teacher, setting.network)
    tables = published.tables(kind, setting.dataset)
    return [pair for pair in tables if (pair[1].teacher, pair[1].student) == mine]


def published_notes(setting: ComparisonGroup, source: PublishedPaper, number: int) -> Iterator[str]:
    """Footnotes on a printed table beside a setting: protocols, and what the paper leaves open."""
    origin = f"Published: {source.reference}, Table {number}"
    protocol = source.protocols.get(setting.dataset)
    students = setting.students[setting.students["status"] == "done"]
    unequal = protocol_differences(students, protocol)
    if unequal:
        yield (
            f"{origin}. On {setting.dataset} its protocol is another, so the numbers are not "
            f"comparable: {'; '.join(unequal)}."
        )
    else:
        yield f"{origin}."
    teachers = setting.teacher_runs[setting.teacher_runs["status"] == "done"]
    taught = protocol_differences(teachers, protocol)
    if taught and taught != unequal:
        yield f"The teacher's protocol differs from the paper's, too: {'; '.join(taught)}."
    missing = unstated_fields(source, setting.dataset)
    if missing:
        yield f"{source.reference} do not state: {', '.join(missing)}."


def _ours(run: pd.Series) -> dict[str, Any]:
    """A run's protocol under the papers' names."""
    fields = {name: _frozen(value) for name, value in json.loads(run["fields"]).items()}
    data = run["data"]
    if fields.get("sampling") == "identities":
        fields["batch"] = fields["identities"] * fields["images_each"]
    counts = {name: data[name] for name in ("train_images", "train_identities") if name in data}
    return {**fields, **SCORING, **counts, **_by_test(data["queries"], data["draws"])}


def _stated(protocol: Protocol) -> Iterator[tuple[str, Any]]:
    """The paper's protocol as one mapping."""
    yield from protocol.recipe.items()
    for name in ("train_images", "train_identities", "metric", "reranking", "cameras"):
        yield name, getattr(protocol, name)
    yield from _by_test(protocol.queries, protocol.draws).items()


def _by_test(queries: Mapping[str, int], draws: Mapping[str, int]) -> dict[str, int]:
    """{"test800": 5693} as {"queries of test800": 5693}; the name of an only test is not said."""
    found = {"queries": queries, "draws": draws}
    return {
        word if name == "test" else f"{word} of {name}": count
        for word, counts in found.items()
        for name, count in counts.items()
    }


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _spoken(name: str) -> str:
    return FIELD_LABELS.get(name, name)


def _said(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(_said, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)

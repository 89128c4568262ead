"""Published numbers next to ours.

A difference is never printed without what it depends on: whether the published number lies where
one further run of ours is expected, and in how many fields the protocols differ. On partial or
generated data it is not printed at all.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from results.comparable import ComparisonGroup
from results.lines import NO_RUN, TableRow, run_keys
from results.published import Protocol, Published, PublishedPaper, PublishedRow, PublishedTable
from results.statistics.paired_test import prediction_interval
from results.tables.cells import BLANK, Cell

PublishedTables = list[tuple[PublishedPaper, PublishedTable]]
# The protocol of every score in a record.
SCORING = {"metric": "cosine", "reranking": False, "cameras": "others"}
COLUMNS = ("Published mAP", "Published R1", "Difference mAP", "Difference R1")
DIFFERENCE_NOTE = (
    "Difference: our score minus the published one, in points. in or out: whether the published "
    "score lies in the 95 % prediction interval of one further run of ours, mean ± t sd "
    "sqrt(1 + 1/S) over S seeds; n=1: one seed gives no such interval. ≠2: our protocol "
    "differs from the paper's in 2 of the fields that the paper states."
)
FIELD_LABELS = {
    "version": "version of the dataset",
    "train_images": "training images",
    "train_identities": "training identities",
    "metric": "metric",
    "reranking": "re-ranking",
    "cameras": "cameras of the matches",
    "checkpoint": "scored checkpoint",
}


def tables_of_same_networks(
    group: ComparisonGroup, published: Published, kind: str
) -> PublishedTables:
    """Return the published tables of a kind that have the group's dataset and networks.

    Numbers of other networks are not comparable with ours.
    """
    networks = (group.teacher, group.network)
    tables = published.tables(kind, group.dataset)
    return [(paper, table) for paper, table in tables if (table.teacher, table.student) == networks]


def all_published_cells(
    row: TableRow, group: ComparisonGroup, published: PublishedTables
) -> tuple[Cell, ...]:
    """Return a row's cells under the `COLUMNS` of every published table.

    A number may come from another table of the same paper on the same networks: PDRD prints its
    teachers and undistilled students in Table 1 only.
    """
    return tuple(
        cell
        for paper, table in published
        for cell in published_cells(
            row, group, paper, _find_row(paper, table, group.dataset, row.method)
        )
    )


def published_cells(
    row: TableRow, group: ComparisonGroup, paper: PublishedPaper, printed: PublishedRow | None
) -> tuple[Cell, ...]:
    """Return a row's cells under `COLUMNS`; empty if the paper has no such row."""
    values = printed.scores.get(group.dataset) if printed else None
    if values is None:
        return (BLANK,) * len(COLUMNS)
    differences = protocol_differences(row.done, paper.protocols.get(group.dataset))
    return (
        *(Cell(f"{value:.2f}", value=value) for value in values),
        difference_cell(row, "mAP", values[0], differences, group.data_note),
        difference_cell(row, "R1", values[1], differences, group.data_note),
    )


def difference_cell(
    row: TableRow, column: str, published: float, differences: tuple[str, ...], data_note: str
) -> Cell:
    """Return our score minus the published one in points.

    Args:
        row: The row; the score is the mean over its seeds.
        column: Column of the frame with a score as a fraction of 1.
        published: Published score in percent.
        differences: Return value of `protocol_differences`.
        data_note: Flags of the data, such as "partial"; they replace the difference.
    """
    if row.done.empty:
        return Cell(NO_RUN)
    if data_note:
        return Cell(f"{data_note} data", row.keys)
    values = [100 * float(value) for value in row.done[column]]
    difference = sum(values) / len(values) - published
    interval = prediction_interval(values)
    details = [f"published {published:.2f}"]
    if interval is None:
        verdict = "n=1"
        details.append("one seed gives no interval of one further run")
    else:
        low, high = interval
        verdict = "in" if low <= published <= high else "out"
        details.append(f"one further run of ours: {low:.2f} to {high:.2f} with 95 %")
    protocol = f" ≠{len(differences)}" if differences else ""
    text = f"{round(difference, 2) + 0.0:+.2f} {verdict}{protocol}"  # + 0.0: never -0.00
    detail = "; ".join([*details, *differences])
    return Cell(text, run_keys(row.done), detail=detail, value=difference)


def protocol_differences(
    runs: pd.DataFrame, protocol: Protocol | None, row_fields: Mapping[str, Any] | None = None
) -> tuple[str, ...]:
    """Return where our protocol differs from the paper's, as "epochs 10 instead of 150".

    A field that the paper does not state is not a difference, nor is one that an older record does
    not have.

    Args:
        runs: Rows of `collect_runs`, all of one group.
        protocol: The paper's protocol on the dataset, if it has one.
        row_fields: Fields that the paper states for this row alone.
    """
    if protocol is None or runs.empty:
        return ()
    ours = _own_protocol(runs.iloc[0])
    return tuple(
        f"{FIELD_LABELS.get(name, name)} {_format_value(ours[name])} instead of "
        f"{_format_value(stated)}"
        for name, stated in {**dict(_stated_fields(protocol)), **(row_fields or {})}.items()
        if stated is not None
        and name in ours
        and ours[name] not in (stated, protocol.misprints.get(name, stated))
    )


def unstated_fields(paper: PublishedPaper, dataset: str) -> tuple[str, ...]:
    """Return the parts of the protocol that the paper does not state."""
    protocol = paper.protocols.get(dataset)
    unstated = [
        label
        for name, label in FIELD_LABELS.items()
        if protocol is not None and getattr(protocol, name) is None
    ]
    return (*unstated, *(["number of runs per score"] if paper.seeds is None else []))


def published_notes(group: ComparisonGroup, paper: PublishedPaper, number: int) -> Iterator[str]:
    """Yield the footnotes on a published table: its protocol, and what the paper does not state."""
    origin = f"Published: {paper.reference}, Table {number}."
    protocol = paper.protocols.get(group.dataset)
    students = group.students[group.students["status"] == "done"]
    differences = protocol_differences(students, protocol)
    if differences:
        yield (
            f"{origin} Our protocol on {group.dataset} differs, so the numbers are not "
            f"comparable: {'; '.join(differences)}."
        )
    else:
        yield origin
    teachers = group.teacher_runs[group.teacher_runs["status"] == "done"]
    teacher_differences = protocol_differences(teachers, protocol)
    if teacher_differences and teacher_differences != differences:
        yield f"The teacher's protocol differs as well: {'; '.join(teacher_differences)}."
    unstated = unstated_fields(paper, group.dataset)
    if unstated:
        yield f"{paper.reference} do not state: {', '.join(unstated)}."


def _find_row(
    paper: PublishedPaper, table: PublishedTable, dataset: str, method: str
) -> PublishedRow | None:
    """Return the method's row in the table, or in another one of the paper on the same networks."""
    same_networks = [
        other
        for other in paper.tables
        if (other.teacher, other.student) == (table.teacher, table.student)
    ]
    rows = (one.row(method) for one in (table, *same_networks))
    return next((row for row in rows if row is not None and dataset in row.scores), None)


def _own_protocol(run: pd.Series) -> dict[str, Any]:
    """Return a run's protocol under the papers' names."""
    fields: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in json.loads(run["fields"]).items()
    }
    data = run["data"]
    if fields.get("sampling") == "identities":
        fields["batch"] = fields["identities"] * fields["images_each"]
    counts = {name: data[name] for name in ("train_images", "train_identities") if name in data}
    return {**fields, **SCORING, **counts, **_fields_by_test(data["queries"], data["draws"])}


def _stated_fields(protocol: Protocol) -> Iterator[tuple[str, Any]]:
    """Yield the paper's protocol field by field."""
    yield from protocol.recipe.items()
    for name in ("train_images", "train_identities", "metric", "reranking", "cameras"):
        yield name, getattr(protocol, name)
    yield from _fields_by_test(protocol.queries, protocol.draws).items()


def _fields_by_test(queries: Mapping[str, int], draws: Mapping[str, int]) -> dict[str, int]:
    """Return {"test800": 5693} as {"queries of test800": 5693}; a single test is not named."""
    counts_by_field = {"queries": queries, "draws": draws}
    return {
        field if test == "test" else f"{field} of {test}": count
        for field, counts in counts_by_field.items()
        for test, count in counts.items()
    }


def _format_value(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(_format_value, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)

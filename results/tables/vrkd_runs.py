"""Runs that belong to a row of VRKD's tables: one network with one set of training tricks.

A test is named as in `published.yaml`: "veri776", or "vehicleid test800" for one of several.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from results.comparable import ComparisonGroup
from results.lines import BASELINE, NO_RUN, TableRow, table_rows
from results.published import NetworkTable, Protocol, PublishedNetworkRow, PublishedPaper, Scored
from results.tables.cells import Cell, score_cell
from results.tables.published_values import protocol_differences

TESTS: dict[Scored, str] = {  # with their headings
    "veri776": "VeRi",
    "vehicleid test800": "Test800",
    "vehicleid test1600": "Test1600",
    "vehicleid test2400": "Test2400",
}
DATASETS = ("veri776", "vehicleid")
FIXED_STRIDE = ("cnn5", "sdc-cnn-reconstructed")  # networks that have no last stride to choose


@dataclass(frozen=True, slots=True)
class PaperRowMatch:
    """Runs of one published row on one dataset."""

    group: ComparisonGroup
    rows: tuple[TableRow, ...]
    differences: tuple[str, ...]  # from the paper's protocol: "epochs 10 instead of 120"
    other_groups: int  # that match as well and are not used


@dataclass(frozen=True, slots=True)
class MatchedRow:
    """A published row and the runs that belong to it."""

    published: PublishedNetworkRow
    label: str  # which no other row of the table has
    matches: dict[str, PaperRowMatch]  # by dataset

    def rows_by_options(self) -> dict[str, dict[str, TableRow]]:
        """Return the rows of runs by suffix of their options, " (temperature=4)", and dataset."""
        rows: dict[str, dict[str, TableRow]] = {}
        for dataset, match in self.matches.items():
            for row in match.rows:
                suffix = row.label.removeprefix(self.published.label)
                rows.setdefault(suffix, {})[dataset] = row
        return rows


def match_rows(
    paper: PublishedPaper, table: NetworkTable, groups: Mapping[str, Sequence[ComparisonGroup]]
) -> Iterator[MatchedRow]:
    """Yield every row of a published table with its runs; rows that the paper cites have none.

    Args:
        paper: The paper.
        table: One of its tables.
        groups: Comparison groups by dataset.
    """
    own_rows = 0
    for row in table.rows:
        if row.cited:
            yield MatchedRow(row, row.label, {})
            continue
        own_rows += 1
        matches = {
            dataset: match_paper_row(groups[dataset], row, table, paper.protocols.get(dataset))
            for dataset in DATASETS
        }
        existing = {dataset: match for dataset, match in matches.items() if match}
        yield MatchedRow(row, _unique_label(table, row, own_rows), existing)


def match_paper_row(
    groups: Sequence[ComparisonGroup],
    row: PublishedNetworkRow,
    table: NetworkTable,
    protocol: Protocol | None,
) -> PaperRowMatch | None:
    """Return the runs of one dataset whose protocol is closest to that of a published row.

    Groups with finished runs come first, then those with the fewest differences of protocol, then
    those with the most runs. None if no group has the row's network, size, tricks and teachers.
    """
    candidates = []
    for group in groups:
        if not _matches(group, row, table):
            continue
        rows = tuple(r for r in table_rows(group, row.method, row.label) if len(r.runs))
        done = [r.done for r in rows if len(r.done)]
        if rows:
            differences = (
                *(protocol_differences(done[0], protocol, _stated_fields(row)) if done else ()),
                *(_teacher_differences(group) if row.method != BASELINE[0] else ()),
            )
            order = (not done, len(differences), -sum(map(len, done)), group.digest)
            candidates.append((order, group, rows, differences))
    if not candidates:
        return None
    _, group, rows, differences = min(candidates, key=lambda candidate: candidate[0])
    return PaperRowMatch(group, rows, differences, len(candidates) - 1)


def dataset_of(test: str) -> str:
    """Return the dataset of a test."""
    return test.partition(" ")[0]


def evaluation_of(test: str) -> str:
    """Return a test's name in records."""
    return test.partition(" ")[2] or "test"


def runs_with_test(row: TableRow, test: str) -> tuple[TableRow, str]:
    """Return the row with only the runs that have scores of a test or failed.

    The second value is the prefix of the test's columns: "test800 ", or empty for a single test.
    """
    name = evaluation_of(test)
    failed = row.runs["status"] == "failed"
    runs = row.runs[failed | row.runs["evaluations"].map(lambda names: name in names)]
    several = any(len(names) > 1 for names in runs["evaluations"])
    return TableRow(row.method, row.label, runs), f"{name} " if several else ""


def differences_of_test(differences: Sequence[str], test: str) -> tuple[str, ...]:
    """Return the differences without those of other tests, as "queries of test1600 5 ..."."""
    own = f" of {evaluation_of(test)} "
    return tuple(text for text in differences if " of test" not in text or own in text)


def score_cell_of_test(row: TableRow, test: str, score: str) -> Cell:
    """Return mean and standard deviation of one score of one test, in percent."""
    with_test, prefix = runs_with_test(row, test)
    if with_test.runs.empty:
        return Cell(NO_RUN, row.keys)
    return score_cell(with_test, f"{prefix}{score}")


def size_cells(runs: pd.DataFrame) -> tuple[Cell, Cell]:
    """Return parameters in millions and operations of one image in billions.

    They are those of the first run whose record has both.
    """
    counted = runs[runs["parameters"].notna() & runs["operations"].notna()]
    if counted.empty:
        return Cell(NO_RUN), Cell(NO_RUN)
    run = counted.iloc[0]
    parameters, operations = float(run["parameters"]) / 1e6, float(run["operations"]) / 1e9
    keys = (str(run["key"]),)
    return (
        Cell(f"{parameters:.2f}", keys, value=parameters),
        Cell(f"{operations:.2f}", keys, value=operations),
    )


def training_command(row: PublishedNetworkRow, dataset: str) -> str:
    """Return the command that trains the runs of a row, its undistilled student included."""
    settings = {  # with the default of the study
        "height": (row.size, 256),
        "width": (row.size, 256),
        "last_stride": (_last_stride(row), 1),
        "label_smoothing": (0.1 if row.label_smoothing else 0, 0.1),
    }
    parts = [f"kdreid run --study vrkd --dataset {dataset} --student {row.network}"]
    parts += [
        f"--set recipe.{name}={value}"
        for name, (value, default) in settings.items()
        if value != default
    ]
    if _last_stride(row) != 1 and row.method != BASELINE[0]:
        parts.append("--set teacher_recipe.last_stride=1")
    return " ".join(parts)


def _unique_label(table: NetworkTable, row: PublishedNetworkRow, number: int) -> str:
    """Return a label of one of the paper's own rows; those of Table 1 are numbered from the top."""
    if table.kind == "models":
        return f"{row.label} {number}"
    return row.model if row.method == BASELINE[0] else f"{row.model} + {row.label}"


def _matches(group: ComparisonGroup, row: PublishedNetworkRow, table: NetworkTable) -> bool:
    """Return whether a group has the network, image size, tricks and teachers of a row."""
    fields = group.fields
    teachers = {network for _, network in group.teachers}
    return (
        group.network == row.network
        and (fields.get("height"), fields.get("width")) == (row.size, row.size)
        and (row.network in FIXED_STRIDE or fields.get("last_stride") == row.last_stride)
        and bool(fields.get("label_smoothing")) == row.label_smoothing
        and bool(fields.get("triplet_weight")) == row.triplet
        and (row.method == BASELINE[0] or teachers == set(table.teacher))
    )


def _stated_fields(row: PublishedNetworkRow) -> dict[str, Any]:
    """Return the fields that the paper states for this row alone.

    All networks have 256-d features by Section 3.
    """
    pretrained = {"pretrained": "imagenet"} if row.network == "resnet18" else {}
    return {"head": "fc256", "label_smoothing": 0.1 if row.label_smoothing else 0} | pretrained


def _teacher_differences(group: ComparisonGroup) -> Iterator[str]:
    """Yield how the teachers differ from the paper's, which have last stride 1 (Section 2.1)."""
    strides = {json.loads(fields).get("last_stride", 1) for fields in group.teacher_runs["fields"]}
    for stride in sorted(strides - {1}):
        yield f"last_stride of the teachers {stride} instead of 1"


def _last_stride(row: PublishedNetworkRow) -> int:
    """Return the row's last stride; 1, the default, where there is none to choose."""
    if row.network in FIXED_STRIDE or row.last_stride is None:
        return 1
    return row.last_stride

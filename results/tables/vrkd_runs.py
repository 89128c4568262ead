"""Which of our runs stand beside a row that VRKD prints for one network and set of tricks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from results.comparable import SCORES, ComparisonGroup
from results.lines import RowId, TableRow, complete_seeds, table_rows
from results.published import NetworkTable, Protocol, PublishedNetworkRow
from results.statistics.pairwise import PairwiseTests, run_pairwise_tests
from results.tables.cells import NO_RUN, Cell, score_cell
from results.tables.published_values import protocol_differences

WITHOUT_STRIDE = ("cnn5", "sdc-cnn-reconstructed")  # a last stride means nothing to them


@dataclass(frozen=True, slots=True)
class PaperRowMatch:
    """The runs beside one row on one dataset, and how far they are from the paper's."""

    setting: ComparisonGroup
    lines: tuple[TableRow, ...]
    unequal: tuple[str, ...]  # "epochs 10 instead of 120"
    others: int  # settings that fit as well and are left out


def match_paper_row(
    found: Sequence[ComparisonGroup],
    row: PublishedNetworkRow,
    table: NetworkTable,
    protocol: Protocol | None,
) -> PaperRowMatch | None:
    """The setting of one dataset that is nearest to the row: finished, fewest unequal fields."""
    fitting = []
    for setting in found:
        if not _fits(setting, row, table):
            continue
        ran = tuple(line for line in table_rows(setting, row.method, row.label) if len(line.runs))
        done = [line.done for line in ran if len(line.done)]
        if ran:
            unequal = (
                *(protocol_differences(done[0], protocol, _stated(row)) if done else ()),
                *(_of_teachers(setting) if row.method != "none" else ()),
            )
            rank = (not done, len(unequal), -sum(map(len, done)), setting.digest)
            fitting.append((rank, setting, ran, unequal))
    if not fitting:
        return None
    _, setting, ran, unequal = min(fitting, key=lambda entry: entry[0])
    return PaperRowMatch(setting, ran, unequal, len(fitting) - 1)


def dataset_of(test: str) -> str:
    """The dataset of a test: of "veri776", or of "vehicleid test800", one of several."""
    return test.partition(" ")[0]


def evaluation_of(test: str) -> str:
    """The test's name in records."""
    return test.partition(" ")[2] or "test"


def runs_with_test(line: TableRow, test: str) -> tuple[TableRow, str]:
    """The runs of a line that have scores of a test or failed, and the prefix of its columns.

    `test` is as in `dataset_of`.
    """
    name = evaluation_of(test)
    failed = line.runs["status"] == "failed"
    kept = line.runs[failed | line.runs["evaluations"].map(lambda names: name in names)]
    several = any(len(names) > 1 for names in kept["evaluations"])
    return TableRow(line.method, line.label, kept), f"{name} " if several else ""


def differences_of_test(unequal: Sequence[str], test: str) -> tuple[str, ...]:
    """The differences but those of another test: "queries of test1600 5 instead of 9"."""
    name = evaluation_of(test)
    return tuple(said for said in unequal if " of test" not in said or f" of {name} " in said)


def score_cell_of_test(line: TableRow, test: str, column: str) -> Cell:
    """Mean and deviation of one score of one test; a dash where no run has it."""
    kept, prefix = runs_with_test(line, test)
    return score_cell(kept, f"{prefix}{column}") if len(kept.runs) else Cell(NO_RUN, line.keys)


def training_command(row: PublishedNetworkRow, dataset: str) -> str:
    """What trains the runs of a row, its plain student among them."""
    changed = {
        "height": (row.size, 256),
        "width": (row.size, 256),
        "last_stride": (_stride(row), 1),
        "label_smoothing": (0.1 if row.label_smoothing else 0, 0.1),
    }
    parts = [
        f"--set recipe.{name}={value}" for name, (value, usual) in changed.items() if value != usual
    ]
    if _stride(row) != 1 and row.method != "none":
        parts.append("--set teacher_recipe.last_stride=1")
    start = f"kdreid run --study vrkd --dataset {dataset} --student {row.network}"
    return " ".join([start, *parts])


def _fits(setting: ComparisonGroup, row: PublishedNetworkRow, table: NetworkTable) -> bool:
    fields = setting.fields
    taught = {network for _, network in setting.teachers}
    return (
        setting.network == row.network
        and (fields.get("height"), fields.get("width")) == (row.size, row.size)
        and (row.network in WITHOUT_STRIDE or fields.get("last_stride") == row.last_stride)
        and bool(fields.get("label_smoothing")) == row.label_smoothing
        and bool(fields.get("triplet_weight")) == row.triplet
        and (row.method == "none" or taught == set(table.teacher))
    )


def _stated(row: PublishedNetworkRow) -> dict[str, Any]:
    """Fields that the paper states for this row; 256-d features by section 3, of all networks."""
    pretrained = {"pretrained": "imagenet"} if row.network == "resnet18" else {}
    return {"head": "fc256", "label_smoothing": 0.1 if row.label_smoothing else 0} | pretrained


def _of_teachers(setting: ComparisonGroup) -> Iterator[str]:
    """The paper's teachers have last stride 1, whatever their students have (section 2.1)."""
    strides = {
        json.loads(fields).get("last_stride", 1) for fields in setting.teacher_runs["fields"]
    }
    for stride in sorted(strides - {1}):
        yield f"last_stride of the teachers {stride} instead of 1"


def _stride(row: PublishedNetworkRow) -> int:
    if row.network in WITHOUT_STRIDE or row.last_stride is None:
        return 1
    return row.last_stride


def size_cells(runs: pd.DataFrame) -> tuple[Cell, Cell]:
    """Millions of parameters and giga-operations of one image, from the first record that tells."""
    told = runs[runs["parameters"].notna() & runs["operations"].notna()]
    if told.empty:
        return Cell(NO_RUN), Cell(NO_RUN)
    run = told.iloc[0]
    counted = (float(run["parameters"]) / 1e6, float(run["operations"]) / 1e9)
    parameters, operations = (
        Cell(f"{value:.2f}", (str(run["key"]),), value=value) for value in counted
    )
    return parameters, operations


def pairwise_tests_of_rows(
    rows: Iterable[tuple[str, TableRow, ComparisonGroup]], test: str
) -> list[PairwiseTests]:
    """One family for each score among the rows that have this test, by the label given.

    A row is complete if it has every seed that any of the settings was given.
    """
    members: list[TableRow] = []
    wanted: set[int] = set()
    partial: list[RowId] = []
    for label, line, setting in rows:
        kept, _ = runs_with_test(line, test)
        member = TableRow(line.method, label, kept.runs)
        if len(member.runs):
            members.append(member)
            wanted |= complete_seeds(setting)
            partial += [member.place] if "partial" in setting.data_flags else []
    name = evaluation_of(test)
    return [run_pairwise_tests(members, name, score, wanted, partial=partial) for score in SCORES]

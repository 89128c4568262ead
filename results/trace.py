"""Find the runs behind a cell of a table by the cell's name, as `comparison-msmt17:PDRD:mAP`.

A name consists of table, row (its label or method) and column; case does not matter. Without a
column it names all runs of the row. `mAP` is also short for `mAP (generated)`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import pandas as pd

from harness.core.errors import suggest
from harness.runs.reader import StoredRun
from results.tables.cells import Cell
from results.tables.table import Table

MAX_NAMES = 8  # in a message
TEACHER = "teacher"  # method of the rows of teachers
VERSIONS = ("python", "torch", "torchvision", "numpy", "pillow", "cuda", "cudnn", "kd-reid-bench")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TracedCell:
    """A cell, or a whole row where `column` is empty."""

    table: str
    title: str
    row: str
    column: str
    text: str
    detail: str
    runs: tuple[str, ...]  # keys


def trace_cell(name: str, tables: Sequence[Table], frame: pd.DataFrame) -> TracedCell:
    """Find a cell, or a row, by its name.

    Args:
        name: Name of the cell, as described above.
        tables: Tables to search.
        frame: Rows of `collect_runs` that the tables were made from.

    Raises:
        LookupError: No cell has that name, or several have; the message lists similar names.
    """
    table_name, _, rest = name.partition(":")
    if not rest:
        example = _example(tables) or "comparison-msmt17:PDRD:mAP"
        raise LookupError(
            f"{name!r} is not the name of a cell. Give table, row and column, as in {example}."
        )
    table = _find_one(table_name, tables, lambda one: [one.name], "table")
    methods = _methods_by_run(frame)

    def row_names(row: tuple[Cell, ...]) -> list[str]:
        return [row[0].text, *_common_method(row, methods)]

    words = rest.split(":")
    for split in range(len(words) - 1, 0, -1):  # a method's name may contain a colon
        row_name, column_name = ":".join(words[:split]), ":".join(words[split:])
        rows = _find_all(row_name, table.rows, row_names)
        columns = _find_all(column_name, table.columns, _column_names)
        if len(rows) == len(columns) == 1:
            cell = rows[0][table.columns.index(columns[0])]
            return _traced(table, rows[0], columns[0], cell, cell.runs)
    if len(_find_all(rest, table.rows, row_names)) != 1 and len(words) > 1:
        # Either the row or the column is wrong: report the first.
        _find_one(":".join(words[:-1]), table.rows, row_names, f"row of {table.name}")
        _find_one(words[-1], table.columns, _column_names, f"column of {table.name}")
    row = _find_one(rest, table.rows, row_names, f"row of {table.name}")
    runs = row[0].runs or tuple(dict.fromkeys(key for cell in row for key in cell.runs))
    return _traced(table, row, "", row[0], runs)


def run_facts(run: StoredRun) -> dict[str, Any]:
    """Return the origin of a run as JSON values; what was not recorded is None."""
    environment = run.environment
    timings = run.record.get("timings") or {}
    return {
        "key": run.key,
        "seed": run.spec.get("seed"),
        "status": run.status,
        "failure": run.failure.get("kind"),
        "scores": run.scores(),
        "commit": environment.get("commit"),
        "dirty": environment.get("dirty"),
        "patch": environment.get("patch"),
        "checkout": environment.get("checkout"),
        "source": run.spec.get("source"),
        "versions": {
            name: environment[name] for name in VERSIONS if environment.get(name) is not None
        },
        "dataset": run.spec.get("dataset"),
        "fingerprint": run.spec.get("fingerprint"),
        "data": environment.get("data"),
        "teachers": [
            {"key": teacher.get("key"), "weights": weights}
            for teacher, weights in zip(run.teachers, run.teacher_weights, strict=False)
        ],
        "host": environment.get("host"),
        "device": environment.get("device_name"),
        "threads": environment.get("threads"),
        "finished": environment.get("finished"),
        "training_seconds": timings.get("training"),
        "model": run.result.get("model"),
        "command": environment.get("command"),
        "notes": run.notes,
    }


def _traced(
    table: Table, row: tuple[Cell, ...], column: str, cell: Cell, runs: tuple[str, ...]
) -> TracedCell:
    return TracedCell(
        table=table.name,
        title=table.title,
        row=row[0].text,
        column=column,
        text=cell.text,
        detail=cell.detail,
        runs=runs,
    )


def _methods_by_run(frame: pd.DataFrame) -> dict[str, str]:
    """Return the method of every run by key, and "teacher" for runs that serve as teachers."""
    serving = {key for teachers in frame["teachers"] for key, _ in teachers}
    pairs = zip(frame["key"], frame["method"], strict=True)
    return {key: TEACHER if key in serving else method for key, method in pairs}


def _common_method(row: tuple[Cell, ...], methods: Mapping[str, str]) -> list[str]:
    """Return the method that all runs of a row share, if there is one."""
    names = {methods.get(key, "") for key in row[0].runs}
    return list(names) if len(names) == 1 else []


def _column_names(column: str) -> list[str]:
    """Return a column's heading, and the heading without brackets: mAP for `mAP (generated)`."""
    return list(dict.fromkeys([column, re.sub(r" \([^)]*\)$", "", column)]))


def _find_all(word: str, items: Iterable[T], names_of: Callable[[T], list[str]]) -> list[T]:
    """Return the items whose first name is `word`; if none, those with another name like that."""
    folded = word.strip().casefold()
    named = [(item, [name.casefold() for name in names_of(item)]) for item in items]
    by_first_name = [item for item, names in named if names[0] == folded]
    return by_first_name or [item for item, names in named if folded in names]


def _find_one(word: str, items: Iterable[T], names_of: Callable[[T], list[str]], kind: str) -> T:
    """Return the only item with the name `word`.

    Raises:
        LookupError: None has it, or several have.
    """
    everything = list(items)
    matches = _find_all(word, everything, names_of)
    if len(matches) == 1:
        return matches[0]
    if matches:
        listed = ", ".join(repr(names_of(item)[0]) for item in matches[:MAX_NAMES])
        raise LookupError(
            f"{word!r} is ambiguous: {len(matches)} match, {listed}. Give the whole name."
        )
    known = list(dict.fromkeys(name for item in everything for name in names_of(item) if name))
    guess = suggest(word, known, count=3, similarity=0.4)
    listed = ", ".join(map(repr, known[:MAX_NAMES])) or "none yet"
    raise LookupError(f"No {kind} is called {word!r}.{guess or f' Known: {listed}.'}")


def _example(tables: Sequence[Table]) -> str:
    """Return the name of a cell that has runs, from the last row of the first such table."""
    for table in tables:
        for row in reversed(table.rows):
            for column, cell in zip(table.columns[1:], row[1:], strict=True):
                if cell.runs:
                    return f"{table.name}:{row[0].text}:{_column_names(column)[-1]}"
    return ""

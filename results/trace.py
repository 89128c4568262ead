"""From a cell of a table to the runs behind it: `comparison-msmt17:PDRD:mAP`.

A cell is named by its table, its row (label or method) and its column, without regard to case. The
column may be left out: then the row's runs are meant. `mAP` stands for `mAP (generated)`, too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypeVar

import pandas as pd

from harness.runs.reader import StoredRun
from results.tables.table import Table

MOST = 8  # names in a message
TEACHER = "teacher"  # how the rows of runs that teach others are called
MADE_WITH = ("python", "torch", "torchvision", "numpy", "pillow", "cuda", "cudnn", "kd-reid-bench")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TracedCell:
    """A cell, or a row's runs where `column` is empty."""

    table: str
    title: str
    row: str
    column: str
    text: str
    detail: str
    runs: tuple[str, ...]  # keys


def trace_cell(name: str, tables: Sequence[Table], frame: pd.DataFrame) -> TracedCell:
    """Find the cell called `name`; `frame` is what the tables were made from.

    Raises:
        LookupError: there is none, or several; the message is a sentence with the nearest names.
    """
    first, _, rest = name.partition(":")
    if not rest:
        raise LookupError(
            f"{name!r} is no cell's name: name table, row and column, as in "
            f"{_example(tables) or 'comparison-msmt17:PDRD:mAP'}."
        )
    table = _find_one(first, tables, lambda one: [one.name], "table")
    methods = _methods(frame)

    def called(row: tuple[Any, ...]) -> list[str]:
        return [row[0].text, *_method(row, methods)]

    words = rest.split(":")
    for cut in range(len(words) - 1, 0, -1):  # a method's name may hold a colon itself
        row_name, column_name = ":".join(words[:cut]), ":".join(words[cut:])
        rows = _fitting(row_name, table.rows, called)
        columns = _fitting(column_name, table.columns, _headings)
        if len(rows) == len(columns) == 1:
            cell = rows[0][table.columns.index(columns[0])]
            return TracedCell(
                table.name,
                table.title,
                rows[0][0].text,
                columns[0],
                cell.text,
                cell.detail,
                cell.runs,
            )
    if len(_fitting(rest, table.rows, called)) != 1 and len(words) > 1:
        _find_one(":".join(words[:-1]), table.rows, called, f"row of {table.name}")
        _find_one(words[-1], table.columns, _headings, f"column of {table.name}")
    row = _find_one(rest, table.rows, called, f"row of {table.name}")
    every = (key for cell in row for key in cell.runs)
    runs = row[0].runs or tuple(dict.fromkeys(every))
    return TracedCell(table.name, table.title, row[0].text, "", row[0].text, row[0].detail, runs)


def run_facts(run: StoredRun) -> dict[str, Any]:
    """What a reviewer asks of a run, as JSON values; what was not recorded is None."""
    told = run.environment
    timings = run.record.get("timings") or {}
    return {
        "key": run.key,
        "seed": run.spec.get("seed"),
        "status": run.status,
        "failure": run.failure.get("kind"),
        "scores": run.scores(),
        "commit": told.get("commit"),
        "dirty": told.get("dirty"),
        "patch": told.get("patch"),
        "source": run.spec.get("source"),
        "versions": {name: told.get(name) for name in MADE_WITH if told.get(name) is not None},
        "dataset": run.spec.get("dataset"),
        "fingerprint": run.spec.get("fingerprint"),
        "data": told.get("data"),
        "teachers": [
            {"key": teacher.get("key"), "weights": weights}
            for teacher, weights in zip(run.teachers, run.teacher_weights, strict=False)
        ],
        "host": told.get("host"),
        "device": told.get("device_name"),
        "threads": told.get("threads"),
        "finished": told.get("finished"),
        "training_seconds": timings.get("training"),
        "model": run.result.get("model"),
        "command": told.get("command"),
        "notes": run.notes,
    }


def _methods(frame: pd.DataFrame) -> dict[str, str]:
    """The method of every run by key; runs that teach others are called teachers."""
    serving = {key for teachers in frame["teachers"] for key, _ in teachers}
    pairs = zip(frame["key"], frame["method"], strict=True)
    return {key: TEACHER if key in serving else method for key, method in pairs}


def _method(row: tuple[Any, ...], methods: Mapping[str, str]) -> list[str]:
    """The method that a row's runs have in common, if they have."""
    found = {methods.get(key, "") for key in row[0].runs}
    return [found.pop()] if len(found) == 1 else []


def _headings(column: str) -> list[str]:
    """`mAP (generated)` is called mAP, too."""
    return list(dict.fromkeys([column, re.sub(r" \([^)]*\)$", "", column)]))


def _fitting(word: str, things: Iterable[T], called: Callable[[T], list[str]]) -> list[T]:
    """What is called so: by its first name, else by another."""
    named = [(thing, [name.casefold() for name in called(thing)]) for thing in things]
    wanted = word.strip().casefold()
    first = [thing for thing, names in named if names[0] == wanted]
    return first or [thing for thing, names in named if wanted in names]


def _find_one(word: str, things: Iterable[T], called: Callable[[T], list[str]], what: str) -> T:
    """The one thing that is called so.

    Raises:
        LookupError: none is, or several are.
    """
    everything = list(things)
    found = _fitting(word, everything, called)
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(repr(called(thing)[0]) for thing in found[:MOST])
        raise LookupError(f"{word!r} may mean {len(found)} of these: {names}. Give the whole name.")
    known: dict[str, str] = {}
    for called_so in (name for thing in everything for name in called(thing) if name):
        known.setdefault(called_so.casefold(), called_so)
    close = get_close_matches(word.casefold(), known, n=3, cutoff=0.4)
    offered = dict.fromkeys(known[name] for name in close or list(known)[:MOST])
    said = ", ".join(map(repr, offered)) or "none yet"
    raise LookupError(
        f"No {what} is called {word!r}. {'Nearest' if close else 'There is'}: {said}."
    )


def _example(tables: Sequence[Table]) -> str:
    """The name of some cell that has runs, the last row's first."""
    for table in tables:
        for row in reversed(table.rows):
            for column, cell in zip(table.columns[1:], row[1:], strict=True):
                if cell.runs:
                    return f"{table.name}:{row[0].text}:{_headings(column)[-1]}"
    return ""

"""Provenance of a page's cells: their runs by number, the runs' facts, commands to reproduce them.

Runs share most facts and cells share runs, so every text is stored once and referred to by number.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from harness.core.text import printable, printable_lines
from harness.runs.reader import StoredRun, load_run
from results.tables.cells import Cell
from results.tables.table import Table
from results.trace import run_facts

Commands = Sequence[str]
Remarks = Sequence[str]
ReproduceCallback = Callable[[Sequence[StoredRun]], tuple[Commands, Remarks]]
NOT_RECORDED = "not recorded"
MAX_COMMAND_GROUPS = 300  # groups of runs with commands; finding one group's takes some 10 ms
FACT_LABELS = {  # of `run_facts`
    "dataset": "Dataset",
    "fingerprint": "Fingerprint of the images",
    "data": "Folder of the images",
    "source": "Digest of the method's code",
    "host": "Host",
    "device": "Device",
    "threads": "Threads",
    "finished": "Finished",
    "model": "Digest of the weights",
    "command": "Command line",
}


def number_runs(tables: Iterable[Table]) -> dict[str, int]:
    """Return the number of every run of the tables' cells, by key, counted from 0."""
    keys = chain.from_iterable(cell.runs for cell in _cells(tables))
    return {key: number for number, key in enumerate(dict.fromkeys(keys))}


def join_run_numbers(keys: Iterable[str], numbers: Mapping[str, int]) -> str:
    """Return the numbers of runs as one text, such as "0 3"."""
    return " ".join(str(numbers[key]) for key in keys)


def provenance_data(
    tables: Sequence[Table],
    runs: Path,
    numbers: Mapping[str, int],
    reproduce: ReproduceCallback | None,
) -> dict[str, Any]:
    """Return the provenance of all cells as JSON values.

    Args:
        tables: The tables of the page.
        runs: The runs folder.
        numbers: Numbers of the runs by key, from `number_runs`.
        reproduce: Function from the runs of a cell to the commands that reproduce them and remarks
            on these; None for a page without commands.

    Returns:
        `texts`: all texts.
        `runs`: for every run, in the order of `numbers`, its key, a headline, pairs of label and
        text, both as numbers in `texts`, and its seconds in training steps (None if unknown).
        `commands`: by the joined numbers of a cell's runs the commands and the remarks, as numbers
        in `texts`; of the first `MAX_COMMAND_GROUPS` groups of runs only.
    """
    texts = _TextPool()
    stored: dict[str, StoredRun] = {}
    described: list[list[Any]] = []
    for key in numbers:
        try:
            stored[key] = load_run(runs, key)
        except ValueError as error:  # changed since it was collected
            described.append([key, printable(f"cannot be read: {error}"), [], None])
            continue
        facts = run_facts(stored[key])
        pairs = [[texts.number(label), texts.number(text)] for label, text in _labelled(facts)]
        seconds = facts["training_seconds"]
        is_number = isinstance(seconds, int | float) and math.isfinite(seconds)
        described.append(
            [key, printable(_headline(facts)), pairs, round(seconds, 1) if is_number else None]
        )
    commands: dict[str, Any] = {}
    for keys in dict.fromkeys(cell.runs for cell in _cells(tables)):
        group = [stored[key] for key in keys if key in stored]
        if reproduce is None or not group:
            continue
        if len(commands) == MAX_COMMAND_GROUPS:
            break
        lines, remarks = reproduce(group)
        commands[join_run_numbers(keys, numbers)] = [
            [texts.number(line) for line in lines],
            [texts.number(remark) for remark in remarks],
        ]
    return {"texts": texts.texts, "runs": described, "commands": commands}


def training_seconds(provenance: Mapping[str, Any]) -> dict[str, float]:
    """Return the seconds in training steps by key of every run that has recorded them.

    Args:
        provenance: What `provenance_data` returns.
    """
    return {key: seconds for key, _, _, seconds in provenance["runs"] if seconds is not None}


@dataclass(slots=True)
class _TextPool:
    """A list of texts without duplicates."""

    numbers: dict[str, int] = field(default_factory=dict)

    @property
    def texts(self) -> list[str]:
        """All texts in the order of their numbers."""
        return list(self.numbers)

    def number(self, text: str) -> int:
        """Return the number of a text as it may be printed, which is added if it is new."""
        return self.numbers.setdefault(printable_lines(text), len(self.numbers))


def _cells(tables: Iterable[Table]) -> Iterator[Cell]:
    return (cell for table in tables for row in table.rows for cell in row)


def _headline(facts: Mapping[str, Any]) -> str:
    scores = "; ".join(
        f"{evaluation}: " + ", ".join(f"{name} {value:.2f}" for name, value in values.items())
        for evaluation, values in facts["scores"].items()
    )
    return f"Seed {facts['seed']} · {scores or facts['failure'] or facts['status']}"


def _labelled(facts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield label and text of every fact."""
    if facts["checkout"] is False:
        yield "Commit", "not from a checkout: the installed version, see below"
    else:
        yield "Commit", facts["commit"] or NOT_RECORDED
        yield "Uncommitted changes", _changes(facts)
    versions = ", ".join(f"{name} {value}" for name, value in facts["versions"].items())
    yield "Versions", versions or NOT_RECORDED
    for teacher in facts["teachers"]:
        yield "Teacher", f"{teacher['key']}, weights {teacher['weights'] or NOT_RECORDED}"
    for name, label in FACT_LABELS.items():
        yield label, NOT_RECORDED if facts[name] is None else str(facts[name])
    seconds = facts["training_seconds"]
    if isinstance(seconds, int | float):
        yield "Training time (this run only)", f"{seconds:.0f} s"
    for note in facts["notes"]:
        yield "Note", str(note)


def _changes(facts: Mapping[str, Any]) -> str:
    if facts["dirty"] is None:
        return NOT_RECORDED
    return f"yes, digest {facts['patch'] or NOT_RECORDED}" if facts["dirty"] else "none"

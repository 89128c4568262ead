"""What stands behind the cells of a report: runs by number, their facts, how to make them again.

Runs share most facts and cells share runs, so texts are kept once and named by number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from harness.runs.reader import StoredRun, load_run
from results.tables.table import Table
from results.trace import run_facts

ReproduceCallback = Callable[
    [Sequence[StoredRun]], tuple[Sequence[str], Sequence[str]]
]  # commands, remarks
UNKNOWN = "not recorded"
MOST = 300  # groups of runs whose commands are found, at some hundredths of a second each
FACTS = {  # of `run_facts`, with what a reader calls them
    "dataset": "Dataset",
    "fingerprint": "Fingerprint of the images",
    "data": "Folder of the images",
    "source": "Digest of the method's code",
    "host": "Machine",
    "device": "Device",
    "threads": "Threads",
    "finished": "Finished",
    "model": "Digest of the weights",
    "command": "Started by",
}


def number_runs(tables: Iterable[Table]) -> dict[str, int]:
    """A number from 0 for every run behind a cell, by key, in the order of their cells."""
    cells = (cell for table in tables for row in table.rows for cell in row)
    return {key: number for number, key in enumerate(dict.fromkeys(_keys(cells)))}


def _keys(cells: Iterable[Any]) -> Iterable[str]:
    return chain.from_iterable(cell.runs for cell in cells)


@dataclass(slots=True)
class _Texts:
    """Every text once."""

    known: dict[str, int] = field(default_factory=dict)

    def number(self, text: str) -> int:
        return self.known.setdefault(text, len(self.known))


def provenance_data(
    tables: Sequence[Table], runs: Path, numbers: Mapping[str, int], again: ReproduceCallback | None
) -> dict[str, Any]:
    """All of it as JSON values.

    `texts` are all texts; `runs` are, in the order of `numbers`, a key, a headline and pairs of
    label and text; `again` has, by the numbers of a cell's runs as in "0 3", the commands that make
    them again and what to know of those, of the first cells if there are very many. A label, text,
    command or remark is a number in `texts`.
    """
    texts = _Texts()
    members: dict[str, StoredRun] = {}
    told: list[list[Any]] = []
    for key in numbers:
        try:
            members[key] = load_run(runs, key)
        except ValueError as error:  # changed since it was gathered
            told.append([key, f"cannot be read now: {error}", []])
            continue
        found = run_facts(members[key])
        pairs = [[texts.number(label), texts.number(text)] for label, text in _said(found)]
        told.append([key, _headline(found), pairs])
    commands: dict[str, Any] = {}
    for group in dict.fromkeys(c.runs for table in tables for row in table.rows for c in row):
        several = [members[key] for key in group if key in members]
        if again is None or not several:
            continue
        if len(commands) == MOST:
            break
        lines, remarks = again(several)
        commands[named(group, numbers)] = [
            [texts.number(line) for line in lines],
            [texts.number(remark) for remark in remarks],
        ]
    return {"texts": list(texts.known), "runs": told, "again": commands}


def named(keys: Iterable[str], numbers: Mapping[str, int]) -> str:
    """Runs by their numbers, as `0 3`."""
    return " ".join(str(numbers[key]) for key in keys)


def _headline(found: Mapping[str, Any]) -> str:
    scores = "; ".join(
        f"{name}: " + ", ".join(f"{score} {value:.2f}" for score, value in several.items())
        for name, several in found["scores"].items()
    )
    return f"Seed {found['seed']} · {scores or found['failure'] or found['status']}"


def _said(found: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Labels and texts of a run's facts."""
    yield "Commit", found["commit"] or UNKNOWN
    yield "Uncommitted changes", _changes(found)
    versions = ", ".join(f"{name} {value}" for name, value in found["versions"].items())
    yield "Versions", versions or UNKNOWN
    for teacher in found["teachers"]:
        yield "Teacher", f"{teacher['key']}, weights {teacher['weights'] or UNKNOWN}"
    for name, label in FACTS.items():
        yield label, UNKNOWN if found[name] is None else str(found[name])
    seconds = found["training_seconds"]
    if isinstance(seconds, int | float):
        yield "Own training steps", f"{seconds:.0f} s"
    for note in found["notes"]:
        yield "Note", str(note)


def _changes(found: Mapping[str, Any]) -> str:
    if found["dirty"] is None:
        return UNKNOWN
    return f"yes, digest {found['patch'] or UNKNOWN}" if found["dirty"] else "none"

"""Print the runs behind a cell of the report."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness.core.errors import SetupError, UsageError
from harness.planning.reproduce import SHORT, Reproduction, reproduce
from harness.runs.reader import load_run
from results.collect import collect_runs
from results.report import all_tables
from results.trace import TracedCell, run_facts, trace_cell


def show_trace(cell: str, runs: Path, say: Callable[[str], None], *, as_json: bool) -> None:
    """Print what stands behind a cell of the tables that `runs` would make now.

    Raises:
        UsageError: there is no such cell.
        SetupError: there is no runs folder, or no table yet.
    """
    if not runs.is_dir():
        raise SetupError(f"There is no runs folder {runs}. Name one with --runs DIR.")
    frame, _ = collect_runs(runs)
    tables = all_tables(frame)
    if not tables:
        raise SetupError(f"No run under {runs} is done yet, so there is no table to trace.")
    try:
        found = trace_cell(cell, tables, frame)
    except LookupError as error:
        raise UsageError(str(error.args[0])) from error
    try:
        members = [load_run(runs, key) for key in found.runs]
    except ValueError as error:
        raise SetupError(f"{error}.") from error
    again = reproduce(members, runs)
    told = [run_facts(run) for run in members]
    if as_json:
        say(json.dumps({**asdict(found), "runs": told, "reproduce": asdict(again)}, indent=1))
        return
    for line in _lines(found, told, again):
        say(line)


def _lines(found: TracedCell, told: Sequence[dict[str, Any]], again: Reproduction) -> Iterator[str]:
    yield f"{found.table}: {found.title}"
    yield f"{found.row}, {found.column}: {found.text}" if found.column else found.row
    if found.detail:
        yield found.detail
    if not told:
        yield "No run stands behind it."
        return
    for run in told:
        yield from _run(run)
    yield "To make these runs again:"
    yield from (f"  {command}" for command in again.commands)
    if again.exact:
        yield "  The plan of this has the same keys with the code as it is now."
    yield from (f"  note: {remark}" for remark in again.remarks)


def _run(run: dict[str, Any]) -> Iterator[str]:
    scores = "; ".join(
        f"{name} " + ", ".join(f"{score} {value:.2f}" for score, value in several.items())
        for name, several in run["scores"].items()
    )
    yield f"{run['key']}"
    yield f"  seed {run['seed']}: {scores or run['failure'] or run['status']}"
    edited = "" if not run["dirty"] else f", edited ({_digest(run['patch'])})"
    yield f"  code: commit {_digest(run['commit'])}{edited}; method {_digest(run['source'])}"
    yield f"  made with: {', '.join(f'{name} {value}' for name, value in run['versions'].items())}"
    where = f" in {run['data']}" if run["data"] else ""
    yield f"  data: {run['dataset']} {run['fingerprint']}{where}"
    for teacher in run["teachers"]:
        yield f"  teacher: {teacher['key']}, weights {_digest(teacher['weights'])}"
    seconds = run["training_seconds"]
    took = (
        f", {seconds:.0f} s in its own training steps" if isinstance(seconds, int | float) else ""
    )
    yield (
        f"  trained: {run['finished'] or 'time not recorded'} on {run['host']}, {run['device']}"
        f"{took}"
    )
    yield from (f"  note: {note}" for note in run["notes"])


def _digest(text: str | None) -> str:
    return text[:SHORT] if text else "not recorded"

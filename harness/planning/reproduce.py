"""`kdreid trace CELL`: the runs behind a cell of the report, and how to make them again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from harness.core.errors import HarnessError, SetupError, UsageError
from harness.core.progress import Reporter
from harness.data.synthetic.generator import GENERATOR_VERSION, Synthetic
from harness.data.synthetic.writer import STATEMENT
from harness.planning.commands import commands
from harness.planning.datasets import GENERATED, open_dataset
from harness.planning.overrides import DATA, settle
from harness.planning.schema import load_dataset
from harness.runs.reader import Evidence, evidence
from harness.runs.spec import RunSpec
from harness.training.environment import commit
from results.collect import gather
from results.report import all_tables
from results.trace import Traced, facts, trace

_file = lru_cache(load_dataset)  # asked for again and again
PARTIAL = "Partial data:"  # how such a note begins
SHORT = 12  # hexadecimal digits of a digest that are shown


@dataclass(frozen=True, slots=True)
class Again:
    """How to make the runs of a cell again."""

    commands: tuple[str, ...]
    exact: bool  # whether the present code would plan just these keys
    remarks: tuple[str, ...]  # what stands between the commands and the same numbers


def show_trace(cell: str, runs: Path, say: Callable[[str], None], *, as_json: bool) -> None:
    """Print what stands behind a cell of the tables that `runs` would make now.

    Raises:
        UsageError: there is no such cell.
        SetupError: there is no runs folder, or no table yet.
    """
    if not runs.is_dir():
        raise SetupError(f"There is no runs folder {runs}. Name one with --runs DIR.")
    frame, _ = gather(runs)
    tables = all_tables(frame)
    if not tables:
        raise SetupError(f"No run under {runs} is done yet, so there is no table to trace.")
    try:
        found = trace(cell, tables, frame)
    except LookupError as error:
        raise UsageError(str(error.args[0])) from error
    try:
        members = [evidence(runs, key) for key in found.runs]
    except ValueError as error:
        raise SetupError(f"{error}.") from error
    again = reproduce(members, runs)
    told = [facts(run) for run in members]
    if as_json:
        say(json.dumps({**asdict(found), "runs": told, "reproduce": asdict(again)}, indent=1))
        return
    for line in _lines(found, told, again):
        say(line)


def reproduce(members: Sequence[Evidence], runs: Path, *, look: bool = True) -> Again:
    """The commands that plan these runs, into a folder of its own, and what they cannot restore.

    Without `look` a dataset's folder is taken to hold the images it held then.
    """
    remarks = list(_remarks(members))
    specs = []
    for run in members:
        try:
            specs.append(RunSpec.from_json(run.spec))
        except ValueError as error:
            remarks.append(f"{run.key} was made by another version of this program: {error}.")
            if command := run.environment.get("command"):
                remarks.append(f"It was started by: {command}")
    folder = runs.with_name(f"{runs.absolute().name}-again")

    def data(spec: RunSpec) -> list[str]:
        return _data(spec, members, runs, remarks, look)

    try:
        found = commands(specs, data, ["--runs", str(folder)])
    except UsageError as error:
        return Again((), False, (*remarks, str(error)))
    planned = {spec for command in found for spec in command.planned}
    for spec in specs:
        if spec not in planned:
            remarks.append(
                f"With the present code the command makes another run than {spec.key}: the code of "
                f"{spec.method} has changed since. Go back to its commit first."
            )
    exact = len(specs) == len(members) > 0 and planned.issuperset(specs)
    lines = tuple(command.line for command in found)
    return Again(lines, exact, tuple(dict.fromkeys(remarks)))


def _remarks(members: Sequence[Evidence]) -> Iterator[str]:
    """About code and inputs that no option of the command can bring back."""
    now = commit()
    for run in members:
        name, dirty, patch = (run.environment.get(what) for what in ("commit", "dirty", "patch"))
        if run.record and not name:
            yield "Of some runs it is not recorded from which commit they were made."
        elif name and (name, patch) != (now[0], now[2]):
            yield f"For the code as it was: git checkout {name}"
        if dirty and patch != now[2]:
            told = f"digest {patch}" if patch else "not recorded which"
            yield f"At {str(name)[:SHORT]} files had been edited and not committed ({told})."
        if (weights := run.spec.get("weights", "none")) != "none":
            yield (
                f"{run.spec.get('network')} starts from weights with the digest {weights}; if "
                "yours lie elsewhere than torchvision's do, add --weights NETWORK=FILE."
            )


def _data(
    spec: RunSpec, members: Sequence[Evidence], runs: Path, remarks: list[str], look: bool
) -> list[str]:
    """The options that name the very images a run was planned with."""
    told = [run.environment.get("data") for run in members if run.key == spec.key]
    told += [run.environment.get("data") for run in members]
    places = [Path(str(place)) for place in dict.fromkeys(told) if place]
    generated = _file(spec.dataset).loader == GENERATED
    if generated:
        places += sorted((runs / "data").glob(f"{GENERATED}-*-????????"))
    partial = any(note.startswith(PARTIAL) for run in members for note in run.notes)
    allowed = ["--allow-partial"] if partial else []
    for place in dict.fromkeys(places):
        believed = not look and not generated
        if believed or _fingerprint(place, spec.dataset, runs) == spec.fingerprint:
            return [*(_drawn(place, spec) if generated else ["--data-root", str(place)]), *allowed]
    if places and not generated:
        remarks.append(f"The data was in {places[0]}, which is not here or holds other images now.")
    remarks.append(
        f"Name the images with the fingerprint {spec.fingerprint}: add --data-root DIR"
        f"{' or the --set data.NAME=VALUE they were drawn with' if generated else ''}."
    )
    return allowed


@lru_cache
def _fingerprint(place: Path, name: str, runs: Path) -> str | None:
    """Which images these are; None if they are not the dataset's."""
    try:
        return open_dataset(
            name,
            _file(name),
            Synthetic(),
            place,
            runs,
            0,
            Reporter(quiet=True),
            allow_partial=True,
        ).fingerprint
    except HarnessError:
        return None


def _drawn(place: Path, spec: RunSpec) -> list[str]:
    """How to draw the images of a folder again; the folder itself if this version draws others."""
    try:
        told = json.loads((place / STATEMENT).read_text())
        version, settings = told["generator_version"], dict(told["settings"])
    except (OSError, ValueError, KeyError, TypeError):
        return ["--data-root", str(place)]
    if version != GENERATOR_VERSION:
        return ["--data-root", str(place)]
    usual = asdict(settle([_file(spec.dataset)], []).data)
    changed = {name: value for name, value in settings.items() if value != usual.get(name)}
    return [word for name, value in changed.items() for word in ("--set", f"{DATA}.{name}={value}")]


def _lines(found: Traced, told: Sequence[dict[str, Any]], again: Again) -> Iterator[str]:
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

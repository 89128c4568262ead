"""`kdreid trace CELL`: the runs behind a cell of the report, and how to make them again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

from harness.core.errors import KDReIDError, UsageError
from harness.core.progress import Reporter
from harness.data.synthetic.generator import GENERATOR_VERSION, SyntheticSettings
from harness.data.synthetic.writer import MANIFEST
from harness.planning.commands import commands_for
from harness.planning.datasets import SYNTHETIC, open_dataset
from harness.planning.overrides import DATA, resolve_settings
from harness.planning.schema import load_dataset
from harness.runs.code_version import git_state
from harness.runs.data_flags import DataFlag
from harness.runs.layout import DATA_FOLDER
from harness.runs.reader import StoredRun
from harness.runs.spec import RunSpec

_file = lru_cache(load_dataset)  # asked for again and again
SHORT = 12  # hexadecimal digits of a digest that are shown


@dataclass(frozen=True, slots=True)
class Reproduction:
    """How to make the runs of a cell again."""

    commands: tuple[str, ...]
    exact: bool  # whether the present code would plan just these keys
    remarks: tuple[str, ...]  # what stands between the commands and the same numbers


def reproduce(members: Sequence[StoredRun], runs: Path, *, look: bool = True) -> Reproduction:
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
        found = commands_for(specs, data, ["--runs", str(folder)])
    except UsageError as error:
        return Reproduction((), False, (*remarks, str(error)))
    planned = {spec for command in found for spec in command.planned}
    for spec in specs:
        if spec not in planned:
            remarks.append(
                f"With the present code the command makes another run than {spec.key}: the code of "
                f"{spec.method} has changed since. Go back to its commit first."
            )
    exact = len(specs) == len(members) > 0 and planned.issuperset(specs)
    lines = tuple(command.line for command in found)
    return Reproduction(lines, exact, tuple(dict.fromkeys(remarks)))


def _remarks(members: Sequence[StoredRun]) -> Iterator[str]:
    """About code and inputs that no option of the command can bring back."""
    now = git_state()
    for run in members:
        name, dirty, patch = (run.environment.get(what) for what in ("commit", "dirty", "patch"))
        if run.record and not name:
            yield "Of some runs it is not recorded from which commit they were made."
        elif name and (name, patch) != (now.commit, now.patch):
            yield f"For the code as it was: git checkout {name}"
        if dirty and patch != now.patch:
            told = f"digest {patch}" if patch else "not recorded which"
            yield f"At {str(name)[:SHORT]} files had been edited and not committed ({told})."
        if (weights := run.spec.get("weights", "none")) != "none":
            yield (
                f"{run.spec.get('network')} starts from weights with the digest {weights}; if "
                "yours lie elsewhere than torchvision's do, add --weights NETWORK=FILE."
            )


def _data(
    spec: RunSpec, members: Sequence[StoredRun], runs: Path, remarks: list[str], look: bool
) -> list[str]:
    """The options that name the very images a run was planned with."""
    told = [run.environment.get("data") for run in members if run.key == spec.key]
    told += [run.environment.get("data") for run in members]
    places = [Path(str(place)) for place in dict.fromkeys(told) if place]
    generated = _file(spec.dataset).loader == SYNTHETIC
    if generated:
        places += sorted((runs / DATA_FOLDER).glob(f"{SYNTHETIC}-*-????????"))
    partial = any(DataFlag.PARTIAL in run.data_flags for run in members)
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
            SyntheticSettings(),
            place,
            runs,
            0,
            Reporter(quiet=True),
            allow_partial=True,
        ).fingerprint
    except KDReIDError:
        return None


def _drawn(place: Path, spec: RunSpec) -> list[str]:
    """How to draw the images of a folder again; the folder itself if this version draws others."""
    try:
        told = json.loads((place / MANIFEST).read_text())
        version, settings = told["generator_version"], dict(told["settings"])
    except (OSError, ValueError, KeyError, TypeError):
        return ["--data-root", str(place)]
    if version != GENERATOR_VERSION:
        return ["--data-root", str(place)]
    usual = asdict(resolve_settings([_file(spec.dataset)], []).data)
    changed = {name: value for name, value in settings.items() if value != usual.get(name)}
    return [word for name, value in changed.items() for word in ("--set", f"{DATA}.{name}={value}")]

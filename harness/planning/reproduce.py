"""Describe how to make finished runs again: the commands, and what they cannot restore."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path

from harness.core.errors import FileError, SetupError, UsageError
from harness.core.files import read_json
from harness.core.installation import DISTRIBUTION
from harness.core.progress import Reporter
from harness.core.session import RunContext
from harness.data.synthetic.generator import GENERATOR_VERSION
from harness.data.synthetic.writer import MANIFEST
from harness.planning.commands import commands_for
from harness.planning.overrides import DATA, resolve_settings
from harness.planning.run_data import candidate_roots, find_fingerprint, is_generated
from harness.planning.schema import load_dataset
from harness.planning.tried_options import accept_options
from harness.plugins.lookup import describe_origin, is_trusted
from harness.runs.code_version import git_state
from harness.runs.data_flags import DataFlag
from harness.runs.reader import StoredRun
from harness.runs.spec import RunSpec

DIGEST_LENGTH = 12  # printed hexadecimal digits
COMMIT = r"[0-9a-f]{4,64}"


@dataclass(frozen=True, slots=True)
class Reproduction:
    """Commands that make runs again."""

    commands: tuple[str, ...]
    exact: bool  # whether the present code plans exactly these keys
    remarks: tuple[str, ...]  # what the commands cannot restore, a sentence or two each


def reproduce(runs: Sequence[StoredRun], folder: Path, *, check_data: bool = True) -> Reproduction:
    """Return the commands that make some runs again, in a new runs folder.

    Args:
        runs: The runs.
        folder: Their runs folder.
        check_data: Compare the images in the recorded folders with the runs' fingerprints;
            otherwise a recorded folder of a real dataset is taken to hold them.
    """
    remarks = list(_code_remarks(runs))
    specs = []
    for run in runs:
        try:
            spec = RunSpec.from_json(run.spec)
            if is_trusted(spec.method):
                specs.append(spec)
                continue
            remarks.append(describe_origin(spec.method))
        except ValueError as error:
            remarks.append(f"{run.key} was made by another version of this program: {error}.")
        if command := run.environment.get("command"):
            remarks.append(f"It was started by: {command}")
    search = _DataSearch(runs, folder, check_data)
    named = folder if folder.name not in ("", "..") else folder.resolve()  # "." has no name
    target = named.with_name(f"{named.name}-again")
    try:
        commands = commands_for(specs, search.options, ["--runs", str(target)])
    except (UsageError, SetupError) as error:
        return Reproduction((), False, (*remarks, *search.remarks, *error.problems))
    planned = {spec for command in commands for spec in command.planned}
    changed = [
        f"With the present code the command makes another run than {spec.key}: the code of "
        f"{spec.method} has changed since. Go back to its commit first."
        for spec in specs
        if spec not in planned
    ]
    return Reproduction(
        commands=tuple(command.line for command in commands),
        exact=len(specs) == len(runs) > 0 and planned.issuperset(specs),
        remarks=tuple(dict.fromkeys([*remarks, *search.remarks, *changed])),
    )


def _code_remarks(runs: Sequence[StoredRun]) -> Iterator[str]:
    """Yield remarks on code and weights, which no option of a command can restore."""
    now = git_state()
    for run in runs:
        commit, dirty, patch = (run.environment.get(k) for k in ("commit", "dirty", "patch"))
        if not re.fullmatch(COMMIT, str(commit)):  # it becomes part of a command
            commit = None
        if run.environment.get("checkout") is False:
            if now.checkout is not False:
                version = run.environment.get(DISTRIBUTION) or "an unknown version"
                yield f"For the code as it was: install {DISTRIBUTION} {version}."
        elif run.record and not commit:
            yield "The commit of some runs was not recorded."
        elif commit and (commit, patch) != (now.commit, now.patch):
            yield f"For the code as it was: git checkout {commit}"
        if dirty and patch != now.patch:
            digest = f"digest {patch}" if patch else "digest not recorded"
            yield (
                f"At {str(commit)[:DIGEST_LENGTH]} files had been edited and not committed "
                f"({digest})."
            )
        if (weights := run.spec.get("weights", "none")) != "none":
            yield (
                f"{run.spec.get('network')} starts from weights with the digest {weights}; if "
                "yours are not where torchvision puts them, add --weights NETWORK=FILE."
            )


@dataclass
class _DataSearch:
    """A search for the data of runs in the folders where they were."""

    runs: Sequence[StoredRun]
    folder: Path  # the runs folder
    check_data: bool
    remarks: list[str] = field(default_factory=list)  # on data that were not found

    def options(self, spec: RunSpec) -> list[str]:
        """Return the options that name the very images a run was planned with.

        Raises:
            UsageError: No dataset has the name of the run's.
        """
        is_partial = any(DataFlag.PARTIAL in run.data_flags for run in self.runs)
        allowed = ["--allow-partial"] if is_partial else []
        recorded = self._recorded_folders(spec)
        if is_generated(spec.dataset):
            roots = candidate_roots(spec.dataset, self.folder, recorded)
            if root := _find_root(spec.dataset, spec.fingerprint, tuple(roots), self.folder):
                return [*_generator_options(root, spec), *allowed]
        elif recorded and not self.check_data:
            return ["--data-root", str(recorded[0]), *allowed]
        elif root := _find_root(spec.dataset, spec.fingerprint, tuple(recorded), self.folder):
            return ["--data-root", str(root), *allowed]
        elif recorded:
            self.remarks.append(
                f"The data was in {recorded[0]}, which is missing or holds other images now."
            )
        self.remarks.append(
            f"Name the images with the fingerprint {spec.fingerprint}: add --data-root DIR"
            f"{' or the --set data.NAME=VALUE of their generation' * is_generated(spec.dataset)}."
        )
        return allowed

    def _recorded_folders(self, spec: RunSpec) -> list[Path]:
        """Return the folders of data that records name, that of the run itself first."""
        own = [run for run in self.runs if run.key == spec.key]
        names = [run.environment.get("data") for run in (*own, *self.runs)]
        return [Path(str(name)) for name in dict.fromkeys(names) if name]


@lru_cache  # a page needs the data of every run of every table
def _find_root(
    dataset: str, fingerprint: str, roots: tuple[Path | None, ...], folder: Path
) -> Path | None:
    """Return the first of some folders that holds the images of a fingerprint."""
    context = RunContext(runs=folder, reporter=Reporter(quiet=True))
    try:
        return find_fingerprint(
            dataset, fingerprint, roots, context, accept_sample=True, keep_digests=False
        )[1]
    except SetupError:
        return None


def _generator_options(root: Path, spec: RunSpec) -> list[str]:
    """Return the options that draw a folder's images again.

    If this version draws others, they name the folder itself.
    """
    try:
        manifest = read_json(root / MANIFEST) or {}
        version, settings = manifest["generator_version"], dict(manifest["settings"])
    except (FileError, ValueError, KeyError, TypeError):
        return ["--data-root", str(root)]
    if version != GENERATOR_VERSION:
        return ["--data-root", str(root)]
    usually = resolve_settings([load_dataset(spec.dataset)], [], check_options=accept_options)
    usual = asdict(usually.data)
    changed = {name: value for name, value in settings.items() if value != usual.get(name)}
    return [word for name, value in changed.items() for word in ("--set", f"{DATA}.{name}={value}")]

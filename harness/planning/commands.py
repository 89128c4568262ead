"""From runs back to commands: what to type so that a plan holds these very runs.

The command is built from the spec alone and then planned without touching any data, so it is known
whether the present code would give the same keys.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any

from harness.core.errors import UsageError
from harness.models import ENSEMBLES
from harness.planning.grid import ResolvedRequest, expand_runs
from harness.planning.overrides import RECIPE, TEACHER_RECIPE, ResolvedSettings, resolve_settings
from harness.planning.schema import load_dataset
from harness.plugins.lookup import option_sections, resolve_method
from harness.runs.spec import Recipe, RunSpec
from methods import defaults, options

SAME = "same"  # --teacher-seed: as each student's
_file = lru_cache(load_dataset)  # asked for again and again
Data = Callable[[RunSpec], Sequence[str]]  # the options that name the run's data


@dataclass(frozen=True, slots=True)
class Command:
    """One command line, and which of the runs asked for its plan would hold."""

    words: tuple[str, ...]
    planned: frozenset[RunSpec]

    @property
    def line(self) -> str:
        """As typed."""
        return shlex.join(self.words)


@dataclass(frozen=True, slots=True)
class _Group:
    """Runs that one command can ask for: they differ in method, options and seed only."""

    example: RunSpec  # with seed 0 and without method
    teacher_seed: str
    seeds: tuple[int, ...]
    options: Mapping[str, Mapping[str, Any]]  # by method


def commands_for(specs: Iterable[RunSpec], data: Data, more: Sequence[str] = ()) -> list[Command]:
    """As few commands as there must be, `more` at the end of each; students first.

    A command for distilled students asks for their teacher and for the plain student, too.

    Raises:
        UsageError: no command can ask for such a run, or a name in it is unknown to this version.
    """
    found: list[Command] = []
    left = list(dict.fromkeys(specs))
    for distilled in (True, False):
        planned = {spec for command in found for spec in command.planned}
        chosen = [s for s in left if bool(s.teachers) is distilled and s not in planned]
        found += [_command(group, data, more) for group in _groups(chosen)]
    return found


def _groups(specs: Sequence[RunSpec]) -> list[_Group]:
    """Seeds of one method first, then methods of equal seeds."""
    seeds: dict[tuple[RunSpec, str], list[int]] = {}
    for spec in specs:
        seeds.setdefault((_seedless(spec), _teacher_seed(spec, specs)), []).append(spec.seed)
    merged: dict[tuple[RunSpec, str, tuple[int, ...]], list[dict[str, Mapping[str, Any]]]] = {}
    for (spec, teacher_seed), numbers in seeds.items():
        bare = replace(spec, method="", options=(), source="")
        several = merged.setdefault((bare, teacher_seed, tuple(sorted(numbers))), [])
        room = next((methods for methods in several if spec.method not in methods), None)
        if room is None:
            several.append(room := {})
        room[spec.method] = dict(spec.options)
    return [_Group(*what, methods) for what, several in merged.items() for methods in several]


def _seedless(spec: RunSpec) -> RunSpec:
    return replace(
        spec, seed=0, teachers=tuple(replace(teacher, seed=0) for teacher in spec.teachers)
    )


def _teacher_seed(spec: RunSpec, company: Sequence[RunSpec]) -> str:
    """What --teacher-seed says for this run and those that differ from it in the seed.

    Raises:
        UsageError: its teachers have different seeds.
    """
    if not spec.teachers:
        return "0"
    if len({teacher.seed for teacher in spec.teachers}) > 1:
        raise UsageError(f"No command asks for the teachers of {spec.key}: their seeds differ.")
    peers = [other for other in company if _seedless(other) == _seedless(spec)]
    pairs = {(other.teachers[0].seed, other.seed) for other in peers}
    if len({taught for taught, _ in pairs}) > 1 and all(taught == own for taught, own in pairs):
        return SAME
    return str(spec.teachers[0].seed)


def _command(group: _Group, data: Data, more: Sequence[str]) -> Command:
    """The command line of a group, planned."""
    spec = group.example
    file = _file(spec.dataset)
    names = tuple(group.options)
    base = resolve_settings([file], [], names)
    assignments = [*_recipes(spec, base, file.section(TEACHER_RECIPE)), *_options(group, base)]
    teacher = _teacher(spec)
    heads = {one.head for one in (spec, *spec.teachers)} - {"own"}
    if len(heads) > 1:
        raise UsageError(f"No command gives student and teacher different heads: {heads}.")
    head = next(iter(heads), "bnneck")
    seeds = ",".join(map(str, group.seeds))
    words = ["kdreid", "run", "--dataset", spec.dataset, "--methods", ",".join(names)]
    words += ["--teacher", teacher] if teacher else []
    words += ["--student", spec.network, "--head", head, "--seeds", seeds]
    words += ["--teacher-seed", group.teacher_seed] if group.teacher_seed != "0" else []
    words += ["--device", spec.device]
    words += ["--threads", str(spec.threads)] if spec.threads else []
    for assignment in assignments:
        words += ["--set", assignment]
    request = ResolvedRequest(
        spec.dataset,
        names,
        teacher or spec.network,
        spec.network,
        group.seeds,
        head,
        spec.device,
        spec.threads,
        group.teacher_seed,
    )
    weights = {one.network: one.weights for one in (*spec.teachers, spec)}
    planned = expand_runs(
        request, resolve_settings([file], assignments, names), spec.fingerprint, weights
    )
    return Command((*words, *data(spec), *more), frozenset(planned))


def _teacher(spec: RunSpec) -> str:
    """What --teacher says.

    Raises:
        UsageError: these networks make no team.
    """
    networks = tuple(teacher.network for teacher in spec.teachers)
    if len(networks) < 2:
        return "".join(networks)
    for name, members in ENSEMBLES.items():
        if members == networks:
            return name
    raise UsageError(f"No teacher of several networks is made of {', '.join(networks)}.")


def _recipes(spec: RunSpec, base: ResolvedSettings, stated: Mapping[str, object]) -> list[str]:
    """What to set so that student and teacher are trained as they were."""
    found = []
    for name in (field.name for field in fields(Recipe)):
        value = getattr(spec.recipe, name)
        if value != getattr(base.recipe, name):
            found.append(f"{RECIPE}.{name}={_text(value)}")
        usual = getattr(base.teacher_recipe, name) if name in stated else value
        for teacher in spec.teachers[:1]:
            if getattr(teacher.recipe, name) != usual:
                found.append(f"{TEACHER_RECIPE}.{name}={_text(getattr(teacher.recipe, name))}")
    return found


def _options(group: _Group, base: ResolvedSettings) -> list[str]:
    """What to set so that every method has its options, where the dataset's file differs, too."""
    sections = {method: section for section, method in option_sections(group.options).items()}
    found = []
    for method, wanted in group.options.items():
        stated = base.options.get(method, {})
        kind = resolve_method(method)
        variant = options(kind)["variant"].default
        usual = {"variant": variant, **defaults(kind, str(wanted.get("variant", variant)))}
        for name in dict.fromkeys([*wanted, *stated]):
            value = wanted.get(name, usual[name])
            if value != stated.get(name, usual[name]):
                found.append(f"{sections[method]}.{name}={_text(value)}")
    return found


def _text(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)

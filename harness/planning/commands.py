"""Turn runs back into commands: what to type so that a plan contains these very runs.

A command is built from the runs' specs alone. It is then planned without opening any data, so it is
known whether the present code would give the same keys.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any

from harness.core.errors import UsageError
from harness.models import ENSEMBLES
from harness.planning.grid import expand_runs
from harness.planning.names import DEFAULT_HEAD, SAME_SEED, resolve_recorded_methods
from harness.planning.overrides import (
    RECIPE,
    TEACHER_RECIPE,
    ResolvedSettings,
    resolve_settings,
    to_text,
)
from harness.planning.request import ResolvedMethod, ResolvedRequest
from harness.planning.schema import ConfigValues, load_dataset
from harness.planning.tried_options import accept_options
from harness.runs.spec import OWN_HEAD, Recipe, RunSpec

_load_dataset = lru_cache(load_dataset)
DataOptions = Callable[[RunSpec], Sequence[str]]  # the options that name a run's data


@dataclass(frozen=True, slots=True)
class Command:
    """A command line, and the runs that its plan contains."""

    words: tuple[str, ...]
    planned: frozenset[RunSpec]

    @property
    def line(self) -> str:
        """The command as typed in a shell."""
        return shlex.join(self.words)


@dataclass(frozen=True, slots=True)
class _Group:
    """Runs that one command can request: only method, options and seed differ."""

    example: RunSpec  # with seed 0 and without a method
    teacher_seed: int | None  # None: the seed of each student
    seeds: tuple[int, ...]
    options: Mapping[str, Mapping[str, Any]]  # by method


def commands_for(
    specs: Iterable[RunSpec], data: DataOptions, extra: Sequence[str] = ()
) -> list[Command]:
    """Return the fewest commands whose plans contain the given runs.

    A command for distilled students plans their teacher and the plain student, too.

    Args:
        specs: The runs.
        data: Returns the options that name the data of a run.
        extra: Words to append to each command.

    Raises:
        UsageError: No command can request a run, or one of its names is unknown to this version.
    """
    commands: list[Command] = []
    unique = list(dict.fromkeys(specs))
    teachers = [t for spec in unique if _has_foreign_teacher(spec) for t in spec.teachers]
    distilled = [spec for spec in unique if spec.teachers]
    plain = [spec for spec in unique if not spec.teachers]
    for some in (list(dict.fromkeys(teachers)), distilled, plain):
        planned = {spec for command in commands for spec in command.planned}
        chosen = [spec for spec in some if spec not in planned]
        commands += [_command(group, data, extra) for group in _group(chosen)]
    return commands


def _has_foreign_teacher(spec: RunSpec) -> bool:
    """Return whether a run's teacher was made by a command of its own, for --teacher-run."""
    return any(
        (one.device, one.threads) != (spec.device, spec.threads)
        or len({one.head, spec.head} - {OWN_HEAD}) > 1
        for one in spec.teachers
    )


def _group(specs: Sequence[RunSpec]) -> list[_Group]:
    """Group the seeds of a method first, then methods of equal seeds."""
    seeds: dict[tuple[RunSpec, int | None], list[int]] = {}
    for spec in specs:
        seeds.setdefault((_without_seed(spec), _teacher_seed(spec, specs)), []).append(spec.seed)
    merged: dict[
        tuple[RunSpec, int | None, tuple[int, ...]], list[dict[str, Mapping[str, Any]]]
    ] = {}
    for (spec, teacher_seed), numbers in seeds.items():
        example = replace(spec, method="", options=(), source="")
        groups = merged.setdefault((example, teacher_seed, tuple(sorted(numbers))), [])
        group = next((methods for methods in groups if spec.method not in methods), None)
        if group is None:
            groups.append(group := {})
        group[spec.method] = dict(spec.options)
    return [_Group(*shared, methods) for shared, groups in merged.items() for methods in groups]


def _without_seed(spec: RunSpec) -> RunSpec:
    if _has_foreign_teacher(spec):
        return replace(spec, seed=0)
    return replace(
        spec, seed=0, teachers=tuple(replace(teacher, seed=0) for teacher in spec.teachers)
    )


def _teacher_seed(spec: RunSpec, specs: Sequence[RunSpec]) -> int | None:
    """Return --teacher-seed for a run and those of `specs` that differ from it in the seed.

    Raises:
        UsageError: Its teachers have different seeds.
    """
    if not spec.teachers or _has_foreign_teacher(spec):
        return 0
    if len({teacher.seed for teacher in spec.teachers}) > 1:
        raise UsageError(f"No command can request the teachers of {spec.key}: their seeds differ.")
    peers = [other for other in specs if _without_seed(other) == _without_seed(spec)]
    pairs = {(other.teachers[0].seed, other.seed) for other in peers}
    if len({teacher for teacher, _ in pairs}) > 1 and all(teacher == own for teacher, own in pairs):
        return None
    return spec.teachers[0].seed


def _command(group: _Group, data: DataOptions, extra: Sequence[str]) -> Command:
    """Return the command of a group, with its plan."""
    spec = group.example
    file = _load_dataset(spec.dataset)
    methods = resolve_recorded_methods(group.options)
    base = resolve_settings([file], [], methods, accept_options)
    runs = spec.teachers if _has_foreign_teacher(spec) else ()
    described = replace(spec, teachers=()) if runs else spec
    overrides = [
        *_recipe_overrides(described, base, file.section(TEACHER_RECIPE)),
        *_option_overrides(methods, group.options, base),
    ]
    request = ResolvedRequest(
        dataset=spec.dataset,
        methods=methods,
        teachers=tuple(teacher.network for teacher in spec.teachers),
        student=spec.network,
        head=_head(described),
        seeds=group.seeds,
        teacher_seed=group.teacher_seed,
        device=spec.device,
        threads=spec.threads,
        teacher_runs=runs,
    )
    weights = {one.network: one.weights for one in (*spec.teachers, spec)}
    settings = resolve_settings([file], overrides, methods, accept_options)
    planned = expand_runs(request, settings, spec.fingerprint, weights)
    words = [*_words(request, overrides), *data(spec), *extra]
    return Command(tuple(words), frozenset(planned))


def _words(request: ResolvedRequest, overrides: Sequence[str]) -> list[str]:
    """Return the words of the command that makes a request."""
    names = ",".join(method.name for method in request.methods)
    words = ["kdreid", "run", "--dataset", request.dataset, "--methods", names]
    if request.teacher_runs:
        words += ["--teacher-run", ",".join(run.key for run in request.teacher_runs)]
    elif request.teachers:
        words += ["--teacher", _teacher_name(request.teachers)]
    words += ["--student", request.student, "--head", request.head]
    words += ["--seeds", ",".join(map(str, request.seeds))]
    if request.teacher_seed != 0:
        seed = SAME_SEED if request.teacher_seed is None else str(request.teacher_seed)
        words += ["--teacher-seed", seed]
    words += ["--device", request.device]
    words += ["--threads", str(request.threads)] if request.threads else []
    for override in overrides:
        words += ["--set", override]
    return words


def _head(spec: RunSpec) -> str:
    """Return the head of a run and its teachers.

    Raises:
        UsageError: Their heads differ.
    """
    heads = {one.head for one in (spec, *spec.teachers)} - {OWN_HEAD}
    if len(heads) > 1:
        names = ", ".join(sorted(heads))
        raise UsageError(f"No command gives student and teacher different heads: {names}.")
    return next(iter(heads), DEFAULT_HEAD)


def _teacher_name(networks: tuple[str, ...]) -> str:
    """Return the name of a network, or of the ensemble of several.

    Raises:
        UsageError: No ensemble consists of these networks.
    """
    if len(networks) == 1:
        return networks[0]
    for name, members in ENSEMBLES.items():
        if members == networks:
            return name
    raise UsageError(f"No ensemble consists of the networks {', '.join(networks)}.")


def _recipe_overrides(spec: RunSpec, base: ResolvedSettings, stated: ConfigValues) -> list[str]:
    """Return the overrides that give student and teacher their recipes.

    Args:
        spec: The student.
        base: The settings without overrides.
        stated: What the dataset's file states for teachers only.
    """
    overrides = []
    for name in (field.name for field in fields(Recipe)):
        value = getattr(spec.recipe, name)
        if value != getattr(base.recipe, name):
            overrides.append(f"{RECIPE}.{name}={to_text(value)}")
        inherited = getattr(base.teacher_recipe, name) if name in stated else value
        for teacher in spec.teachers[:1]:
            if getattr(teacher.recipe, name) != inherited:
                text = to_text(getattr(teacher.recipe, name))
                overrides.append(f"{TEACHER_RECIPE}.{name}={text}")
    return overrides


def _option_overrides(
    methods: Sequence[ResolvedMethod],
    chosen: Mapping[str, Mapping[str, Any]],
    base: ResolvedSettings,
) -> list[str]:
    """Return the overrides that give each method its options."""
    overrides = []
    for method in methods:
        stated = base.options.get(method.section, {})
        values = chosen[method.name]
        variant = method.about.options["variant"].default
        usual = {"variant": variant}
        usual |= method.about.defaults(str(values.get("variant", variant)))
        for name in dict.fromkeys([*values, *stated]):
            value = values.get(name, usual[name])
            if value != stated.get(name, usual[name]):
                overrides.append(f"{method.section}.{name}={to_text(value)}")
    return overrides

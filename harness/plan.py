"""From names and configurations to runs: a grid is a plain list of cohorts, teachers first.

Precedence of settings, weakest first: defaults of `Recipe`, the dataset's file, the study's file,
`--set`, `--precision`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from fnmatch import fnmatch
from typing import TypeVar, get_type_hints

from pydantic import TypeAdapter, ValidationError

from harness.config import File, Values
from harness.data.synthetic import Synthetic
from harness.errors import UsageError, nearest
from harness.networks import NETWORKS
from harness.sources import source_digest
from harness.spec import Option, Recipe, RunSpec
from methods import EXTRAS, METHODS, Method, Widths, create, find, options

RECIPE, TEACHER_RECIPE, DATA = "recipe", "teacher_recipe", "data"


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for, on one dataset, with every name already checked."""

    dataset: str
    methods: tuple[str, ...]
    teacher: str
    student: str
    seeds: tuple[int, ...]
    head: str
    device: str
    threads: int
    teacher_seed: str = "0"  # or "same": a teacher for every student seed


@dataclass(frozen=True, slots=True)
class Settings:
    """What the configurations and `--set` say, merged."""

    recipe: Recipe
    teacher_recipe: Recipe
    options: Mapping[str, Values]  # per method
    data: Synthetic


def choose(
    asked: Iterable[str], known: Sequence[str], everything: Sequence[str], what: str
) -> list[str]:
    """Names from a list that may hold `all` and globs; commas and spaces both separate.

    Raises:
        UsageError: a name or glob fits nothing.
    """
    chosen: list[str] = []
    for word in (word for text in asked for word in text.replace(",", " ").split()):
        found = list(everything) if word == "all" else [k for k in known if fnmatch(k, word)]
        if not found:
            raise UsageError(f"No {what} is called {word!r}.{nearest(word, [*known, 'all'])}")
        chosen += found
    return list(dict.fromkeys(chosen))


def method_names(asked: Iterable[str], excluded: Iterable[str] = ()) -> tuple[str, ...]:
    """The methods that are meant, in the order asked, without the excluded ones."""
    known = [*METHODS, *EXTRAS]
    left_out = choose(excluded, known, [*METHODS], "method")
    return tuple(n for n in choose(asked, known, [*METHODS], "method") if n not in left_out)


def network_name(name: str) -> str:
    """`name`, if it is a network's.

    Raises:
        UsageError: it is not.
    """
    if name not in NETWORKS:
        raise UsageError(f"No network is called {name!r}.{nearest(name, NETWORKS)}")
    return name


def settle(files: Sequence[File], assignments: Sequence[str]) -> Settings:
    """Merge files (weakest first) and `key=value` assignments.

    Raises:
        UsageError: an assignment's key is unknown or its value impossible.
    """
    stated: dict[str, Values] = {}
    for file in files:
        for section in (RECIPE, TEACHER_RECIPE, DATA):
            stated.setdefault(section, {}).update(file.section(section))
        for method, values in file.options.items():
            stated.setdefault(method, {}).update(values)
    for assignment in assignments:
        section, name, value = _split(assignment)
        stated.setdefault(section, {})[name] = value
    recipe = stated.pop(RECIPE, {})
    teacher = recipe | stated.pop(TEACHER_RECIPE, {})
    data = stated.pop(DATA, {})
    return Settings(
        recipe=_typed(Recipe, recipe, RECIPE),
        teacher_recipe=_typed(Recipe, teacher, TEACHER_RECIPE),
        data=_typed(Synthetic, data, DATA),
        options={method: _method_options(method, values) for method, values in stated.items()},
    )


def runs(
    request: Request, settings: Settings, fingerprint: str, weights: Mapping[str, str]
) -> list[RunSpec]:
    """Every run that the request needs: teachers, plain students, distilled students.

    `weights` gives the digest of each network's initial weights; networks from scratch are absent.
    """

    def spec(method: str, network: str, seed: int, recipe: Recipe, *teachers: RunSpec) -> RunSpec:
        return RunSpec(
            dataset=request.dataset, method=method, network=network, teachers=teachers, seed=seed,
            recipe=recipe, options=tuple(sorted(settings.options.get(method, {}).items())),
            head=request.head, fingerprint=fingerprint,
            weights=weights.get(network, "none") if recipe.pretrained != "none" else "none",
            source=source_digest(find(method).__module__), device=request.device,
            threads=request.threads,
        )  # fmt: skip

    wanted = []
    distilled = [name for name in request.methods if name != "none"]
    for seed in request.seeds:
        if distilled:
            teacher_seed = seed if request.teacher_seed == "same" else int(request.teacher_seed)
            teacher = spec("none", request.teacher, teacher_seed, settings.teacher_recipe)
            wanted.append(teacher)
        wanted.append(spec("none", request.student, seed, settings.recipe))
        wanted += [spec(m, request.student, seed, settings.recipe, teacher) for m in distilled]
    return list(dict.fromkeys(wanted))


def cohorts(specs: Sequence[RunSpec], pack: int) -> list[tuple[RunSpec, ...]]:
    """Group runs that may share one data stream and one teacher, `pack` at most; teachers first."""
    taught = {teacher for spec in specs for teacher in spec.teachers}
    levels = [[s for s in specs if s in taught], [s for s in specs if s not in taught]]
    result = []
    for level in levels:
        groups: dict[tuple[_Stream, tuple[RunSpec, ...]], list[RunSpec]] = {}
        for spec in level:
            groups.setdefault((_stream(spec), spec.teachers), []).append(spec)
        for (stream, teachers), group in list(groups.items()):
            company = [home for home in groups if home[0] == stream and home[1]]
            if not teachers and company:  # a run without a teacher joins any company
                groups[company[0]] = group + groups[company[0]]
                del groups[stream, teachers]
        for group in groups.values():
            result += [tuple(group[at : at + pack]) for at in range(0, len(group), pack)]
    return result


_Stream = tuple[str, str, int, Recipe, str, int]


def _stream(spec: RunSpec) -> _Stream:
    """What runs must have in common to see the same batches on the same device."""
    return (
        spec.dataset, spec.fingerprint, spec.seed, spec.recipe, spec.device, spec.threads
    )  # fmt: skip


def _split(assignment: str) -> tuple[str, str, Option]:
    """`recipe.epochs=3` as (section, name, value as text)."""
    key, equals, value = assignment.partition("=")
    section, dot, name = key.strip().partition(".")
    if not (equals and dot and name):
        raise UsageError(f"--set {assignment!r} is not SECTION.NAME=VALUE, as in recipe.epochs=60.")
    sections = [RECIPE, TEACHER_RECIPE, DATA, *METHODS, *EXTRAS]
    if section not in sections:
        hint = nearest(section, sections)
        raise UsageError(f"--set {assignment!r}: nothing is called {section!r}.{hint}")
    return section, name, value.strip()


T = TypeVar("T")


def _typed(kind: type[T], values: Values, section: str) -> T:
    """A dataclass from stated values, each converted to its field's type."""
    hints = get_type_hints(kind)
    known = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    given = {}
    for name, value in values.items():
        if name not in known:
            raise UsageError(f"{section} has no {name!r}.{nearest(name, known)}")
        given[name] = _convert(value, hints[name], f"{section}.{name}")
    try:
        return kind(**given)
    except ValueError as error:
        raise UsageError(str(error)) from error


def _method_options(method: str, values: Values) -> Values:
    """A method's options, checked and without those that state the default."""
    try:
        kind: type[Method] = find(method)
    except ValueError as error:
        raise UsageError(str(error)) from error
    offered = options(kind)
    chosen: Values = {}
    for name, value in values.items():
        if name not in offered:
            raise UsageError(f"{method} has no option {name!r}.{nearest(name, offered)}")
        typed = _convert(value, offered[name].type, f"{method}.{name}")
        if typed != offered[name].default:
            chosen[name] = typed
    try:  # an impossible value is known now, not when the run starts
        create(kind, _SMALL, _SMALL, chosen)
    except ValueError as error:
        raise UsageError(str(error)) from error
    return chosen


_SMALL = Widths(maps=(8, 8, 8, 8), embedding=8, identities=2)


def _convert(value: Option, kind: type, name: str) -> Option:
    try:
        converted: Option = TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        raise UsageError(f"{name} takes {kind.__name__}, given {value!r}.") from error
    return converted

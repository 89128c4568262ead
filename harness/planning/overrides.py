"""What configurations and `--set` say, merged and checked.

Precedence, weakest first: defaults of `Recipe`, the dataset's file, the study's file, `--set`,
`--precision`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any, TypeVar, cast, get_origin, get_type_hints

from pydantic import TypeAdapter, ValidationError

from harness.core.errors import UsageError, did_you_mean
from harness.data.synthetic.generator import SyntheticSettings
from harness.planning.schema import ConfigFile, ConfigValue, ConfigValues, Options
from harness.plugins.lookup import option_sections, resolve_method
from harness.runs.spec import Option, Recipe
from methods import Widths, create, defaults, options

RECIPE, TEACHER_RECIPE, DATA = "recipe", "teacher_recipe", "data"


@dataclass(frozen=True, slots=True)
class ResolvedSettings:
    """What the configurations and `--set` say, merged."""

    recipe: Recipe
    teacher_recipe: Recipe
    options: Mapping[str, Options]  # per method
    data: SyntheticSettings


def resolve_settings(
    files: Sequence[ConfigFile], assignments: Sequence[str], methods: Iterable[str] = ()
) -> ResolvedSettings:
    """Merge files (weakest first) and `key=value` assignments.

    `methods` are those asked for; options of ours can be given without asking for them.

    Raises:
        UsageError: an assignment's key is unknown or its value impossible.
    """
    sections = option_sections(methods)
    stated: dict[str, ConfigValues] = {}
    for file in files:
        for section in (RECIPE, TEACHER_RECIPE, DATA):
            stated.setdefault(section, {}).update(file.section(section))
        for method, values in file.options.items():
            stated.setdefault(method, {}).update(values)
    for assignment in assignments:
        section, name, value = _split(assignment, sections)
        stated.setdefault(section, {})[name] = value
    recipe = stated.pop(RECIPE, {})
    teacher = recipe | stated.pop(TEACHER_RECIPE, {})
    data = stated.pop(DATA, {})
    return ResolvedSettings(
        recipe=_typed(Recipe, recipe, RECIPE),
        teacher_recipe=_typed(Recipe, teacher, TEACHER_RECIPE),
        data=_typed(SyntheticSettings, data, DATA),
        options={
            sections.get(section, section): _method_options(section, sections, values)
            for section, values in stated.items()
        },
    )


def _split(assignment: str, methods: Iterable[str]) -> tuple[str, str, Option]:
    """`recipe.epochs=3` as (section, name, value as text)."""
    key, equals, value = assignment.partition("=")
    section, dot, name = key.strip().partition(".")
    if not (equals and dot and name):
        raise UsageError(f"--set {assignment!r} is not SECTION.NAME=VALUE, as in recipe.epochs=60.")
    sections = [RECIPE, TEACHER_RECIPE, DATA, *methods]
    if section not in sections:
        hint = did_you_mean(section, sections)
        raise UsageError(f"--set {assignment!r}: nothing is called {section!r}.{hint}")
    return section, name, value.strip()


T = TypeVar("T")
_hints: Callable[[Any], dict[str, Any]] = lru_cache(get_type_hints)  # a report settles often


@lru_cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _typed(kind: type[T], values: ConfigValues, section: str) -> T:
    """A dataclass from stated values, each converted to its field's type."""
    hints = _hints(kind)
    known = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    given = {}
    for name, value in values.items():
        if name not in known:
            raise UsageError(f"{section} has no {name!r}.{did_you_mean(name, known)}")
        given[name] = _convert(value, hints[name], f"{section}.{name}")
    try:
        return kind(**given)
    except ValueError as error:
        raise UsageError(str(error)) from error


def _method_options(
    method: str, sections: Mapping[str, str], values: Mapping[str, ConfigValue]
) -> Options:
    """A method's options, checked and without those that state the default."""
    if method not in sections:
        raise UsageError(f"No method is called {method!r}.{did_you_mean(method, sections)}")
    kind = resolve_method(sections[method])
    offered = options(kind)
    chosen: Options = {}
    for name, value in values.items():
        if name not in offered:
            raise UsageError(f"{method} has no option {name!r}.{did_you_mean(name, offered)}")
        chosen[name] = cast("Option", _convert(value, offered[name].type, f"{method}.{name}"))
    try:  # an impossible value is known now, not when the run starts
        create(kind, _SMALL, _SMALL, chosen)
    except ValueError as error:
        raise UsageError(str(error)) from error
    usual = {"variant": offered["variant"].default}
    usual |= defaults(kind, str(chosen.get("variant", usual["variant"])))
    return {name: value for name, value in chosen.items() if value != usual[name]}


_SMALL = Widths(maps=(8, 8, 8, 8), embedding=8, identities=2)


def _convert(value: ConfigValue, kind: Any, name: str) -> ConfigValue:
    listed = get_origin(kind) is tuple
    words = value.replace(",", " ").split() if isinstance(value, str) else value
    try:
        converted: ConfigValue = _adapter(kind).validate_python(words if listed else value)
    except ValidationError as error:
        wanted = "numbers such as 60,90,110" if listed else kind.__name__
        raise UsageError(f"{name} takes {wanted}, given {value!r}.") from error
    return converted

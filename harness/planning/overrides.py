"""Merge and check what configuration files and `--set` state.

Precedence, weakest first: defaults of `Recipe`, the dataset's file, the study's file, the sweep's
point, `--set`, `--precision`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from functools import lru_cache
from typing import Any, TypeVar, cast, get_type_hints

from harness.core.errors import ErrorCollector, UsageError, did_you_mean
from harness.core.override import parse_override, replace_aliases
from harness.data.synthetic.generator import SyntheticSettings
from harness.planning.request import ResolvedMethod
from harness.planning.schedule import merge_recipe
from harness.planning.schema import ConfigFile, ConfigValue, ConfigValues, Options, field_aliases
from harness.planning.tried_options import try_options
from harness.planning.values import convert_value
from harness.plugins.lookup import option_sections
from harness.runs.spec import Recipe, RunSpec
from methods import MethodDescription

RECIPE, TEACHER_RECIPE, DATA = "recipe", "teacher_recipe", "data"
_DATACLASSES: dict[str, type] = {RECIPE: Recipe, TEACHER_RECIPE: Recipe, DATA: SyntheticSettings}

T = TypeVar("T")
Sections = Mapping[str, MethodDescription]  # methods by the section of their options
OptionCheck = Callable[[MethodDescription, Options], None]  # refuses options with a UsageError


@dataclass(frozen=True, slots=True)
class ResolvedSettings:
    """Merged settings of the runs on one dataset."""

    recipe: Recipe
    teacher_recipe: Recipe
    data: SyntheticSettings
    options: Mapping[str, Options]  # what differs from the defaults, by section
    notes: tuple[str, ...] = ()  # about schedules that were scaled


@dataclass(frozen=True)
class _Layer:
    """The settings of one file or of the command line, each of its field's type, by section."""

    values: dict[str, ConfigValues] = field(default_factory=dict)

    def section(self, name: str) -> ConfigValues:
        """Return the values of a section, which may be absent."""
        return self.values.get(name, {})


def resolve_settings(
    files: Sequence[ConfigFile],
    overrides: Sequence[str],
    methods: Iterable[ResolvedMethod] = (),
    check_options: OptionCheck = try_options,
) -> ResolvedSettings:
    """Merge configuration files and overrides.

    Args:
        files: Weakest first.
        overrides: `SECTION.NAME=VALUE`; the last one of a name counts.
        methods: Users' methods whose options may be given; those of built-in methods always may.
        check_options: Called with the options of each method that differ from its defaults.

    Raises:
        UsageError: Some sections or names are unknown, or some values are impossible.
    """
    sections = option_sections({method.name: method.about for method in methods})
    errors = ErrorCollector()
    layers = [_read_file(file, sections, errors) for file in files]
    layers.append(_read_overrides(overrides, sections, errors))
    settings = _merge(layers, sections, errors, check_options)
    errors.raise_if_any()
    return settings


def override_spec(spec: RunSpec, overrides: Sequence[str], method: ResolvedMethod) -> RunSpec:
    """Return a run with another recipe or other options; its teachers and data stay.

    Args:
        spec: The run.
        overrides: `recipe.NAME=VALUE` or options of its method.
        method: The run's method.

    Raises:
        UsageError: A name is unknown, a value is impossible, or a teacher or the data would change.
    """
    for text in overrides:
        if parse_override(text, "--with").section in (TEACHER_RECIPE, DATA):
            raise UsageError(
                f"--with {text!r}: a retry changes the runs themselves, not their teacher or "
                f"data. Plan such runs with kdreid run --set {text}"
            )
    sections = option_sections({method.name: method.about})
    errors = ErrorCollector()
    present = _Layer({RECIPE: asdict(spec.recipe), method.section: dict(spec.options)})
    changes = _read_overrides(overrides, sections, errors, option="--with")
    settings = _merge([present, changes], sections, errors, try_options)
    errors.raise_if_any()
    if (settings.recipe.pretrained, spec.recipe.pretrained) == ("imagenet", "none"):
        raise UsageError(
            f"{spec.key} starts from random weights, so a retry has no file to start from. Plan it "
            "with kdreid run --set recipe.pretrained=imagenet"
        )
    return replace(
        spec,
        recipe=settings.recipe,
        options=tuple(sorted(settings.options.get(method.section, {}).items())),
        weights="none" if settings.recipe.pretrained == "none" else spec.weights,
    )


def to_text(value: object) -> str:
    """Return the value of a setting as the command line takes it."""
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _read_file(file: ConfigFile, sections: Sections, errors: ErrorCollector) -> _Layer:
    """Return the settings that a configuration file states."""
    layer = _Layer()
    for section in _DATACLASSES:
        for name, value in file.section(section).items():
            with errors.collect():
                _set(layer, section, name, value, sections)
    for section, values in file.options.items():
        for name, value in values.items():
            with errors.collect():
                _set(layer, section, name, value, sections)
    return layer


def _read_overrides(
    texts: Sequence[str], sections: Sections, errors: ErrorCollector, *, option: str = "--set"
) -> _Layer:
    """Return the settings that overrides state."""
    stated: dict[str, dict[str, str]] = {}
    for text in texts:
        with errors.collect():
            override = parse_override(text, option)
            known = [*_DATACLASSES, *sections]
            if override.section not in known:
                hint = did_you_mean(override.section, known)
                raise UsageError(
                    f"{option} {text!r}: nothing is called {override.section!r}.{hint}"
                )
            stated.setdefault(override.section, {})[override.name] = override.value
    layer = _Layer()
    for section, values in stated.items():
        for name, value in _proper_names(section, values, errors).items():
            with errors.collect():
                _set(layer, section, name, value, sections)
    return layer


def _proper_names(section: str, values: dict[str, str], errors: ErrorCollector) -> dict[str, str]:
    """Replace aliases of fields."""
    if section not in _DATACLASSES:
        return values
    aliases = field_aliases(_DATACLASSES[section])
    try:
        return replace_aliases(values, aliases)
    except ValueError as error:
        with errors.collect():
            raise UsageError(f"{section}: {error}.") from error
    return {aliases.get(name, name): value for name, value in values.items()}


def _set(layer: _Layer, section: str, name: str, value: ConfigValue, sections: Sections) -> None:
    """Convert a value to its setting's type and add it to a layer.

    Raises:
        UsageError: The section or the name is unknown, or the value is impossible.
    """
    if section in _DATACLASSES:
        settings = _DATACLASSES[section]
        known = {one.name: one.metadata.get("values", {}) for one in fields(settings)}
        if name not in known:
            allowed = [*known, *field_aliases(settings)]
            raise UsageError(f"{section} has no {name!r}.{did_you_mean(name, allowed)}")
        value, kind = known[name].get(value, value), _hints(settings)[name]
    elif section in sections:
        offered = sections[section].options
        if name not in offered:
            raise UsageError(f"{section} has no option {name!r}.{did_you_mean(name, offered)}")
        kind = offered[name].type
    else:
        raise UsageError(f"No method is called {section!r}.{did_you_mean(section, sections)}")
    layer.values.setdefault(section, {})[name] = convert_value(value, kind, f"{section}.{name}")


def _merge(
    layers: Sequence[_Layer],
    sections: Sections,
    errors: ErrorCollector,
    check_options: OptionCheck,
) -> ResolvedSettings:
    """Merge layers, weakest first; where values do not go together, return the defaults."""
    recipes = [layer.section(RECIPE) for layer in layers]
    teacher_layers = [*recipes, *(layer.section(TEACHER_RECIPE) for layer in layers)]
    recipe, recipe_note = merge_recipe(recipes)
    teacher_recipe, teacher_note = merge_recipe(teacher_layers)
    notes = {RECIPE: recipe_note, TEACHER_RECIPE: teacher_note}
    if teacher_note == recipe_note:  # the teacher is trained as its students are
        del notes[TEACHER_RECIPE]
    data: ConfigValues = {}
    stated: dict[str, Options] = {}
    for layer in layers:
        data |= layer.section(DATA)
        for section in layer.values:
            if section not in _DATACLASSES:
                values = cast("Options", layer.section(section))
                stated.setdefault(section, {}).update(values)
    chosen: dict[str, Options] = {}
    for section, values in stated.items():
        with errors.collect():
            differing = _without_defaults(sections[section], values)
            check_options(sections[section], differing)
            chosen[section] = differing
    built = _build(Recipe, recipe, errors)
    # Teachers inherit the recipe: its problems are reported once.
    teacher = _build(Recipe, teacher_recipe, errors, TEACHER_RECIPE) if built else None
    return ResolvedSettings(
        recipe=built or Recipe(),
        teacher_recipe=teacher or Recipe(),
        data=_build(SyntheticSettings, data, errors) or SyntheticSettings(),
        options=chosen,
        notes=tuple(f"{section}: {note}" for section, note in notes.items() if note),
    )


def _build(
    kind: type[T], values: Mapping[str, Any], errors: ErrorCollector, section: str = RECIPE
) -> T | None:
    """Return a dataclass with some values; None if they are impossible or do not go together."""
    with errors.collect():
        try:
            return kind(**values)
        except ValueError as error:
            raise UsageError(str(error).replace(f"{RECIPE}.", f"{section}.")) from error
    return None


def _without_defaults(method: MethodDescription, values: Options) -> Options:
    """Return the options that differ from the defaults of their variant.

    Raises:
        UsageError: The method has no such variant.
    """
    usual = {"variant": method.options["variant"].default}
    try:
        usual |= method.defaults(str(values.get("variant", usual["variant"])))
    except ValueError as error:
        raise UsageError(str(error)) from error
    return {name: value for name, value in values.items() if value != usual[name]}


_hints: Callable[[Any], dict[str, Any]] = lru_cache(get_type_hints)  # a report calls it often

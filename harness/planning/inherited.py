"""Say which settings of the command line teachers take over from their students.

A study or a dataset's file states a recipe for students and teachers alike. What the command line
changes in it holds for the teacher, too, unless `teacher_recipe` states the field: that may mean to
train another teacher although a finished one is there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from pathlib import Path

from harness.core.errors import FileError, UsageError
from harness.core.files import file_exists
from harness.core.override import parse_override
from harness.planning.overrides import (
    RECIPE,
    TEACHER_RECIPE,
    OptionCheck,
    ResolvedSettings,
    resolve_settings,
    to_text,
)
from harness.planning.request import ResolvedMethod, ResolvedRequest
from harness.planning.schema import ConfigFile, field_aliases
from harness.planning.tried_options import try_options
from harness.runs.layout import RECORD
from harness.runs.spec import Recipe, RunSpec


@dataclass(frozen=True, slots=True)
class SettingsPoint:
    """Settings at one point of a sweep, and the teacher's without those of its students."""

    settings: ResolvedSettings
    own_teacher_recipe: Recipe | None  # without the command line's `recipe`; None: impossible
    named: frozenset[str]  # fields of the recipe that the command line states

    @property
    def inherited(self) -> tuple[str, ...]:
        """Fields of the recipe that the command line changes for the teacher, too."""
        own, recipe = self.own_teacher_recipe, self.settings.teacher_recipe
        names = [field.name for field in fields(Recipe) if field.name in self.named]
        if own is None:
            return ()
        return tuple(name for name in names if getattr(own, name) != getattr(recipe, name))

    def with_kept_teacher(self) -> ResolvedSettings | None:
        """Return the settings with the teacher's own recipe; None if it inherits nothing."""
        if self.own_teacher_recipe is None or not self.inherited:
            return None
        return replace(self.settings, teacher_recipe=self.own_teacher_recipe)


def resolve_point(
    files: Sequence[ConfigFile],
    overrides: Sequence[str],
    methods: Iterable[ResolvedMethod],
    check_options: OptionCheck = try_options,
) -> SettingsPoint:
    """Merge configuration files and overrides; arguments and errors are of `resolve_settings`."""
    chosen = tuple(methods)
    settings = resolve_settings(files, overrides, chosen, check_options)
    given = [parse_override(text) for text in overrides]
    aliases = field_aliases(Recipe)
    named = {aliases.get(one.name, one.name) for one in given if one.section == RECIPE}
    others = [text for text in overrides if parse_override(text).section != RECIPE]
    own = None
    with suppress(UsageError):  # the command line may mend what the files leave impossible
        if named:
            own = resolve_settings(files, others, chosen, check_options).teacher_recipe
    return SettingsPoint(settings, own, frozenset(named))


def describe_inherited(
    request: ResolvedRequest, point: SettingsPoint, kept: Sequence[RunSpec], runs: Path
) -> str:
    """Return a note on what a teacher takes over from the command line; empty if nothing.

    Args:
        request: The request on one dataset.
        point: Its settings.
        kept: The runs that it would have with the teacher's own recipe.
        runs: The runs folder, in which such a teacher may be finished.
    """
    if request.teacher_runs or not request.distilled or point.own_teacher_recipe is None:
        return ""
    taken = ", ".join(
        f"{RECIPE}.{name}={to_text(getattr(point.settings.teacher_recipe, name))}"
        for name in point.inherited
    )
    keep = " ".join(
        f"--set {TEACHER_RECIPE}.{name}={to_text(getattr(point.own_teacher_recipe, name))}"
        for name in point.inherited
    )
    finished = _finished_teacher(kept, runs)
    if not finished:
        return f"{request.dataset}: the teacher takes {taken}, too; to train it without: {keep}"
    keys = ",".join(run.key for run in finished)
    return (
        f"{request.dataset}: the teacher takes {taken}, too, although {keys} is finished; to use "
        f"that one: --teacher-run {keys}, or {keep}"
    )


def _finished_teacher(planned: Sequence[RunSpec], runs: Path) -> tuple[RunSpec, ...]:
    """Return the teacher of planned runs if all of them share it and it is done."""
    teachers = list(dict.fromkeys(spec.teachers for spec in planned if spec.teachers))
    if len(teachers) != 1:
        return ()
    try:
        is_done = all(file_exists(runs / teacher.key / RECORD) for teacher in teachers[0])
    except FileError:  # one that cannot be read is of no use
        return ()
    return teachers[0] if is_done else ()

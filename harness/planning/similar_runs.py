"""Find finished runs that differ from planned ones in a single field.

A setting that was forgotten, or another number of threads, plans all runs anew although they are
there under other keys. Only files that name a run's specification are read.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from harness.core.errors import FileError
from harness.core.files import file_exists, read_json
from harness.core.text import printable
from harness.planning.overrides import RECIPE, TEACHER_RECIPE, to_text
from harness.planning.schedule import TIMES
from harness.runs.layout import RECORD, SPEC
from harness.runs.spec import Recipe, RunSpec
from harness.runs.stored_spec import check_spec

TEACHER = "teacher"
DEFAULT = "the default"  # in place of the value of an option that a run does not state
# What to do for a field that no recipe holds; {} is the value of the finished runs.
ADVICE = {
    "threads": "pass --threads {}",
    "device": "pass --device {}",
    "head": "pass --head {}",
    "weights": "name their initial weights with --weights NETWORK=FILE",
    "fingerprint": "name their images with --data-root DIR or --set data.NAME=VALUE",
    "source": "go back to the method's code as it was",
    "architecture": "go back to the network's code as it was",
    "training_version": "use the version that made them",
}
_DEFAULTS = {f"{RECIPE}.{name}": value for name, value in asdict(Recipe()).items()}
_IGNORED = ("key", "recipe", "options", "teachers")

Values = Mapping[str, Any]  # of a specification, by field


@dataclass
class _Group:
    """Finished runs that differ from planned ones in one field, in which they agree."""

    name: str  # of the field
    value: str  # of the finished runs
    planned: str
    is_teacher: bool  # whether the planned runs teach
    keys: list[str] = field(default_factory=list)
    teachers: tuple[str, ...] = ()  # keys of their teachers

    def describe(self, others: int) -> str:
        """Return a sentence about them, with what to type to use them.

        Args:
            others: Number of runs with further values of the field.
        """
        count = len(self.keys)
        runs = "1 finished run differs" if count == 1 else f"{count} finished runs differ"
        of = "the teacher's " if self.is_teacher else ""
        values = "" if self.name == TEACHER else f" ({self.value}, planned {self.planned})"
        more = f" and {count - 1} more" if count > 1 else ""
        them = "it" if count == 1 else "them"
        return printable(
            f"{runs} from the plan in {of}{self.name} only{values}: {self.keys[0]}{more}; to use "
            f"{them}, {self._advice()}{f'; {others} more have other values' if others else ''}"
        )

    def _advice(self) -> str:
        if self.name == TEACHER:
            return f"pass --teacher-run {','.join(self.teachers)}"
        if self.name in ADVICE:
            return ADVICE[self.name].format(shlex.quote(self.value))
        if self.value == DEFAULT:
            return f"leave out --set {self.name}"
        if not self.is_teacher:
            return f"pass --set {shlex.quote(f'{self.name}={self.value}')}"
        name = self.name.removeprefix(f"{RECIPE}.")
        setting = shlex.quote(f"{TEACHER_RECIPE}.{name}={self.value}")
        return f"pass --teacher-run {self.keys[0]} or --set {setting}"


def describe_similar_runs(specs: Sequence[RunSpec], runs: Path) -> list[str]:
    """Return a sentence for each field in which finished runs alone differ from planned ones.

    Args:
        specs: The planned runs. Those that are done need no others.
        runs: The runs folder.
    """
    pending = [spec for spec in specs if _is_pending(spec, runs)]
    teachers = {teacher for spec in specs for teacher in spec.teachers}
    planned: dict[tuple[Any, ...], list[tuple[RunSpec, Values]]] = {}
    for spec in pending:
        plain = spec.as_json()
        planned.setdefault(_same(plain), []).append((spec, plain))
    groups: dict[tuple[Any, ...], _Group] = {}
    for key, content in _finished_runs(pending, {spec.key for spec in specs}, runs):
        for spec, ours in planned.get(_same(content), ()):
            name = _only_difference(ours, content)
            if name is not None:
                _add(groups, name, key, ours, content, is_teacher=spec in teachers)
                break
    fields: dict[tuple[str, bool], list[_Group]] = {}
    for group in sorted(groups.values(), key=lambda group: -len(group.keys)):
        fields.setdefault((group.name, group.is_teacher), []).append(group)
    return [
        largest.describe(others=sum(len(group.keys) for group in rest))
        for largest, *rest in fields.values()
    ]


def _is_pending(spec: RunSpec, runs: Path) -> bool:
    """Return whether a run is not done; one whose files cannot be read is named elsewhere."""
    try:
        return not file_exists(runs / spec.key / RECORD)
    except FileError:
        return False


def _same(content: Values) -> tuple[Any, ...]:
    """Return what two runs must share for their difference to be of interest."""
    return tuple(content.get(name) for name in ("dataset", "method", "network", "seed"))


def _finished_runs(
    pending: Iterable[RunSpec], planned: set[str], runs: Path
) -> Iterator[tuple[str, Values]]:
    """Yield key and specification of the finished runs of the same datasets and methods."""
    places = dict.fromkeys((spec.dataset, spec.method_folder) for spec in pending)
    for dataset, method in places:
        for record in sorted((runs / dataset / method).glob(f"*/*/{RECORD}")):
            key = record.parent.relative_to(runs).as_posix()
            content: Values | None = None
            with suppress(FileError, ValueError):  # whoever needs such a file names it
                if key not in planned and (found := read_json(record.parent / SPEC)):
                    check_spec(found, key)
                    content = found
            if content is not None:
                yield key, content


def _only_difference(ours: Values, theirs: Values) -> str | None:
    """Return the one field in which two runs differ; None if they differ in several.

    A field in which their teachers differ as well counts once.
    """
    own = _differences(ours, theirs)
    mine, others = ours.get("teachers") or [], theirs.get("teachers") or []
    if len(mine) != len(others):
        return None
    taught = [_differences(a, b) for a, b in zip(mine, others, strict=True)]
    of_teachers = {name for names in taught for name in names}
    if not own:
        return TEACHER if of_teachers else None
    return next(iter(own)) if len(own) == 1 and of_teachers <= own else None


def _differences(ours: Values, theirs: Values) -> set[str]:
    """Return the names of the fields in which two runs differ, apart from their teachers."""
    mine, others = _flatten(ours), _flatten(theirs)
    names = {name for name in mine.keys() | others.keys() if mine.get(name) != others.get(name)}
    if f"{RECIPE}.epochs" in names:  # the times of the schedule follow
        names -= {f"{RECIPE}.{name}" for name in TIMES}
    return names


def _flatten(content: Values) -> dict[str, Any]:
    """Return the fields of a run by name: `threads`, `recipe.epochs`, `sp.weight`."""
    recipe = {f"{RECIPE}.{name}": value for name, value in content["recipe"].items()}
    options = {f"{content['method']}.{n}": v for n, v in content["options"].items()}
    fields = {name: value for name, value in content.items() if name not in _IGNORED}
    flat = {"architecture": "", **fields, **_DEFAULTS, **recipe, **options}
    return {name: list(v) if isinstance(v, tuple) else v for name, v in flat.items()}


def _add(
    groups: dict[tuple[Any, ...], _Group],
    name: str,
    key: str,
    ours: Values,
    theirs: Values,
    *,
    is_teacher: bool,
) -> None:
    """Enter a finished run into the group of its field and value."""
    teachers = tuple(str(teacher.get("key")) for teacher in theirs["teachers"])
    value = "" if name == TEACHER else _text(_flatten(theirs).get(name))
    planned = "" if name == TEACHER else _text(_flatten(ours).get(name))
    is_teacher = is_teacher and name in _DEFAULTS  # a student's recipe may stay as it is
    identity = (name, value, is_teacher, teachers if name == TEACHER else ())
    group = groups.setdefault(identity, _Group(name, value, planned, is_teacher, teachers=teachers))
    group.keys.append(key)


def _text(value: object) -> str:
    if value is None:
        return DEFAULT
    return to_text(tuple(value) if isinstance(value, list) else value)

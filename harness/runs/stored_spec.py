"""Check a spec that was read from a file, before anything is made of it.

Files of others, of other versions and damaged ones may hold anything. Names become parts of paths
and file names of reports, numbers become settings: so a spec has to have the form in which this
program writes specs, and its key, made again from its fields, has to be the folder that it lies in.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import fields
from functools import lru_cache
from typing import Any

from harness.core.text import printable
from harness.runs.number_rules import MAX_THREADS
from harness.runs.spec import Recipe

MAX_TEACHERS, MAX_TEACHER_DEPTH = 64, 4
MAX_WHOLE_NUMBER = 2**63
MAX_SHOWN = 80  # characters of a value in a message

NAME = re.compile(r"(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")
# A name, the import path of a class, or a loss of torchdistill with the path of its declaration.
METHOD = re.compile(r"(?=.{1,200}$)(\w[\w.+-]*|[\w.]+:[\w.]+|torchdistill:[\w./~+ -]+)")
OPTION = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
TEXT = re.compile(r"[^/\\]{0,200}")  # digests
DERIVED = ("key", "training_version")  # which `RunSpec.as_json` adds to the fields
# Version 0.2.0 showed a teacher of another input size its student's batches: such students' keys
# have had this mark since.
SIZE_MARK = "images at the teacher's size"

_RECIPE_TYPES = {field.name: str(field.type) for field in fields(Recipe)}
_PATTERNS = {
    "dataset": NAME,
    "method": METHOD,
    "network": NAME,
    "head": NAME,
    "device": NAME,
    "fingerprint": TEXT,
    "weights": TEXT,
    "source": TEXT,
}


def check_spec(content: object, key: str) -> None:
    """Check a spec as JSON values: names, numbers, and that its key is the folder it was read from.

    Fields that only another version knows are checked to be plain values, and count for the key.

    Args:
        content: The spec, as `RunSpec.as_json` writes it.
        key: The run's folder below the runs folder.

    Raises:
        ValueError: It is not the spec of this run; the message is a clause about `it`.
    """
    checked = _check_run(content, "its spec", 0)
    if checked.get("key", key) != key:
        raise ValueError(
            f"its spec is of the run {_shorten(checked['key'])}, which is not its folder"
        )
    if key not in (made := recorded_keys(checked)):
        raise ValueError(f"its spec was changed: with these values the run is {made[0]}")


def recorded_keys(content: Mapping[str, Any]) -> list[str]:
    """Return the keys that a checked spec has, the present version's first.

    They are made of all fields in the spec, of whatever version, so that none can be changed.
    """
    version, values = content.get("training_version", 1), _key_fields(content)
    recipes = [run["recipe"] for run in (content, *content["teachers"])]
    sizes = {(recipe.get("height"), recipe.get("width")) for recipe in recipes}
    contents = [[version, values]]
    if len(sizes) > 1:
        contents.insert(0, [version, values, SIZE_MARK])
    networks = [str(teacher["network"]) for teacher in content["teachers"]]
    if len(networks) > 1:
        networks = [f"{len(networks)}x{networks[0].partition('-')[0]}"]
    pair = "-".join([*networks, content["network"]])
    method = content["method"].replace(":", "-").replace("/", "-")
    digests = (
        hashlib.sha256(json.dumps(one, sort_keys=True).encode()).hexdigest()[:8] for one in contents
    )
    return [f"{content['dataset']}/{method}/{pair}/seed{content['seed']}-{one}" for one in digests]


def saw_teachers_sizes(content: Mapping[str, Any]) -> bool:
    """Return whether the teachers of a run were given images of their own size.

    In version 0.2.0 they were given those of the student, and the run had another key.

    Args:
        content: A spec with a key, as `check_spec` accepts it.
    """
    return recorded_keys(content)[0] == str(content["key"])


def _key_fields(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a spec from which its key is made, with those of its teachers."""
    values = {name: value for name, value in content.items() if name not in DERIVED}
    values["options"] = sorted(values["options"].items())
    values["teachers"] = [_key_fields(teacher) for teacher in values["teachers"]]
    return values


def _check_run(content: object, what: str, depth: int) -> dict[str, Any]:
    """Check the values of one run and of its teachers, without their keys; return its content."""
    if not isinstance(content, dict):
        raise ValueError(f"{what} is not a JSON object")
    for name, pattern in _PATTERNS.items():
        if name not in content:
            raise ValueError(f"{what} has no {name!r}")
        _check_text(content[name], pattern, f"the {name} in {what}")
    for name, limit in (("seed", MAX_WHOLE_NUMBER), ("threads", MAX_THREADS + 1)):
        if name not in content:
            raise ValueError(f"{what} has no {name!r}")
        value = content[name]
        if type(value) is not int:
            raise ValueError(f"the {name} in {what} is not a whole number: {_shown(value)}")
        if not 0 <= value < limit:
            raise ValueError(f"the {name} in {what} cannot be {_shown(value)}")
    _check_options(content.get("options"), what)
    _check_recipe(content.get("recipe"), what)
    teachers = content.get("teachers")
    if not isinstance(teachers, list) or len(teachers) > MAX_TEACHERS or depth > MAX_TEACHER_DEPTH:
        raise ValueError(f"the teachers in {what} are not a list of runs")
    for teacher in teachers:
        _check_teacher(json.dumps(teacher), depth + 1)
    _check_others(content, what)
    return content


@lru_cache(maxsize=256)  # students share their teachers
def _check_teacher(text: str, depth: int) -> None:
    """Check a teacher, with its key, from its JSON."""
    teacher = _check_run(json.loads(text), "the spec of its teacher", depth)
    if teacher.get("key") not in (made := recorded_keys(teacher)):
        raise ValueError(
            f"the spec of its teacher was changed: with these values the teacher is {made[0]}"
        )


def _check_text(value: object, pattern: re.Pattern[str], what: str) -> None:
    if not isinstance(value, str) or not pattern.fullmatch(value) or not value.isprintable():
        raise ValueError(f"{what} cannot be one: {_shown(value)}")


def _check_options(options: object, what: str) -> None:
    if not isinstance(options, dict):
        raise ValueError(f"the options in {what} are not a JSON object")
    for name, value in options.items():
        _check_text(name, OPTION, f"the name of an option in {what}")
        _check_value(value, f"the option {name} in {what}")


def _check_recipe(recipe: object, what: str) -> None:
    """Check a recipe by the rules of `Recipe`; fields that it lacks have their defaults."""
    if not isinstance(recipe, dict):
        raise ValueError(f"the recipe in {what} is not a JSON object")
    _check_recipe_json(json.dumps(recipe), what)


@lru_cache(maxsize=256)  # runs share their recipes
def _check_recipe_json(text: str, what: str) -> None:
    recipe = json.loads(text)
    known: dict[str, Any] = {}
    for name, value in recipe.items():
        _check_text(name, OPTION, f"the name of a field in the recipe of {what}")
        for part in value if isinstance(value, list) else [value]:
            _check_value(part, f"the recipe's {name} in {what}")
        if name in _RECIPE_TYPES:
            if not _has_type(value, _RECIPE_TYPES[name]):
                raise ValueError(f"the recipe's {name} in {what} cannot be {_shown(value)}")
            known[name] = tuple(value) if isinstance(value, list) else value
    try:
        Recipe(**known)
    except (ValueError, TypeError) as error:
        raise ValueError(f"the recipe in {what} cannot be: {error}") from error


def _has_type(value: object, kind: str) -> bool:
    """Return whether a JSON value may be that of a field with this annotation."""
    if kind.startswith("tuple"):
        return isinstance(value, list) and all(_has_type(one, "float") for one in value)
    types = {"int": (int,), "float": (int, float), "str": (str,), "bool": (bool,)}
    return type(value) in types.get(kind, (int, float, str, bool))


def _check_others(content: Mapping[str, Any], what: str) -> None:
    """Check the fields that this version does not know: plain values, or lists of them."""
    known = {*_PATTERNS, *DERIVED, "seed", "threads", "options", "recipe", "teachers"}
    for name in content.keys() - known:
        _check_text(name, OPTION, f"the name of a field in {what}")
        value = content[name]
        for part in value if isinstance(value, list) else [value]:
            _check_value(part, f"the {name} in {what}")
    if type(content.get("training_version", 1)) is not int:
        raise ValueError(f"the training_version in {what} is not a whole number")


def _check_value(value: object, what: str) -> None:
    """Check that a value is text of one line, true or false, or a finite number."""
    is_plain = value is None or isinstance(value, bool | str | int | float)
    if isinstance(value, str):
        is_plain = len(value) <= 200 and value.isprintable()
    elif isinstance(value, float):
        is_plain = math.isfinite(value)
    elif isinstance(value, int):
        is_plain = abs(value) < MAX_WHOLE_NUMBER
    if not is_plain:
        raise ValueError(f"{what} cannot be {_shown(value)}")


def _shown(value: object) -> str:
    return _shorten(repr(value))


def _shorten(value: object) -> str:
    text = printable(value)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}..."

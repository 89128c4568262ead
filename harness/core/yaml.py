"""Read YAML files into validated models; an error names the file, the line and the nearest key."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import MarkedYAMLError

from harness.core.errors import UsageError, did_you_mean

CONFIGS = Path(__file__).parents[2] / "configs"


def config_names(kind: str) -> list[str]:
    """The configurations of a kind (dataset, study) by name."""
    return sorted(path.stem for path in (CONFIGS / kind).glob("*.yaml"))


Model = TypeVar("Model", bound=BaseModel)


def load_config(kind: str, name: str, model: type[Model]) -> Model:
    """Read a configuration of a kind (study, cluster) by its name or by the path of a YAML file.

    Raises:
        UsageError: there is none, or its file is wrong.
    """
    if name.endswith((".yaml", ".yml")):
        return load_yaml(Path(name), model)
    if name not in config_names(kind):
        raise UsageError(
            f"No {kind} is called {name!r}.{did_you_mean(name, config_names(kind))} "
            f"A file of your own is given by its path: --{kind} my/{kind}.yaml."
        )
    return load_yaml(CONFIGS / kind / f"{name}.yaml", model)


def load_yaml(path: Path, model: type[Model]) -> Model:
    """One file as a value of `model`.

    Raises:
        UsageError: it is absent, not YAML, or holds an unknown key or an impossible value.
    """
    try:
        content = YAML().load(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}).") from error
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise UsageError(f"{path}:{line}: not YAML: {error.problem}.") from error
    if content is not None and not isinstance(content, CommentedMap):
        raise UsageError(f"{path}:1: expected `key: value` lines.")
    try:
        return model.model_validate(_plain(content))
    except ValidationError as error:
        raise UsageError(_explain(path, content, model, error)) from error


def _plain(node: object) -> Any:
    """The parser's containers and numbers as Python's own."""
    if isinstance(node, Mapping):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(value) for value in node]
    for kind in (bool, int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return {} if node is None else node


def _explain(path: Path, content: Any, model: type[BaseModel], error: ValidationError) -> str:
    first = error.errors()[0]
    place = [part for part in first["loc"] if isinstance(part, str | int)]
    line = _line(content, place)
    key = ".".join(map(str, place))
    if first["type"] == "extra_forbidden":
        allowed = _allowed(model, place[:-1])
        return f"{path}:{line}: unknown key {key!r}.{did_you_mean(str(place[-1]), allowed)}"
    given = f", given {first['input']!r}" if first["type"] != "missing" else ""
    return f"{path}:{line}: {key}: {first['msg']}{given}."


def _line(content: Any, place: list[str | int]) -> int:
    line = 1
    for part in place:
        if not isinstance(content, CommentedMap) or part not in content:
            break
        line = content.lc.key(part)[0] + 1
        content = content[part]
    return line


def _allowed(model: type[BaseModel], place: list[str | int]) -> list[str]:
    """The keys that may stand at a place, which may lie below names as in `datasets: {x: ...}`."""
    named: type[BaseModel] | None = None
    for part in place:
        if named is not None:
            model, named = named, None
            continue
        annotation = model.model_fields[str(part)].annotation
        if get_origin(annotation) is dict:
            named = get_args(annotation)[1]
        elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
            model = annotation
    return list(model.model_fields)

"""Read YAML files into validated models; an error names the file, the line and the nearest key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import MarkedYAMLError

from harness.core.errors import UsageError, did_you_mean
from harness.core.override import replace_aliases

CONFIGS = Path(__file__).parents[2] / "configs"


class StrictModel(BaseModel):
    """Base of the models of configuration files: unknown keys are errors, aliases are allowed."""

    model_config = ConfigDict(extra="forbid")

    aliases: ClassVar[Mapping[str, str]] = {}  # names of fields by alias

    @model_validator(mode="before")
    @classmethod
    def _use_field_names(cls, content: Any) -> Any:
        return replace_aliases(content, cls.aliases) if isinstance(content, Mapping) else content


Model = TypeVar("Model", bound=BaseModel)


def config_names(kind: str) -> list[str]:
    """Return the names of the configurations of a kind: dataset, study or cluster."""
    return sorted(path.stem for path in (CONFIGS / kind).glob("*.yaml"))


def load_config(kind: str, name: str, model: type[Model]) -> Model:
    """Read a configuration by its name, or by the path of a YAML file.

    Args:
        kind: A folder of `configs`, such as study or cluster.
        name: Name of a file there without its suffix, or a path that ends in .yaml or .yml.
        model: What the file is to contain.

    Raises:
        UsageError: There is no such file, or its content is wrong.
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
    """Read a YAML file as a value of `model`.

    Raises:
        UsageError: The file is missing or not YAML, or has an unknown key or an impossible value.
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
        return model.model_validate(_to_plain(content))
    except ValidationError as error:
        problems: dict[tuple[int | str, ...], str] = {}
        for one in error.errors():  # one for each setting: a union gives one for each of its types
            problems.setdefault(one["loc"][:2], _explain(path, content, model, one))
        raise UsageError(*problems.values()) from error


def _to_plain(node: object) -> Any:
    """Convert the parser's containers and numbers to Python's own."""
    if isinstance(node, Mapping):
        return {str(key): _to_plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_to_plain(value) for value in node]
    for kind in (bool, int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return {} if node is None else node


def _explain(path: Path, content: Any, model: type[BaseModel], error: ErrorDetails) -> str:
    """Describe one of pydantic's errors with file, line, key and value."""
    place = [part for part in error["loc"] if isinstance(part, str | int)]
    line, key = _line(content, model, place), ".".join(map(str, place))
    if error["type"] == "extra_forbidden":
        allowed = [*(holder := _model_at(model, place[:-1])).model_fields, *_aliases(holder)]
        return f"{path}:{line}: unknown key {key!r}.{did_you_mean(str(place[-1]), allowed)}"
    is_value = error["type"] != "missing" and not isinstance(error["input"], Mapping)
    given = f", given {error['input']!r}" if is_value else ""
    message = error["msg"].removeprefix("Value error, ")
    return f"{path}:{line}: {f'{key}: ' if key else ''}{message}{given}."


def _line(content: Any, model: type[BaseModel], place: Sequence[str | int]) -> int:
    """Return the line of a key, or of the nearest key above it that the file contains."""
    line = 1
    for depth, part in enumerate(place):
        if not isinstance(content, CommentedMap):
            break
        aliases = _aliases(_model_at(model, place[:depth]))
        spellings = [part, *(alias for alias, name in aliases.items() if name == part)]
        word = next((word for word in spellings if word in content), None)
        if word is None:
            break
        line = content.lc.key(word)[0] + 1
        content = content[word]
    return line


def _aliases(model: type[BaseModel]) -> Mapping[str, str]:
    return model.aliases if issubclass(model, StrictModel) else {}


def _model_at(model: type[BaseModel], place: Sequence[str | int]) -> type[BaseModel]:
    """Return the model of a section, which may lie below names as in `datasets: {x: ...}`."""
    named: type[BaseModel] | None = None
    for part in place:
        if named is not None:
            model, named = named, None
            continue
        field = model.model_fields.get(str(part))
        annotation = None if field is None else field.annotation
        if get_origin(annotation) is dict:
            kind = get_args(annotation)[1]
            named = kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None
        elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
            model = annotation
    return model

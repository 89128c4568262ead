"""Read YAML files into validated models; an error names the file, the line and the nearest key."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import MarkedYAMLError

from harness.core.errors import DamagedFileError, UsageError, did_you_mean
from harness.core.files import read_file
from harness.core.override import replace_aliases
from harness.core.text import has_control_characters, printable

CONFIGS = Path(__file__).parents[2] / "configs"
MAX_BYTES = 100_000  # of a file; the largest of ours has a thirtieth
MAX_VALUES, MAX_DEPTH = 10_000, 30  # in a file, with aliases expanded
MAX_INTEGER, MAX_FLOAT = 2**63, 3.5e38  # float32 has no larger number than 3.4e38


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
        UsageError: The file is missing, too large or not plain YAML, or has an unknown key or an
            impossible value.
        UnreadableFileError: It cannot be read: no permission, a folder, a pipe.
    """
    content = _parse(path)
    try:
        return model.model_validate(_to_plain(content))
    except _ContentError as error:
        raise UsageError(f"{path}:{error.line}: {error}.") from None
    except ValidationError as error:
        problems: dict[tuple[int | str, ...], str] = {}
        for one in error.errors():  # one for each setting: a union gives one for each of its types
            problems.setdefault(one["loc"][:2], _explain(path, content, model, one))
        raise UsageError(*problems.values()) from error


class _ContentError(Exception):
    """Error for what YAML allows and a configuration file may not contain."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def _parse(path: Path) -> CommentedMap | None:
    """Return the mapping that a YAML file contains, with its lines; None if it is empty.

    Raises:
        UsageError: The file is missing or too large, or contains something else.
        UnreadableFileError: It cannot be read.
    """
    text = _read_text(path)
    try:
        content = YAML().load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise UsageError(f"{path}:{line}: not YAML: {error.problem or error.context}.") from error
    except RecursionError as error:
        raise UsageError(f"{path}:1: nested too deeply.") from error
    except (
        Exception
    ) as error:  # the parser's own, on numbers, dates and tags that it cannot convert
        reason = (str(error).splitlines() or [""])[0] or type(error).__name__
        raise UsageError(f"{path}:1: not YAML: {printable(reason)}.") from error
    if content is not None and not isinstance(content, CommentedMap):
        raise UsageError(f"{path}:1: expected `key: value` lines.")
    return content


def _read_text(path: Path) -> str:
    """Return the text of a configuration file.

    Raises:
        UsageError: There is no such file, or it is too large, not UTF-8, or holds control
            characters.
        UnreadableFileError: It cannot be read.
    """
    try:
        content = read_file(path, MAX_BYTES)
    except DamagedFileError:
        raise UsageError(
            f"{path} has more than {MAX_BYTES:,} bytes, too many for its kind."
        ) from None
    except ValueError as error:  # a name with a NUL character
        raise UsageError(f"{str(path)!r} cannot be the name of a file ({error}).") from error
    if content is None:
        raise UsageError(f"{path} cannot be read ({os.strerror(errno.ENOENT)}).")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{path}:{line}: not UTF-8 ({error.reason}): save it as UTF-8.") from error
    for number, line_text in enumerate(text.split("\n"), 1):
        if has_control_characters(line_text.rstrip("\r").replace("\t", " ")):
            raise UsageError(f"{path}:{number}: contains a control character: {line_text[:80]!r}.")
    return text


class _Converter:
    """Conversion of the parser's containers and numbers to Python's own, up to a limit.

    An alias stands for a whole part of the file, so a few lines of aliases of aliases can stand for
    more than the memory holds.
    """

    def __init__(self) -> None:
        self._left = MAX_VALUES

    def convert(self, node: object, line: int = 1, depth: int = 0) -> Any:
        self._left -= 1
        if self._left < 0 or depth > MAX_DEPTH:
            raise _ContentError(
                f"its values are too many or nested too deeply (at most {MAX_VALUES:,} values, "
                f"{MAX_DEPTH} levels)",
                line,
            )
        line = _line_of(node, line)
        tag = getattr(getattr(node, "tag", None), "value", None)
        if tag is not None:
            raise _ContentError(f"the tag {tag} is not allowed: give plain values", line)
        if isinstance(node, Mapping):
            return {
                self.convert_key(key, _line_of(node, line, key)): self.convert(
                    value, _line_of(node, line, key), depth + 1
                )
                for key, value in node.items()
            }
        if isinstance(node, list):
            return [self.convert(value, line, depth + 1) for value in node]
        limit = MAX_FLOAT if isinstance(node, float) else MAX_INTEGER
        if isinstance(node, int | float) and not abs(node) < limit:  # nor is NaN
            raise _ContentError("nan and infinite or huge numbers are not allowed", line)
        for kind in (bool, int, float, str):
            if isinstance(node, kind):
                return kind(node)
        if node is None:
            return {}
        raise _ContentError(f"{type(node).__name__} is not a plain value: quote it", line)

    def convert_key(self, key: object, line: int) -> str:
        if not isinstance(key, str | int | float):
            raise _ContentError("a key is not a word", line)
        return str(key)


def _to_plain(node: object) -> Any:
    """Convert the parser's containers and numbers to Python's own.

    Raises:
        _ContentError: There are too many, or some are neither text, numbers, lists nor mappings.
    """
    return _Converter().convert(node)


def _line_of(node: object, line: int, key: object = None) -> int:
    """Return the line of a container or of one of its keys; `line` if it is not known."""
    place = getattr(node, "lc", None)
    try:
        return int((place.line if key is None else place.key(key)[0]) + 1)  # type: ignore[union-attr]
    except (AttributeError, KeyError, TypeError):
        return line


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

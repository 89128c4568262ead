"""YAML to validated values; every mistake is reported with its file, its line and the nearest word.

A dataset's file says how networks are trained on it, a study's file which runs make a comparison.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, ClassVar, TypeVar, get_args, get_origin, get_type_hints

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    create_model,
    field_validator,
)
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import MarkedYAMLError

from harness.core.errors import UsageError, nearest
from harness.data.completeness import Expected
from harness.data.synthetic.generator import Synthetic
from harness.runs.spec import Option, Recipe

FOLDER = Path(__file__).parents[2] / "configs"

Setting = Option | tuple[float, ...]
Values = dict[str, Setting]  # of a recipe or of generated data
Options = dict[str, Option]  # of a method


def _partial(name: str, of: type) -> type[BaseModel]:
    """A model with every field of the dataclass `of`, each of which may be left out."""
    hints = get_type_hints(of)
    known: dict[str, Any] = {f.name: (hints[f.name] | None, None) for f in fields(of)}
    return create_model(name, __config__=ConfigDict(extra="forbid", strict=False), **known)


RecipeFile = _partial("RecipeFile", Recipe)
SyntheticFile = _partial("SyntheticFile", Synthetic)


class File(BaseModel):
    """What every configuration file may hold: changes to the built-in defaults."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    recipe: RecipeFile = Field(default_factory=RecipeFile)  # type: ignore[valid-type]
    teacher_recipe: RecipeFile = Field(default_factory=RecipeFile)  # type: ignore[valid-type]
    options: dict[str, Options] = Field(default_factory=dict)  # per method
    data: SyntheticFile = Field(default_factory=SyntheticFile)  # type: ignore[valid-type]

    def section(self, name: str) -> Values:
        """The values that the file really states in one of its sections."""
        values: Values = getattr(self, name).model_dump(exclude_unset=True)
        return values


class DatasetFile(File):
    """`configs/dataset/NAME.yaml`: how a dataset is found and what its training looks like."""

    loader: str
    root: Path | None = None
    expected: dict[str, Expected] = Field(default_factory=dict)  # counts by subset
    availability: str = ""  # what to know before looking for it


class StudyFile(File):
    """`configs/study/NAME.yaml`: which runs make a table or figure. Absent means the usual."""

    description: str = ""
    dataset: str | None = None
    methods: list[str] | None = None
    teacher: str | None = None
    student: str | None = None
    seeds: list[int] | None = None
    head: str | None = None
    pack: int | None = None
    sweep: dict[str, list[Option]] = Field(default_factory=dict)  # values by METHOD.OPTION

    @field_validator("sweep")
    @classmethod
    def _is_of_options(cls, sweep: dict[str, list[Option]]) -> dict[str, list[Option]]:
        for key, values in sweep.items():
            section, _, option = key.partition(".")
            if section in ("data", "teacher_recipe") or not (option and values):
                raise ValueError(f"{key} is not METHOD.OPTION or recipe.FIELD with values")
        return sweep

    @property
    def swept(self) -> list[list[str]]:
        """Assignments of every point of the sweep, one option at a time; one empty list without."""
        points = [[f"{key}={value}"] for key, values in self.sweep.items() for value in values]
        return points or [[]]


def names(kind: str) -> list[str]:
    """The configurations of a kind (dataset, study) by name."""
    return sorted(path.stem for path in (FOLDER / kind).glob("*.yaml"))


def load_dataset(name: str) -> DatasetFile:
    """Read a dataset's file.

    Raises:
        UsageError: there is no such dataset, or its file is wrong.
    """
    if name not in names("dataset"):
        raise UsageError(f"No dataset is called {name!r}.{nearest(name, names('dataset'))}")
    return read(FOLDER / "dataset" / f"{name}.yaml", DatasetFile)


def load_study(name: str) -> StudyFile:
    """Read a study by its name or by the path of a YAML file.

    Raises:
        UsageError: there is no such study, or its file is wrong.
    """
    return load_either("study", name, StudyFile)


Model = TypeVar("Model", bound=BaseModel)


def load_either(kind: str, name: str, model: type[Model]) -> Model:
    """Read a configuration of a kind (study, cluster) by its name or by the path of a YAML file.

    Raises:
        UsageError: there is none, or its file is wrong.
    """
    if name.endswith((".yaml", ".yml")):
        return read(Path(name), model)
    if name not in names(kind):
        raise UsageError(
            f"No {kind} is called {name!r}.{nearest(name, names(kind))} "
            f"A file of your own is given by its path: --{kind} my/{kind}.yaml."
        )
    return read(FOLDER / kind / f"{name}.yaml", model)


def read(path: Path, model: type[Model]) -> Model:
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
        return f"{path}:{line}: unknown key {key!r}.{nearest(str(place[-1]), allowed)}"
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

"""YAML to validated values; every mistake is reported with its file, its line and the nearest word.

A dataset's file says how networks are trained on it, a study's file which runs make a comparison.
"""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any, ClassVar, get_type_hints

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    create_model,
    field_validator,
)

from harness.core.errors import UsageError, did_you_mean
from harness.core.yaml import CONFIGS, config_names, load_config, load_yaml
from harness.data.completeness import ExpectedCounts
from harness.data.synthetic.generator import SyntheticSettings
from harness.runs.spec import Option, Recipe

ConfigValue = Option | tuple[float, ...]
ConfigValues = dict[str, ConfigValue]  # of a recipe or of generated data
Options = dict[str, Option]  # of a method


def _partial(name: str, of: type) -> type[BaseModel]:
    """A model with every field of the dataclass `of`, each of which may be left out."""
    hints = get_type_hints(of)
    known: dict[str, Any] = {f.name: (hints[f.name] | None, None) for f in fields(of)}
    return create_model(name, __config__=ConfigDict(extra="forbid", strict=False), **known)


RecipeFile = _partial("RecipeFile", Recipe)
SyntheticFile = _partial("SyntheticFile", SyntheticSettings)


class ConfigFile(BaseModel):
    """What every configuration file may hold: changes to the built-in defaults."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    recipe: RecipeFile = Field(default_factory=RecipeFile)  # type: ignore[valid-type]
    teacher_recipe: RecipeFile = Field(default_factory=RecipeFile)  # type: ignore[valid-type]
    options: dict[str, Options] = Field(default_factory=dict)  # per method
    data: SyntheticFile = Field(default_factory=SyntheticFile)  # type: ignore[valid-type]

    def section(self, name: str) -> ConfigValues:
        """The values that the file really states in one of its sections."""
        values: ConfigValues = getattr(self, name).model_dump(exclude_unset=True)
        return values


class DatasetFile(ConfigFile):
    """`configs/dataset/NAME.yaml`: how a dataset is found and what its training looks like."""

    loader: str
    root: Path | None = None
    expected: dict[str, ExpectedCounts] = Field(default_factory=dict)  # counts by subset
    availability: str = ""  # what to know before looking for it


class StudyFile(ConfigFile):
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


def load_dataset(name: str) -> DatasetFile:
    """Read a dataset's file.

    Raises:
        UsageError: there is no such dataset, or its file is wrong.
    """
    if name not in config_names("dataset"):
        raise UsageError(
            f"No dataset is called {name!r}.{did_you_mean(name, config_names('dataset'))}"
        )
    return load_yaml(CONFIGS / "dataset" / f"{name}.yaml", DatasetFile)


def load_study(name: str) -> StudyFile:
    """Read a study by its name or by the path of a YAML file.

    Raises:
        UsageError: there is no such study, or its file is wrong.
    """
    return load_config("study", name, StudyFile)

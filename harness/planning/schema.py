"""The configuration files of datasets and studies, as validated models.

A dataset's file states how networks are trained on it, a study's file which runs to compare.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeVar, get_type_hints

from pydantic import BeforeValidator, Field, create_model, field_validator

from harness.core.errors import UsageError, did_you_mean
from harness.core.yaml import CONFIGS, StrictModel, config_names, load_config, load_yaml
from harness.data.completeness import ExpectedCounts
from harness.data.synthetic.generator import SyntheticSettings
from harness.runs.number_rules import MAX_COHORT_SIZE
from harness.runs.spec import Option, Recipe

T = TypeVar("T")


def refuse_booleans(value: T) -> T:
    """Return a value that is to be a number; pydantic would take true for 1.

    Raises:
        ValueError: It is true or false.
    """
    if isinstance(value, bool):
        raise ValueError("Input should be a number")
    return value


Name = Annotated[str, Field(min_length=1)]
CohortSize = Annotated[int, Field(ge=1, le=MAX_COHORT_SIZE), BeforeValidator(refuse_booleans)]
Seed = Annotated[int, Field(ge=0, lt=2**63), BeforeValidator(refuse_booleans)]

ConfigValue = Option | tuple[float, ...]
ConfigValues = dict[str, ConfigValue]  # of a recipe or of generated data
Options = dict[str, Option]  # of a method


def field_aliases(dataclass_type: type) -> dict[str, str]:
    """Return the names of a dataclass's fields by their aliases, from the fields' metadata."""
    return {
        alias: f.name for f in fields(dataclass_type) for alias in f.metadata.get("aliases", ())
    }


def _optional_fields(dataclass_type: type) -> dict[str, Any]:
    """Return pydantic fields for those of a dataclass, each of which may be omitted."""
    hints = get_type_hints(dataclass_type)
    return {
        f.name: (
            Annotated[hints[f.name] | None, BeforeValidator(refuse_booleans)],
            Field(default=None, description=f.metadata.get("help")),
        )
        for f in fields(dataclass_type)
    }


class _RecipeSection(StrictModel):
    aliases: ClassVar = field_aliases(Recipe)


RecipeFile = create_model("RecipeFile", __base__=_RecipeSection, **_optional_fields(Recipe))
SyntheticFile = create_model(
    "SyntheticFile", __base__=StrictModel, **_optional_fields(SyntheticSettings)
)


class ConfigFile(StrictModel):
    """Fields of every configuration file: changes of the built-in defaults."""

    recipe: RecipeFile = Field(  # type: ignore[valid-type]
        default_factory=RecipeFile, description="Training of students, and of teachers as well."
    )
    teacher_recipe: RecipeFile = Field(  # type: ignore[valid-type]
        default_factory=RecipeFile, description="What differs in the training of teachers."
    )
    options: dict[str, Options] = Field(
        default_factory=dict, description="Options of methods, by the method's name."
    )
    data: SyntheticFile = Field(  # type: ignore[valid-type]
        default_factory=SyntheticFile, description="Settings of generated images."
    )

    def section(self, name: str) -> ConfigValues:
        """Return the values that the file states in its section `name`, without defaults."""
        values: ConfigValues = getattr(self, name).model_dump(exclude_unset=True)
        return values


class DatasetFile(ConfigFile):
    """`configs/dataset/NAME.yaml`: where a dataset is and how networks are trained on it."""

    loader: str = Field(description="Reader of the dataset's layout, or `synthetic`.")
    root: Path | None = Field(
        default=None, description="Folder that holds the dataset, unless --data-root names one."
    )
    expected: dict[str, ExpectedCounts] = Field(
        default_factory=dict, description="Counts of a complete copy, by subset."
    )
    availability: str = Field(
        default="", description="What to know before searching for a copy; part of error messages."
    )


class StudyFile(ConfigFile):
    """`configs/study/NAME.yaml`: the runs of a table or figure; the command line may change all."""

    description: str = Field(default="", description="What the study shows.")
    dataset: Name | None = Field(default=None, description="Name of the dataset.")
    methods: list[Name] | None = Field(default=None, description="Names of methods, or `all`.")
    teacher: Name | None = Field(
        default=None, description="The teacher's network; resnet101 by default."
    )
    student: Name | None = Field(
        default=None, description="The students' network; resnet18 by default."
    )
    seeds: list[Seed] | None = Field(
        default=None, description="Seeds of the students; 0 by default."
    )
    head: Name | None = Field(default=None, description="Head of the networks; bnneck by default.")
    pack: CohortSize | None = Field(
        default=None, description="Largest number of students in a cohort; 16 by default."
    )
    sweep: dict[str, list[Option]] = Field(
        default_factory=dict,
        description="Values by METHOD.OPTION or recipe.FIELD, each of which makes a run.",
    )

    @field_validator("sweep")
    @classmethod
    def _check_sweep(cls, sweep: dict[str, list[Option]]) -> dict[str, list[Option]]:
        for key, values in sweep.items():
            section, _, option = key.partition(".")
            if section in ("data", "teacher_recipe") or not (option and values):
                raise ValueError(f"{key} is not METHOD.OPTION or recipe.FIELD with values")
        return sweep

    def sweep_points(self) -> Iterator[list[str]]:
        """Yield the overrides of each point of the sweep; without a sweep, one empty list."""
        if not self.sweep:
            yield []
        for key, values in self.sweep.items():
            for value in values:
                yield [f"{key}={value}"]


def load_dataset(name: str) -> DatasetFile:
    """Read the file of a dataset.

    Raises:
        UsageError: No dataset has this name, or its file is wrong.
    """
    if name not in config_names("dataset"):
        raise UsageError(
            f"No dataset is called {name!r}.{did_you_mean(name, config_names('dataset'))}"
        )
    return load_yaml(CONFIGS / "dataset" / f"{name}.yaml", DatasetFile)


def load_study(name: str) -> StudyFile:
    """Read a study by its name, or by the path of a YAML file.

    Raises:
        UsageError: No study has this name, or its file is wrong.
    """
    return load_config("study", name, StudyFile)

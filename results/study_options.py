"""The configuration of each method that a study names, among those that ran."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd
from pydantic import BaseModel, Field

from harness.core.yaml import load_config
from harness.runs.spec import Option
from results.configurations import Options, TableChoice


class _StudyOptions(BaseModel):
    """The part of a study's file that says how methods are configured; plans check the rest."""

    options: dict[str, dict[str, Option]] = Field(default_factory=dict)


def load_study_options(name: str) -> Options:
    """Return the options of methods that a study states, by method.

    Args:
        name: Name of a study, or the path of a YAML file.

    Raises:
        UsageError: There is no such study, or its file is wrong.
    """
    return load_config("study", name, _StudyOptions).options


def fit_options(choice: TableChoice, frame: pd.DataFrame) -> TableChoice:
    """Return the choice with the recorded options of the configurations that it means.

    A study may state defaults, which no record has, and a dataset's file may state more. So of the
    configurations that ran and do not contradict the study the one counts that agrees with it in
    most options, and of several the one with the fewest others.

    Args:
        choice: Its options are those of a study.
        frame: All rows of `collect_runs`.
    """
    fitted: dict[str, dict[str, str]] = {}
    for method, stated in choice.options.items():
        of_method = frame[frame["method"].map(_section) == method]
        ran = [_parse(str(text)) for text in dict.fromkeys(of_method["options"])]
        wanted = {name: str(value) for name, value in stated.items()}
        fitting = [one for one in ran if not _contradicts(one, wanted)]
        best = min(fitting, key=lambda one: (-_agreeing(one, wanted), len(one)), default=None)
        if best is not None:
            fitted |= dict.fromkeys(map(str, of_method["method"]), best)
    return replace(choice, options=fitted)


def _section(method: str) -> str:
    """Return the section of a method's options: the name, without the module of users' ones."""
    return method.rpartition(":")[2]


def _parse(options: str) -> dict[str, str]:
    """Return recorded options by name; see the column `options` of `collect_runs`."""
    pairs = (part.partition("=") for part in options.split(", ") if part)
    return {name: value for name, _, value in pairs}


def _contradicts(recorded: Mapping[str, str], stated: Mapping[str, str]) -> bool:
    return any(
        name in recorded and not _is_same(value, recorded[name]) for name, value in stated.items()
    )


def _agreeing(recorded: Mapping[str, str], stated: Mapping[str, str]) -> int:
    return sum(name in recorded for name in stated)


def _is_same(one: str, other: str) -> bool:
    try:
        return float(one) == float(other)
    except ValueError:
        return one.casefold() == other.casefold()

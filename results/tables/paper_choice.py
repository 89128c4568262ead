"""What a paper's table shows, and the names in a request for one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatch

import pandas as pd

from harness.core.errors import ErrorCollector, UsageError, did_you_mean
from harness.core.name_lists import split_names
from harness.core.yaml import config_names
from results.lines import BASELINE

SCORE_COLUMNS = ("mAP", "R1", "R5", "R10", "mINP")
GAIN = "gain"
COLUMNS = (*SCORE_COLUMNS, GAIN)
STYLES = ("ieee", "cvpr", "plain")
MAX_DIGITS = 3
ALL = "all"


@dataclass(frozen=True, slots=True)
class PaperChoice:
    """What a paper's table shows.

    Attributes:
        methods: Names of the methods, in the order of their rows; all that ran if empty.
        datasets: Names of the datasets, in the order of their columns; all with runs if empty.
        columns: Some of `COLUMNS`, of every dataset.
        digits: Decimals.
        style: One of `STYLES`: the class whose column the table fits.
        with_spread: Whether the standard deviation over seeds follows each mean.
        is_wide: Whether it spans both columns of a page.
        with_notes: Whether a sentence explains its marks.
    """

    methods: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    columns: tuple[str, ...] = ("mAP", "R1")
    digits: int = 1
    style: str = STYLES[0]
    with_spread: bool = False
    is_wide: bool = False
    with_notes: bool = True


def parse_choice(choice: PaperChoice) -> PaperChoice:
    """Return a choice as typed with its columns and style as they are called here.

    Raises:
        UsageError: Some are unknown, or there are too many digits.
    """
    errors = ErrorCollector()
    columns: list[str] = []
    for word in split_names(choice.columns):
        with errors.collect():
            columns.append(require_word(word, COLUMNS, "column", "--columns"))
    with errors.collect():
        require_word(choice.style, STYLES, "style", "--style")
    with errors.collect():
        if not 0 <= choice.digits <= MAX_DIGITS:
            raise UsageError(f"--digits is a number from 0 to {MAX_DIGITS}, given {choice.digits}.")
    errors.raise_if_any()
    return replace(
        choice,
        columns=tuple(dict.fromkeys(columns)) or PaperChoice().columns,
        style=choice.style.casefold(),
    )


def resolve_names(
    choice: PaperChoice, frame: pd.DataFrame, labels: Mapping[str, str]
) -> PaperChoice:
    """Return a choice with the names of methods and datasets for the words that were typed.

    Args:
        choice: Its methods and datasets are names, globs or `all`.
        frame: All rows of `collect_runs`.
        labels: Labels of the known methods.

    Raises:
        UsageError: Some words fit no name.
    """
    errors = ErrorCollector()
    methods: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    with errors.collect():
        methods = _expand(choice.methods, frame["method"], labels, "method", "--methods")
    with errors.collect():
        known = config_names("dataset")
        datasets = _expand(choice.datasets, frame["dataset"], known, "dataset", "--datasets")
    errors.raise_if_any()
    chosen = tuple(name for name in methods if name != BASELINE[0])
    return replace(choice, methods=chosen, datasets=datasets)


def require_method(name: str, frame: pd.DataFrame, labels: Mapping[str, str]) -> str:
    """Return the name of a method that has runs or is known, given its name or label.

    Raises:
        UsageError: There is none of this name.
    """
    by_label = {label.casefold(): method for method, label in labels.items()}
    name = by_label.get(name.casefold(), name)
    known = dict.fromkeys([*map(str, frame["method"]), *labels])
    return require_word(name, list(known), "method", "--against")


def require_word(word: str, known: Sequence[str], what: str, option: str) -> str:
    """Return the known word that this is, in whatever case.

    Raises:
        UsageError: It is none of them.
    """
    found = next((one for one in known if one.casefold() == word.casefold()), None)
    if found is None:
        raise UsageError(f"{option}: no {what} is called {word!r}.{did_you_mean(word, known)}")
    return found


def _expand(
    words: Iterable[str], ran: Iterable[str], known: Iterable[str], what: str, option: str
) -> tuple[str, ...]:
    """Return the names that words mean, each once; `all` and globs mean those with runs."""
    with_runs = list(dict.fromkeys(map(str, ran)))
    names = list(dict.fromkeys([*with_runs, *known]))
    found: list[str] = []
    errors = ErrorCollector()
    for word in split_names(words):
        pattern = "*" if word == ALL else word
        matches = [name for name in with_runs if fnmatch(name, pattern)]
        if not matches:
            with errors.collect():
                matches = [require_word(word, names, what, option)]
        found += matches
    errors.raise_if_any()
    return tuple(dict.fromkeys(found))

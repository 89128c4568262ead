"""The papers' own numbers, as `published.yaml` lists them, checked and typed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

FILE = Path(__file__).with_name("published.yaml")

Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
Value = int | float | str | bool


class _Frozen(BaseModel):
    """A value: no field can be added, misspelt or changed."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Paper(_Frozen):
    """Where the numbers were published."""

    authors: str
    title: str
    venue: str
    year: int
    url: str


class Row(_Frozen):
    """One printed row; `scores` are mAP and R1 in percent by dataset."""

    method: str
    label: str
    scores: dict[str, tuple[Percent, Percent]]
    reference: str = ""  # as printed
    teacher: str | None = None  # None: the table's; empty: none
    student: str | None = None  # None: the table's


class PublishedTable(_Frozen):
    """One printed table; `notes` by dataset are what its reader has to know."""

    number: int
    kind: Literal["ablation", "comparison"]
    title: str
    teacher: str
    student: str
    rows: tuple[Row, ...]
    notes: dict[str, tuple[str, ...]] = {}

    @model_validator(mode="after")
    def _one_row_per_method(self) -> PublishedTable:
        methods = [row.method for row in self.rows]
        twice = sorted({method for method in methods if methods.count(method) > 1})
        if twice:
            raise ValueError(f"table {self.number} lists {', '.join(twice)} more than once")
        return self

    def row(self, method: str) -> Row | None:
        """The row of `method`, if the paper has one."""
        return next((row for row in self.rows if row.method == method), None)


class Source(_Frozen):
    """One paper: its tables and, by dataset, what it states of how the numbers were made."""

    name: str
    paper: Paper
    seeds: int | None  # None: the paper does not say
    protocols: dict[str, dict[str, Value]]
    tables: tuple[PublishedTable, ...]


class Published(_Frozen):
    """All papers, in the file's order."""

    sources: tuple[Source, ...]

    def tables(self, kind: str, dataset: str) -> Iterator[tuple[Source, PublishedTable]]:
        """The printed tables of one kind that have numbers on `dataset`."""
        for source in self.sources:
            for table in source.tables:
                if table.kind == kind and any(dataset in row.scores for row in table.rows):
                    yield source, table


def load_published(path: Path = FILE) -> Published:
    """Read and check the papers' numbers.

    Raises:
        ValueError: the file is not YAML, or a field is missing, misspelt or impossible; the message
            names the file and the place in it.
    """
    try:
        content = YAML(typ="safe").load(path)
    except YAMLError as error:
        raise ValueError(f"{path} is not YAML: {error}") from error
    try:
        sources = TypeAdapter(tuple[Source, ...]).validate_python(content)
    except ValidationError as error:
        places = "; ".join(
            f"{_place(found['loc'])}: {found['msg']}" for found in error.errors(include_url=False)
        )
        raise ValueError(f"{path}: {places}") from error
    return Published(sources=sources)


def _place(location: tuple[int | str, ...]) -> str:
    """(0, 'tables', 2, 'title') -> '[0].tables[2].title'."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return "".join(parts).lstrip(".") or "top level"

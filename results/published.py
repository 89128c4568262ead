"""The papers' own numbers, as `published.yaml` lists them, checked and typed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

PUBLISHED = Path(__file__).with_name("published.yaml")

Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Value = int | float | str | bool
Scored = Literal["veri776", "vehicleid test800", "vehicleid test1600", "vehicleid test2400"]


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


class Protocol(_Frozen):
    """How the numbers on one dataset were made; None: the paper does not say.

    `recipe` has the fields of `harness.runs.spec` that the paper states. `misprints` are, by field,
    the values that are meant where every copy of the dataset shows the printed one to be wrong.
    """

    version: str | None  # of the dataset
    train_images: int | None
    train_identities: int | None
    queries: dict[str, int]  # by evaluation, as the next two
    gallery: dict[str, int]
    draws: dict[str, int]
    metric: Literal["cosine", "euclidean"] | None
    reranking: bool | None
    cameras: Literal["others", "all"] | None  # whose images count as matches
    checkpoint: Literal["last", "best"] | None
    misprints: dict[str, int] = {}
    recipe: dict[str, Value | tuple[Value, ...]]


class PublishedRow(_Frozen):
    """One printed row; `scores` are mAP and R1 in percent by dataset."""

    method: str
    label: str
    scores: dict[str, tuple[Percent, Percent]]
    reference: str = ""  # as printed
    teacher: str | None = None  # None: the table's; empty: none
    student: str | None = None  # None: the table's
    cited: bool = False  # a method that the paper quotes and did not train


class PublishedNetworkRow(_Frozen):
    """One printed row of a table of networks (VRKD, Tables 1 to 3).

    `scores` are mAP and R1 in percent by dataset and test; None where the paper has none. Training
    tricks: a last stride of 1 or 2, label smoothing, a triplet loss.
    """

    method: str
    label: str
    cited: bool = False
    model: str  # as printed
    network: str | None = None  # as the catalogue names it; None for cited rows
    parameters: Positive | None = None  # millions
    operations: Positive | None = None  # giga, of one image
    size: int  # of the square input
    last_stride: Literal[1, 2] | None
    label_smoothing: bool
    triplet: bool
    scores: dict[Scored, tuple[Percent | None, Percent | None]]

    def score(self, test: Scored, place: int) -> float | None:
        """One test's mAP (place 0) or R1 (place 1) in percent."""
        return self.scores.get(test, (None, None))[place]


class PublishedTable(_Frozen):
    """One printed table; `notes` by dataset are what its reader has to know."""

    number: int
    kind: Literal["ablation", "comparison"]
    title: str
    teacher: str
    student: str
    rows: tuple[PublishedRow, ...]
    notes: dict[str, tuple[str, ...]] = {}

    @model_validator(mode="after")
    def _one_row_per_method(self) -> PublishedTable:
        methods = [row.method for row in self.rows]
        twice = sorted({method for method in methods if methods.count(method) > 1})
        if twice:
            raise ValueError(f"table {self.number} lists {', '.join(twice)} more than once")
        return self

    def row(self, method: str) -> PublishedRow | None:
        """The row of `method`, if the paper has one."""
        return next((row for row in self.rows if row.method == method), None)


class NetworkTable(_Frozen):
    """One printed table of networks; `notes` are what its reader has to know."""

    number: int
    kind: Literal["models", "backbones", "role"]
    title: str
    teacher: tuple[str, ...]  # networks that teach together, of the rows that are not `none`
    rows: tuple[PublishedNetworkRow, ...]
    notes: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _no_row_twice(self) -> NetworkTable:
        places = [
            (row.label, row.model, row.size, row.last_stride, row.label_smoothing, row.triplet)
            for row in self.rows
        ]
        twice = sorted({f"{p[0]}, {p[1]}" for p in places if places.count(p) > 1})
        if twice:
            raise ValueError(f"table {self.number} lists {'; '.join(twice)} more than once")
        return self

    @model_validator(mode="after")
    def _own_rows_have_networks(self) -> NetworkTable:
        bare = [row.label for row in self.rows if (row.network is None) != row.cited]
        if bare:
            raise ValueError(
                f"table {self.number}, {', '.join(bare)}: a row either is cited or has a network"
            )
        return self


class PublishedPaper(_Frozen):
    """One paper: its tables and, by dataset, what it states of how the numbers were made."""

    name: str
    paper: Paper
    seeds: int | None  # None: the paper does not say
    protocols: dict[str, Protocol]
    tables: tuple[PublishedTable, ...] = ()
    networks: tuple[NetworkTable, ...] = ()

    @property
    def reference(self) -> str:
        """Authors and year, as footnotes name a paper."""
        return f"{self.paper.authors} {self.paper.year}"


class Published(_Frozen):
    """All papers, in the file's order."""

    sources: tuple[PublishedPaper, ...]

    def tables(self, kind: str, dataset: str) -> Iterator[tuple[PublishedPaper, PublishedTable]]:
        """The printed tables of one kind that have numbers on `dataset`."""
        for source in self.sources:
            for table in source.tables:
                if table.kind == kind and any(dataset in row.scores for row in table.rows):
                    yield source, table

    def network_tables(self) -> Iterator[tuple[PublishedPaper, NetworkTable]]:
        """The printed tables of networks, each with its paper."""
        for source in self.sources:
            for table in source.networks:
                yield source, table

    def network_sizes(self) -> list[PublishedNetworkRow]:
        """Return a row with parameters and operations for each network, input and last stride."""
        rows = [row for _, table in self.network_tables() for row in table.rows if row.network]
        sized = [row for row in rows if row.parameters and row.operations]
        return list({(row.network, row.size, row.last_stride): row for row in sized}.values())


def load_published(path: Path = PUBLISHED) -> Published:
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
        sources = TypeAdapter(tuple[PublishedPaper, ...]).validate_python(content)
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

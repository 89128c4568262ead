"""The papers' numbers in `published.yaml`, validated and typed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

PUBLISHED_FILE = Path(__file__).with_name("published.yaml")

Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Value = int | float | str | bool
Scored = Literal["veri776", "vehicleid test800", "vehicleid test1600", "vehicleid test2400"]


class _Frozen(BaseModel):
    """A frozen model that refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Citation(_Frozen):
    """Bibliographic data of a paper."""

    authors: str
    title: str
    venue: str
    year: int
    url: str


class Protocol(_Frozen):
    """Conditions of a paper's numbers on one dataset; None: the paper does not state it.

    `recipe` has the fields of `harness.runs.spec.Recipe` that the paper states. `misprints` are, by
    field, the correct values where every copy of the dataset contradicts the printed one.
    """

    version: str | None  # of the dataset
    train_images: int | None
    train_identities: int | None
    queries: dict[str, int]  # by evaluation, as are the next two
    gallery: dict[str, int]
    draws: dict[str, int]
    metric: Literal["cosine", "euclidean"] | None
    reranking: bool | None
    cameras: Literal["others", "all"] | None  # whose images may be matches of a query
    checkpoint: Literal["last", "best"] | None
    misprints: dict[str, int] = {}
    recipe: dict[str, Value | tuple[Value, ...]]


class PublishedRow(_Frozen):
    """A printed row; `scores` are (mAP, R1) in percent by dataset."""

    method: str
    label: str
    scores: dict[str, tuple[Percent, Percent]]
    reference: str = ""  # as printed
    teacher: str | None = None  # None: the table's; empty: it has no teacher
    student: str | None = None  # None: the table's
    cited: bool = False  # from another paper, not trained by this one


class PublishedNetworkRow(_Frozen):
    """A printed row of a table of networks (VRKD, Tables 1 to 3).

    `scores` are (mAP, R1) in percent by dataset and test; None where the paper has none. The
    training tricks are the last stride, label smoothing and a triplet loss.
    """

    method: str
    label: str
    cited: bool = False
    model: str  # as printed
    network: str | None = None  # name in `harness.models`; None for cited rows
    parameters: Positive | None = None  # millions
    operations: Positive | None = None  # billions, for one image
    size: int  # side of the square input, in pixels
    last_stride: Literal[1, 2] | None
    label_smoothing: bool
    triplet: bool
    scores: dict[Scored, tuple[Percent | None, Percent | None]]

    def score(self, test: Scored, index: int) -> float | None:
        """Return a test's mAP (index 0) or R1 (index 1) in percent, if the paper has it."""
        return self.scores.get(test, (None, None))[index]


class PublishedTable(_Frozen):
    """A printed table; `notes` are footnotes by dataset."""

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
        """Return the row of `method`, if the table has one."""
        return next((row for row in self.rows if row.method == method), None)


class NetworkTable(_Frozen):
    """A printed table of networks; `notes` are footnotes."""

    number: int
    kind: Literal["models", "backbones", "role"]
    title: str
    teacher: tuple[str, ...]  # networks of the ensemble that teaches the distilled rows
    rows: tuple[PublishedNetworkRow, ...]
    notes: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _no_row_twice(self) -> NetworkTable:
        identities = [
            (row.label, row.model, row.size, row.last_stride, row.label_smoothing, row.triplet)
            for row in self.rows
        ]
        twice = sorted({f"{i[0]}, {i[1]}" for i in identities if identities.count(i) > 1})
        if twice:
            raise ValueError(f"table {self.number} lists {'; '.join(twice)} more than once")
        return self

    @model_validator(mode="after")
    def _own_rows_have_networks(self) -> NetworkTable:
        wrong = [row.label for row in self.rows if (row.network is None) != row.cited]
        if wrong:
            raise ValueError(
                f"table {self.number}, {', '.join(wrong)}: a row either is cited or has a network"
            )
        return self


class PublishedPaper(_Frozen):
    """A paper: its tables, and by dataset the protocol of their numbers."""

    name: str
    paper: Citation
    seeds: int | None  # runs per score; None: the paper does not state it
    protocols: dict[str, Protocol]
    tables: tuple[PublishedTable, ...] = ()
    networks: tuple[NetworkTable, ...] = ()

    @property
    def reference(self) -> str:
        """Authors and year, as footnotes cite a paper."""
        return f"{self.paper.authors} {self.paper.year}"


class Published(_Frozen):
    """All papers, in the order of the file."""

    papers: tuple[PublishedPaper, ...]

    def tables(self, kind: str, dataset: str) -> Iterator[tuple[PublishedPaper, PublishedTable]]:
        """Yield the tables of one kind ("ablation", "comparison") with numbers on `dataset`."""
        for paper in self.papers:
            for table in paper.tables:
                if table.kind == kind and any(dataset in row.scores for row in table.rows):
                    yield paper, table

    def network_tables(self) -> Iterator[tuple[PublishedPaper, NetworkTable]]:
        """Yield the tables of networks, each with its paper."""
        for paper in self.papers:
            for table in paper.networks:
                yield paper, table

    def network_sizes(self) -> list[PublishedNetworkRow]:
        """Return a row with parameters and operations for each network, input and last stride."""
        rows = [row for _, table in self.network_tables() for row in table.rows if row.network]
        sized = [row for row in rows if row.parameters and row.operations]
        return list({(row.network, row.size, row.last_stride): row for row in sized}.values())


def load_published(path: Path = PUBLISHED_FILE) -> Published:
    """Read and validate the papers' numbers.

    Raises:
        ValueError: The file is not YAML, or a field is missing, misspelt or has an impossible
            value; the message names the file and the field.
    """
    try:
        content = YAML(typ="safe").load(path)
    except YAMLError as error:
        raise ValueError(f"{path} is not YAML: {error}") from error
    try:
        papers = TypeAdapter(tuple[PublishedPaper, ...]).validate_python(content)
    except ValidationError as error:
        problems = "; ".join(
            f"{_field_path(one['loc'])}: {one['msg']}" for one in error.errors(include_url=False)
        )
        raise ValueError(f"{path}: {problems}") from error
    return Published(papers=papers)


def _field_path(location: tuple[int | str, ...]) -> str:
    """Return (0, 'tables', 2, 'title') as '[0].tables[2].title'."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return "".join(parts).lstrip(".") or "top level"

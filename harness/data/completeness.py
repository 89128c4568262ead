"""Is this copy of a dataset whole? What is on disk against what its authors counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from harness.core.errors import SetupError
from harness.data.dataset import Dataset, Image
from harness.data.decoding import UnreadableError, decode

NAMED = 3  # absent images that a message names


class ExpectedCounts(BaseModel):
    """Counts of one subset, as its dataset's file states them; of several any will do."""

    model_config = ConfigDict(extra="forbid")

    images: int | list[int] | None = None
    identities: int | list[int] | None = None
    cameras: int | list[int] | None = None


@dataclass(frozen=True, slots=True)
class CountCheck:
    """One number that was counted, and what it may be; nothing: not known."""

    subset: str
    what: str
    found: int
    expected: tuple[int, ...]

    @property
    def ok(self) -> bool:
        """Whether the number is as expected."""
        return not self.expected or self.found in self.expected

    def __str__(self) -> str:
        wanted = " or ".join(f"{number:,}" for number in self.expected)
        return f"{self.subset} has {self.found:,} {self.what} where {wanted} are expected"


def count_subsets(dataset: Dataset, expected: Mapping[str, ExpectedCounts]) -> list[CountCheck]:
    """Images, identities and cameras of every subset, beside what is expected of it."""
    found = []
    for subset, images in subsets(dataset).items():
        known = expected.get(subset, ExpectedCounts())
        seen = {
            "images": len(images),
            "identities": len({image.identity for image in images}),
            "cameras": len({image.camera for image in images}),
        }
        for what, number in seen.items():
            wanted = getattr(known, what)
            several = wanted if isinstance(wanted, list) else [wanted] if wanted else []
            if several or what != "cameras":
                found.append(CountCheck(subset, what, number, tuple(several)))
    return found


def subsets(dataset: Dataset) -> dict[str, list[Image]]:
    """Training images, queries and gallery of every test (of its first draw), and all together."""
    found = {"train": list(dataset.train)}
    for name, draws in dataset.test_splits.items():
        prefix = "" if name == "test" else f"{name} "
        for part in ("query", "gallery"):
            found[prefix + part] = [dataset.test[index] for index in getattr(draws[0], part)]
    return found | {"all": [*dataset.train, *dataset.test]}


def require_complete(
    dataset: Dataset, expected: Mapping[str, ExpectedCounts], *, allow_partial: bool
) -> tuple[str, ...]:
    """What to note beside every number from this copy: nothing if it is whole.

    Raises:
        SetupError: it is not whole, and that was not allowed.
    """
    wrong = [
        *map(str, (c for c in count_subsets(dataset, expected) if not c.ok)),
        *describe_missing(dataset),
    ]
    if not wrong:
        return ()
    said = "; ".join(wrong)
    if allow_partial:
        return (f"Partial data: {said}.",)
    raise SetupError(
        f"{dataset.name}: {dataset.root} is not the whole dataset: {said}. Complete the copy "
        f"(kdreid data check --dataset {dataset.name} --deep looks into every file), or go on with "
        "--allow-partial: every record and table will then say so."
    )


def describe_missing(dataset: Dataset) -> list[str]:
    """A sentence about the images that are listed but not there, if there are such."""
    if not dataset.missing_files:
        return []
    more = ", ..." if len(dataset.missing_files) > NAMED else ""
    return [
        f"{len(dataset.missing_files):,} listed images are absent "
        f"({', '.join(dataset.missing_files[:NAMED])}{more})"
    ]


def require_scorable(dataset: Dataset) -> None:
    """Make sure that there is something to score, before anything is trained.

    Raises:
        SetupError: no query of a test has a gallery image of its identity by another camera.
    """
    for name, draws in dataset.test_splits.items():
        for draw in draws:
            cameras: dict[int, set[int]] = {}
            for image in (dataset.test[index] for index in draw.gallery):
                cameras.setdefault(image.identity, set()).add(image.camera)
            queries = [dataset.test[index] for index in draw.query]
            if not any(cameras.get(query.identity, set()) - {query.camera} for query in queries):
                raise SetupError(
                    f"{dataset.name}: none of the {len(queries)} queries of {name!r} in "
                    f"{dataset.root} has a match (an image of its identity by another camera) in "
                    "the gallery, so nothing could be scored. Restore the query and gallery "
                    "folders or lists of one and the same copy."
                )


def find_unreadable(
    dataset: Dataset, workers: int, advance: Callable[[int, int], None]
) -> Iterable[str]:
    """Every image that cannot be decoded, with the reason; all are tried."""
    images = sorted({*dataset.train, *dataset.test})

    def attempt(image: Image) -> str:
        try:
            decode(dataset.root / image.file)
        except UnreadableError as error:
            return f"{image.file}: {error}"
        return ""

    with ThreadPoolExecutor(workers) as pool:
        for number, problem in enumerate(pool.map(attempt, images), 1):
            if number % 100 == 0 or number == len(images):
                advance(number, len(images))
            if problem:
                yield problem

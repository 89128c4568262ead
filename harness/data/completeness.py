"""Completeness of a copy of a dataset: images on disk compared with the published counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from harness.core.errors import SetupError
from harness.data.dataset import Dataset, Image
from harness.data.dataset import describe_missing as describe_missing_files
from harness.data.folders import describe_unread


class ExpectedCounts(BaseModel):
    """Published counts of one subset; None where no number is published.

    Where publications differ, a list contains all numbers that count as right.

    Attributes:
        images: Number of images.
        identities: Number of identities; all distractors with one label count as one.
        cameras: Number of cameras.
    """

    model_config = ConfigDict(extra="forbid")

    images: int | list[int] | None = None
    identities: int | list[int] | None = None
    cameras: int | list[int] | None = None


@dataclass(frozen=True, slots=True)
class CountCheck:
    """A number that was counted, and the published ones.

    Attributes:
        subset: Subset, named as by `list_subsets`.
        unit: "images", "identities" or "cameras".
        counted: The number of this copy.
        expected: Published numbers; empty where none is published.
    """

    subset: str
    unit: str
    counted: int
    expected: tuple[int, ...]

    @property
    def ok(self) -> bool:
        """True if the number is as expected, or no number is expected."""
        return not self.expected or self.counted in self.expected

    def __str__(self) -> str:
        expected = " or ".join(f"{number:,}" for number in self.expected)
        return f"{self.subset} has {self.counted:,} {self.unit} where {expected} are expected"


def count_subsets(dataset: Dataset, expected: Mapping[str, ExpectedCounts]) -> list[CountCheck]:
    """Count images, identities and, where a number is expected, cameras of every subset.

    Args:
        dataset: The copy to count.
        expected: Published counts by subset, named as by `list_subsets`.
    """
    checks = []
    for subset, images in list_subsets(dataset).items():
        published = expected.get(subset, ExpectedCounts())
        counts = {
            "images": len(images),
            "identities": len({image.identity for image in images}),
            "cameras": len({image.camera for image in images}),
        }
        for unit, number in counts.items():
            value = getattr(published, unit)
            allowed = value if isinstance(value, list) else [value] if value else []
            if allowed or unit != "cameras":
                checks.append(CountCheck(subset, unit, number, tuple(allowed)))
    return checks


def list_subsets(dataset: Dataset) -> dict[str, list[Image]]:
    """Return the images of every subset.

    Returns:
        `train`; `query` and `gallery` of each test, with the test's name in front unless it is the
        only one; and `all`. Of a test with several splits, the first one counts.
    """
    subsets = {"train": list(dataset.train)}
    for name, splits in dataset.test_splits.items():
        prefix = "" if name == "test" else f"{name} "
        for part in ("query", "gallery"):
            subsets[prefix + part] = [dataset.test[index] for index in getattr(splits[0], part)]
    return subsets | {"all": [*dataset.train, *dataset.test]}


def require_complete(
    dataset: Dataset, expected: Mapping[str, ExpectedCounts], *, allow_partial: bool
) -> tuple[str, ...]:
    """Compare a copy with the published counts.

    Returns:
        Notes for the records of all runs on this copy; none if it is complete.

    Raises:
        SetupError: The copy is not complete, and `allow_partial` is false.
    """
    problems = [
        *map(str, (check for check in count_subsets(dataset, expected) if not check.ok)),
        *describe_missing(dataset),
    ]
    if not problems:
        return ()
    summary = "; ".join([*problems, *describe_unread_images(dataset)])
    if allow_partial:
        return (f"Partial data: {summary}.",)
    raise SetupError(
        f"{dataset.name}: {dataset.root} is not a complete copy: {summary}. Restore the missing "
        f"files (kdreid data check --dataset {dataset.name} --deep checks every image), or use "
        "the copy as it is with --allow-partial: all records and tables will be marked as partial."
    )


def describe_missing(dataset: Dataset) -> list[str]:
    """Describe the images that lists contain or links promise, but the disk does not have."""
    return describe_missing_files(dataset.missing_files, dataset.broken_links)


def describe_unread_images(dataset: Dataset) -> list[str]:
    """Describe the images in the folders of a dataset that are not read, a line for each folder."""
    folders = sorted({image.file.partition("/")[0] for image in (*dataset.train, *dataset.test)})
    lines = []
    for folder in folders:
        files = [image.file for image in (*dataset.train, *dataset.test)]
        is_flat = all(file.count("/") < 2 for file in files if file.startswith(f"{folder}/"))
        if found := describe_unread(dataset.root / folder, is_flat=is_flat):
            lines.append(f"{folder} also holds {found}, which are not read")
    return lines


def require_scorable(dataset: Dataset) -> None:
    """Check before any training that every test can be scored.

    Raises:
        SetupError: No query of a test has a match, a gallery image of its identity from another
            camera.
    """
    for name, splits in dataset.test_splits.items():
        for split in splits:
            cameras: dict[int, set[int]] = {}
            for image in (dataset.test[index] for index in split.gallery):
                cameras.setdefault(image.identity, set()).add(image.camera)
            queries = [dataset.test[index] for index in split.query]
            if not any(cameras.get(query.identity, set()) - {query.camera} for query in queries):
                raise SetupError(
                    f"{dataset.name}: none of the {len(queries)} queries of {name!r} in "
                    f"{dataset.root} has a match (an image of its identity from another camera) in "
                    "the gallery, so there is nothing to score. Restore the query and gallery "
                    "folders or lists from the same copy."
                )

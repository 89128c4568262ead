"""A Re-ID dataset as a value: its images, their labels, and the splits that are scored."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from harness.core.errors import SetupError
from harness.runs.data_flags import DataFlag

SAMPLED_FILES = 64  # files whose whole content is part of the fingerprint


@dataclass(frozen=True, slots=True, order=True)
class Image:
    """An image file with its labels.

    Attributes:
        file: Path relative to the dataset's root.
        identity: Person or vehicle; 0 marks distractors in datasets that have them.
        camera: Camera; gallery images from a query's camera do not count as its matches.
    """

    file: str
    identity: int
    camera: int


@dataclass(frozen=True, slots=True)
class QueryGallerySplit:
    """Query images and gallery images of a test.

    Attributes:
        query: Indices into `Dataset.test`.
        gallery: Indices into `Dataset.test`.
    """

    query: tuple[int, ...]
    gallery: tuple[int, ...]


@dataclass(frozen=True)
class Dataset:
    """Images of a Re-ID dataset, and the splits that its tests are scored on.

    Attributes:
        name: Name of the dataset.
        root: Its folder.
        train: Training images.
        test: Images of all tests.
        test_splits: Splits of each test, by the test's name. A test with several splits, such as
            VehicleID's, is scored by the mean over them.
        notes: Sentences that tables print below the numbers.
        data_flags: Reasons why these are not all images of the real dataset.
        missing_files: Listed images without a file, as `list:line: file`.
    """

    name: str
    root: Path
    train: tuple[Image, ...]
    test: tuple[Image, ...]
    test_splits: dict[str, tuple[QueryGallerySplit, ...]]
    notes: tuple[str, ...] = ()
    data_flags: tuple[DataFlag, ...] = ()
    missing_files: tuple[str, ...] = ()

    @cached_property
    def identities(self) -> tuple[int, ...]:
        """Training identities in order; an identity's position is its class label."""
        return tuple(sorted({image.identity for image in self.train}))

    @cached_property
    def fingerprint(self) -> str:
        """Digest of all names, labels, sizes and splits, and of the content of 64 or more files.

        16 hexadecimal digits. Keys of runs and random streams contain them.

        Raises:
            SetupError: A file cannot be read.
        """
        digest = hashlib.sha256()
        images = [*self.train, *self.test]
        try:
            for image in images:
                size = (self.root / image.file).stat().st_size
                digest.update(f"{image.file} {image.identity} {image.camera} {size}\n".encode())
            # Keys of runs depend on this text, so the class is hashed by the name it had first.
            splits = repr(self.test_splits).replace(QueryGallerySplit.__name__, "Draw")
            digest.update(splits.encode())
            for image in images[:: max(1, len(images) // SAMPLED_FILES)]:
                digest.update(hashlib.sha256((self.root / image.file).read_bytes()).digest())
        except OSError as error:
            raise SetupError(
                f"{self.name}: {error.filename} cannot be read ({error.strerror})."
            ) from error
        return digest.hexdigest()[:16]


def make_dataset(
    name: str,
    root: Path,
    train: Iterable[Image],
    query: Sequence[Image],
    gallery: Sequence[Image],
    *,
    notes: Iterable[str] = (),
    missing_files: Iterable[str] = (),
) -> Dataset:
    """Make a dataset with one test of one fixed query set and gallery.

    Args:
        name: The dataset's name.
        root: Folder that all image paths are relative to.
        train: Training images, in any order.
        query: Query images, in any order.
        gallery: Gallery images, in any order.
        notes: Sentences that tables print below the numbers.
        missing_files: Listed images without a file.

    Returns:
        The dataset, its images sorted so that it does not depend on the order of listings.

    Raises:
        SetupError: A subset is empty.
    """
    train, query, gallery = sorted(train), sorted(query), sorted(gallery)
    for subset, images in (("training", train), ("query", query), ("gallery", gallery)):
        if not images:
            raise SetupError(f"{name}: {root} contains no {subset} images.")
    split = QueryGallerySplit(
        query=tuple(range(len(query))),
        gallery=tuple(range(len(query), len(query) + len(gallery))),
    )
    return Dataset(
        name,
        root,
        tuple(train),
        (*query, *gallery),
        {"test": (split,)},
        notes=tuple(notes),
        missing_files=tuple(missing_files),
    )

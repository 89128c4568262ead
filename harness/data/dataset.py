"""A Re-ID dataset as a value: which files there are, whom they show, and what is scored."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from harness.core.errors import SetupError
from harness.runs.data_flags import DataFlag

SAMPLED_FILES = 64  # whose whole content enters the fingerprint


@dataclass(frozen=True, slots=True, order=True)
class Image:
    """One image: its path below the dataset's root, whom it shows and which camera saw it."""

    file: str
    identity: int
    camera: int


@dataclass(frozen=True, slots=True)
class QueryGallerySplit:
    """Which test images are queries and which the gallery, as indices into `Dataset.test`."""

    query: tuple[int, ...]
    gallery: tuple[int, ...]


@dataclass(frozen=True)
class Dataset:
    """Training images, test images, and by name the draws that the test is scored on."""

    name: str
    root: Path
    train: tuple[Image, ...]
    test: tuple[Image, ...]
    test_splits: dict[str, tuple[QueryGallerySplit, ...]]
    notes: tuple[str, ...] = ()  # what a reader of the numbers should know, a sentence each
    data_flags: tuple[DataFlag, ...] = ()  # why these are not the images that the name promises
    missing_files: tuple[
        str, ...
    ] = ()  # where lists name an image that is not there, as `list:line: file`

    @cached_property
    def identities(self) -> tuple[int, ...]:
        """Training identities in order; an identity's position is its class label."""
        return tuple(sorted({image.identity for image in self.train}))

    @cached_property
    def fingerprint(self) -> str:
        """Digest of all names, labels and sizes and of the content of evenly spaced files.

        Raises:
            SetupError: a file cannot be read.
        """
        digest = hashlib.sha256()
        images = [*self.train, *self.test]
        try:
            for image in images:
                size = (self.root / image.file).stat().st_size
                digest.update(f"{image.file} {image.identity} {image.camera} {size}\n".encode())
            # Keys of runs and random streams contain this digest, so the text must never change:
            # the class is hashed by the name that it had first.
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
    notes: Iterable[str] = (),
    absent: Iterable[str] = (),
) -> Dataset:
    """The usual dataset: one fixed query set and one gallery. Everything is sorted here.

    Raises:
        SetupError: a subset is empty.
    """
    train, query, gallery = sorted(train), sorted(query), sorted(gallery)
    for subset, images in (("training", train), ("query", query), ("gallery", gallery)):
        if not images:
            raise SetupError(f"{name}: no {subset} images were found in {root}.")
    draw = QueryGallerySplit(
        query=tuple(range(len(query))),
        gallery=tuple(range(len(query), len(query) + len(gallery))),
    )
    test = (*query, *gallery)
    return Dataset(
        name,
        root,
        tuple(train),
        test,
        {"test": (draw,)},
        notes=tuple(notes),
        missing_files=tuple(absent),
    )

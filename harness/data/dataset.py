"""A Re-ID dataset as a value: its images, their labels, and the splits that are scored."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from harness.core.errors import SetupError
from harness.data.file_digests import FileDigester
from harness.runs.data_flags import DataFlag

SAMPLED_FILES = 64  # files whose content is part of the sample's fingerprint
MAX_LISTED_FILES = 3  # missing images that a message lists


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
        broken_links: Links that lead to nothing where images are expected.
        digester: Computes the digests of the image files.
    """

    name: str
    root: Path
    train: tuple[Image, ...]
    test: tuple[Image, ...]
    test_splits: dict[str, tuple[QueryGallerySplit, ...]]
    notes: tuple[str, ...] = ()
    data_flags: tuple[DataFlag, ...] = ()
    missing_files: tuple[str, ...] = ()
    broken_links: tuple[str, ...] = ()
    digester: FileDigester = field(default_factory=FileDigester, compare=False, repr=False)

    @cached_property
    def identities(self) -> tuple[int, ...]:
        """Training identities in order; an identity's position is its class label."""
        return tuple(sorted({image.identity for image in self.train}))

    @cached_property
    def digests(self) -> dict[str, str]:
        """SHA-256 of the content of every image file.

        Raises:
            SetupError: Some files cannot be read.
        """
        files = (image.file for image in (*self.train, *self.test))
        return self.digester.digest_files(self.name, self.root, files)

    @cached_property
    def fingerprint(self) -> str:
        """Digest of all names, labels, contents and splits: 16 hexadecimal digits.

        Keys of runs contain it.

        Raises:
            SetupError: Some files cannot be read.
        """
        digest = hashlib.sha256()
        for image in (*self.train, *self.test):
            line = f"{image.file} {image.identity} {image.camera} {self.digests[image.file]}\n"
            digest.update(line.encode(errors="surrogateescape"))
        digest.update(self._splits_text)
        return digest.hexdigest()[:16]

    @cached_property
    def sample_fingerprint(self) -> str:
        """Digest of all names, labels, sizes and splits, and of the content of 64 or more files.

        It was the fingerprint until version 0.2.0. Random streams still have its name, so that
        batches are what they were, and old runs are recognised by it.

        Raises:
            SetupError: A file cannot be read.
        """
        digest = hashlib.sha256()
        images = [*self.train, *self.test]
        try:
            for image in images:
                size = (self.root / image.file).stat().st_size
                line = f"{image.file} {image.identity} {image.camera} {size}\n"
                digest.update(line.encode(errors="surrogateescape"))
            digest.update(self._splits_text)
            for image in images[:: max(1, len(images) // SAMPLED_FILES)]:
                digest.update(bytes.fromhex(self.digests[image.file]))
        except OSError as error:
            raise SetupError(
                f"{self.name}: {error.filename} cannot be read ({error.strerror})."
            ) from error
        return digest.hexdigest()[:16]

    @cached_property
    def _splits_text(self) -> bytes:
        # Keys of runs depend on this text, so the class is hashed by the name it had first.
        return repr(self.test_splits).replace(QueryGallerySplit.__name__, "Draw").encode()


def make_dataset(
    name: str,
    root: Path,
    train: Iterable[Image],
    query: Sequence[Image],
    gallery: Sequence[Image],
    *,
    notes: Iterable[str] = (),
    missing_files: Iterable[str] = (),
    broken_links: Iterable[str] = (),
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
        broken_links: Links that lead to nothing where images are expected.

    Returns:
        The dataset, its images sorted so that it does not depend on the order of listings.

    Raises:
        SetupError: A subset is empty.
    """
    train, query, gallery = sorted(train), sorted(query), sorted(gallery)
    missing_files, broken_links = tuple(missing_files), tuple(broken_links)
    for subset, images in (("training", train), ("query", query), ("gallery", gallery)):
        require_images(name, root, subset, images, missing_files, broken_links)
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
        missing_files=missing_files,
        broken_links=broken_links,
    )


def require_images(
    name: str,
    root: Path,
    subset: str,
    images: Sequence[Image],
    missing_files: Sequence[str],
    broken_links: Sequence[str],
) -> None:
    """Check that a subset has images.

    Args:
        name: The dataset's name.
        root: Its folder.
        subset: Name of the subset, for the message.
        images: Its images.
        missing_files: Listed images without a file.
        broken_links: Links that lead to nothing where images are expected.

    Raises:
        SetupError: It has none; the message states what is missing.
    """
    if images:
        return
    missing = "; ".join(describe_missing(missing_files, broken_links))
    raise SetupError(f"{name}: {root} contains no {subset} images{missing and f': {missing}'}.")


def describe_missing(missing_files: Sequence[str], broken_links: Sequence[str]) -> list[str]:
    """Describe the images that a copy lacks: a line for the listed ones, and one for links."""
    lines = []
    if missing_files:
        lines.append(f"{len(missing_files):,} listed images are missing ({_list(missing_files)})")
    if broken_links:
        links = "1 link leads" if len(broken_links) == 1 else f"{len(broken_links):,} links lead"
        lines.append(f"{links} to nothing ({_list(broken_links)})")
    return lines


def _list(files: Sequence[str]) -> str:
    more = ", ..." if len(files) > MAX_LISTED_FILES else ""
    return f"{', '.join(files[:MAX_LISTED_FILES])}{more}"

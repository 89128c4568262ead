"""The pixel cache: all images decoded and resized once, in memory-mapped files that jobs share.

A cache belongs to one (data fingerprint, image size, decoder version). It is built under a lease in
a temporary folder next to its final place and renamed when complete, so a killed builder leaves
nothing that could be read. Every image has a checksum, which is verified when a process first reads
the image; a corrupt image is decoded again and written back. A cache with missing, truncated or
wrongly shaped files is rebuilt.
"""

from __future__ import annotations

import math
import os
import shutil
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from harness.core.errors import DamagedFileError, SetupError, UnreadableFileError
from harness.core.file_errors import unwritable_file
from harness.core.files import read_json, write_json
from harness.core.lease import acquire_blocking
from harness.core.name_lists import name_some
from harness.core.progress import ProgressCallback, ignore_progress
from harness.data.dataset import Dataset
from harness.data.decoding import DECODER_VERSION, PixelArray, UnreadableError
from harness.data.images import FileImages
from harness.data.mapped_arrays import checksum, checksum_path, map_array

COMPLETE_MARKER = "ready.json"
SUBSETS = ("train", "test")
SPACE_FACTOR = 1.02  # of the pixels' bytes, for checksums and headers and a margin on the disk
MAX_LISTED_FILES = 5  # unreadable images that a message lists

Checksums = np.ndarray[Any, np.dtype[np.uint32]]


class CacheUnavailableError(SetupError):
    """The cache cannot be read or written; images can still be decoded when they are needed."""


class DiskTooSmallError(CacheUnavailableError):
    """The disk has no room for a cache."""


@dataclass(frozen=True)
class CachedImages:
    """Images of one subset, read from the cache on access."""

    array: PixelArray  # (N, 3, H, W) uint8, memory-mapped
    checksums: Checksums  # (N,)
    source: FileImages  # the image files, from which corrupt images are decoded again
    path: Path  # of the mapped file
    on_repair: Callable[[str], None]  # called with a message for each corrupt image
    _verified: list[bool] = field(init=False)
    _repaired: set[int] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_verified", [False] * len(self.array))

    def __getitem__(self, indices: Sequence[int]) -> Tensor:
        chosen = list(indices)
        pixels = self.array[np.asarray(chosen, dtype=np.int64)]
        # Threads need no lock: two that read an image at once verify it twice, and repair it with
        # the same bytes. A repaired image is verified again, as the disk may not be writable.
        for position, index in enumerate(chosen):
            if not self._verified[index]:
                if checksum(pixels[position]) == self.checksums[index]:
                    self._verified[index] = True
                else:
                    pixels[position] = self._repair(index)
        return torch.from_numpy(pixels)

    def __len__(self) -> int:
        return len(self.array)

    def _repair(self, index: int) -> PixelArray:
        """Decode an image again and write it back if the disk is writable.

        Raises:
            SetupError: The image file cannot be decoded.
        """
        image = self.source.read(index)
        self.checksums[index] = checksum(image)  # it may be the checksum that is corrupt
        if index not in self._repaired:
            self._repaired.add(index)
            name = self.source.images[index].file
            self.on_repair(f"{name} was corrupt in the cache {self.path}; it was decoded again.")
        with suppress(OSError, ValueError):
            np.load(self.path, mmap_mode="r+")[index] = image
            np.load(checksum_path(self.path), mmap_mode="r+")[index] = checksum(image)
        return image


def _ignore_repair(message: str) -> None:
    """Report nothing."""


def open_cache(
    dataset: Dataset,
    size: tuple[int, int],
    cache: Path,
    *,
    workers: int = 1,
    progress: ProgressCallback = ignore_progress,
    on_repair: Callable[[str], None] = _ignore_repair,
    before_poll: Callable[[], object] | None = None,
) -> tuple[CachedImages, CachedImages]:
    """Open the cache of a dataset at one size; build it first if it is missing or damaged.

    Args:
        dataset: The dataset whose images are cached.
        size: Height and width in pixels.
        cache: Folder that contains all caches. Several processes may use it at once: one builds,
            the others wait.
        workers: Number of decoding threads.
        progress: Called after each decoded image.
        on_repair: Called with a message for each corrupt image, when it is first read, and with one
            about another process that builds the cache for a while.
        before_poll: Called while another process builds the cache; an error that it raises ends the
            waiting.

    Returns:
        Training and test images.

    Raises:
        SetupError: Images are unreadable (the message lists them), or the cache that was built
            cannot be read.
        CacheUnavailableError: The disk of `cache` is too small, or another user's folder there does
            not let this process read or write.
    """
    try:
        return _open_or_build(dataset, size, cache, workers, progress, on_repair, before_poll)
    except UnreadableFileError as error:
        raise CacheUnavailableError(str(error)) from error
    except OSError as error:
        raise CacheUnavailableError(str(unwritable_file(cache / "cache", error))) from error


def _open_or_build(
    dataset: Dataset,
    size: tuple[int, int],
    cache: Path,
    workers: int,
    progress: ProgressCallback,
    on_repair: Callable[[str], None],
    before_poll: Callable[[], object] | None,
) -> tuple[CachedImages, CachedImages]:
    """Open the cache of a dataset, or build it; see `open_cache`."""
    folder = cache / f"{dataset.name}-{dataset.fingerprint}-{size[0]}x{size[1]}-{DECODER_VERSION}"
    sources = [
        FileImages(dataset.root, images, size, dataset.digests)
        for images in (dataset.train, dataset.test)
    ]
    opened = _load_cache(folder, sources, on_repair)
    if opened is None:
        with acquire_blocking(
            cache / f"{folder.name}.building",
            work=f"decodes {dataset.name}",
            report=on_repair,
            before_poll=before_poll,
        ) as lease:
            # Another process may have built the cache while this one waited for the lease.
            if (opened := _load_cache(folder, sources, on_repair)) is None:
                for leftover in cache.glob(f".{folder.name}.*"):  # of a builder that was killed
                    shutil.rmtree(leftover, ignore_errors=True)
                partial = cache / f".{folder.name}.{uuid.uuid4().hex[:8]}"
                try:
                    _build_cache(dataset.name, sources, partial, workers, progress)
                    lease.check()  # a builder that lost its lease must not replace another's cache
                    shutil.rmtree(folder, ignore_errors=True)
                    partial.rename(folder)
                finally:
                    shutil.rmtree(partial, ignore_errors=True)
                opened = _load_cache(folder, sources, on_repair)
        if opened is None:
            raise SetupError(
                f"The pixel cache {folder} cannot be read. Check the disk, or use --no-cache."
            )
    return opened


def _load_cache(
    folder: Path, sources: Sequence[FileImages], on_repair: Callable[[str], None]
) -> tuple[CachedImages, CachedImages] | None:
    """Open both subsets of a cache; None if it is missing or not complete."""
    try:
        if read_json(folder / COMPLETE_MARKER) is None:
            return None
    except DamagedFileError:  # it is built again
        return None
    subsets = []
    for name, source in zip(SUBSETS, sources, strict=True):
        path = folder / f"{name}.npy"
        array, sums = map_array(path), map_array(checksum_path(path))
        if array is None or sums is None:
            return None
        checksums = np.array(sums)
        if array.shape != (len(source), 3, *source.size) or array.dtype != np.uint8:
            return None
        if checksums.shape != (len(source),) or checksums.dtype != np.uint32:
            return None
        subsets.append(CachedImages(array, checksums, source, path, on_repair))
    return subsets[0], subsets[1]


def _build_cache(
    name: str,
    sources: Sequence[FileImages],
    folder: Path,
    workers: int,
    progress: ProgressCallback,
) -> None:
    """Decode all images into `folder`; every image is tried before an error is raised."""
    folder.mkdir(parents=True)
    _require_space(sources, folder)
    done, total = 0, sum(map(len, sources))
    unreadable: list[str] = []
    for subset, source in zip(SUBSETS, sources, strict=True):
        path = folder / f"{subset}.npy"
        array = _allocate_array(path, (len(source), 3, *source.size))
        checksums = np.zeros(len(source), np.uint32)

        def store(
            index: int,
            source: FileImages = source,
            array: PixelArray = array,
            checksums: Checksums = checksums,
        ) -> str:
            file = source.root / source.images[index].file
            try:
                image = source.decode(index)
            except UnreadableError as error:
                return f"{file} ({error})"
            array[index] = image
            checksums[index] = checksum(image)
            return ""

        with ThreadPoolExecutor(max(1, workers)) as pool:
            for problem in pool.map(store, range(len(source))):
                done += 1
                unreadable += [problem] if problem else []
                progress(done, total)
        array.flush()
        np.save(checksum_path(path), checksums)
    if unreadable:
        named = name_some(unreadable, MAX_LISTED_FILES, "; ")
        raise SetupError(
            f"{name}: {len(unreadable)} unreadable images: {named}. Restore them from the "
            f"dataset's archive, then run the same command again (kdreid data check --dataset "
            f"{name} --deep lists all of them)."
        )
    write_json(folder / COMPLETE_MARKER, {"images": total, "decoder": DECODER_VERSION})


def _allocate_array(path: Path, shape: tuple[int, ...]) -> np.memmap[Any, np.dtype[np.uint8]]:
    """Create a mapped array whose space on the disk is reserved.

    Without the reservation, writing to the mapping of a full disk kills the process (SIGBUS).
    """
    try:
        array = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    except OSError as error:
        needed = math.prod(shape)
        raise DiskTooSmallError(_describe_shortage(path.parent.parent, needed, error)) from error
    return array


def _require_space(sources: Sequence[FileImages], folder: Path) -> None:
    needed = int(SPACE_FACTOR * sum(len(s) * 3 * s.size[0] * s.size[1] for s in sources))
    if shutil.disk_usage(folder).free < needed:
        raise DiskTooSmallError(_describe_shortage(folder.parent, needed, None))


def _describe_shortage(folder: Path, needed: int, error: OSError | None) -> str:
    free = shutil.disk_usage(folder).free
    reason = f" ({error.strerror})" if error else ""
    return (
        f"The pixel cache needs {needed / 1e9:.1f} GB, but {folder} has {free / 1e9:.1f} GB free"
        f"{reason}. Free space there, or choose another disk with --runs DIR."
    )

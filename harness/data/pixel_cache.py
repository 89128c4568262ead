"""The pixel cache: every image decoded and resized once, in memory-mapped files that jobs share.

A cache belongs to (data fingerprint, size, decoder version). It is built beside its final place
under a lease and then takes its name, so that a killed builder leaves nothing that could be read.
Each image has a checksum that is looked at when a process first reads it; a damaged one is decoded
again and written back. Files that are incomplete or of a wrong shape are built again.
"""

from __future__ import annotations

import math
import os
import shutil
import uuid
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from harness.core.errors import SetupError
from harness.core.files import read_json, write_json
from harness.core.lease import acquire_blocking
from harness.data.dataset import Dataset
from harness.data.decoding import DECODER_VERSION, Array, UnreadableError, read_image
from harness.data.images import FileImages

COMPLETE_MARKER = "ready.json"
SUBSETS = ("train", "test")
SPARE = 1.02  # of the pixels' bytes: checksums and headers, and a disk is never filled to its end

Checksums = np.ndarray[Any, np.dtype[np.uint32]]


class DiskTooSmallError(SetupError):
    """The disk has no room for a cache; images can still be decoded as they are needed."""


@dataclass(frozen=True)
class CachedImages:
    """One subset's images, read from disk as they are asked for."""

    array: Array  # (N, 3, H, W), mapped
    checksums: Checksums  # (N,)
    source: FileImages  # where a damaged image is decoded from again
    path: Path
    say: Callable[[str], None]
    _checked: list[bool] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_checked", [False] * len(self.array))

    def __getitem__(self, indices: Sequence[int]) -> Tensor:
        chosen = list(indices)
        pixels = self.array[np.asarray(chosen, dtype=np.int64)]
        for place, index in enumerate(chosen):
            if not self._checked[index]:
                if _checksum(pixels[place]) != self.checksums[index]:
                    pixels[place] = self._mended(index)
                self._checked[index] = True
        return torch.from_numpy(pixels)

    def __len__(self) -> int:
        return len(self.array)

    def _mended(self, index: int) -> Array:
        """The image from its own file, also written back if this disk lets us."""
        image = self.source.read(index)
        name = self.source.images[index].file
        self.say(f"The pixel cache of {name} was damaged on disk ({self.path}); decoded again.")
        with suppress(OSError, ValueError):
            np.load(self.path, mmap_mode="r+")[index] = image
            np.load(_checksums(self.path), mmap_mode="r+")[index] = _checksum(image)
        return image


def open_cache(
    dataset: Dataset,
    size: tuple[int, int],
    cache: Path,
    *,
    workers: int = 1,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    say: Callable[[str], None] = lambda _text: None,
) -> tuple[CachedImages, CachedImages]:
    """Training and test pixels at `size` (height, width), decoded now if they are not there yet.

    Raises:
        SetupError: images are unreadable; the message names them.
        DiskTooSmallError: there is no room below `cache`.
    """
    folder = cache / f"{dataset.name}-{dataset.fingerprint}-{size[0]}x{size[1]}-{DECODER_VERSION}"
    sources = [FileImages(dataset.root, images, size) for images in (dataset.train, dataset.test)]
    found = _open(folder, sources, say)
    if found is None:
        with acquire_blocking(cache / f"{folder.name}.building") as lease:
            if (found := _open(folder, sources, say)) is None:
                for left in cache.glob(f".{folder.name}.*"):  # by a builder that was killed
                    shutil.rmtree(left, ignore_errors=True)
                partial = cache / f".{folder.name}.{uuid.uuid4().hex[:8]}"
                try:
                    _build(dataset.name, sources, partial, workers, progress)
                    lease.check()
                    shutil.rmtree(folder, ignore_errors=True)
                    partial.rename(folder)
                finally:
                    shutil.rmtree(partial, ignore_errors=True)
                found = _open(folder, sources, say)
        if found is None:
            raise SetupError(f"{folder} cannot be read back; check the disk, or use --no-cache.")
    return found


def _open(
    folder: Path, sources: Sequence[FileImages], say: Callable[[str], None]
) -> tuple[CachedImages, CachedImages] | None:
    """The two subsets if they are all there."""
    if read_json(folder / COMPLETE_MARKER) is None:
        return None
    found = []
    for name, source in zip(SUBSETS, sources, strict=True):
        path = folder / f"{name}.npy"
        try:
            array, sums = np.load(path, mmap_mode="r"), np.load(_checksums(path))
        except (OSError, ValueError, EOFError):
            return None
        if array.shape != (len(source), 3, *source.size) or array.dtype != np.uint8:
            return None
        if sums.shape != (len(source),) or sums.dtype != np.uint32:
            return None
        found.append(CachedImages(array, sums, source, path, say))
    return found[0], found[1]


def _build(
    name: str,
    sources: Sequence[FileImages],
    folder: Path,
    workers: int,
    progress: Callable[[int, int], None],
) -> None:
    """Decode all images into `folder`; if any cannot be, name them after having tried all."""
    folder.mkdir(parents=True)
    _require_room(sources, folder)
    done, total, unreadable = 0, sum(map(len, sources)), []
    for subset, source in zip(SUBSETS, sources, strict=True):
        path = folder / f"{subset}.npy"
        array = _reserved(path, (len(source), 3, *source.size))
        sums = np.zeros(len(source), np.uint32)

        def store(
            index: int, source: FileImages = source, array: Array = array, sums: Checksums = sums
        ) -> str:
            file = source.root / source.images[index].file
            try:
                image = read_image(file, source.size)
            except UnreadableError as error:
                return f"{file} ({error})"
            array[index] = image
            sums[index] = _checksum(image)
            return ""

        with ThreadPoolExecutor(max(1, workers)) as pool:
            for problem in pool.map(store, range(len(source))):
                done += 1
                unreadable += [problem] if problem else []
                progress(done, total)
        array.flush()
        np.save(_checksums(path), sums)
    if unreadable:
        more = f" and {len(unreadable) - 5} more" if len(unreadable) > 5 else ""
        raise SetupError(
            f"{name}: {len(unreadable)} unreadable images: {'; '.join(unreadable[:5])}{more}. "
            "Restore them from the dataset's archive, then run the same command again "
            f"(kdreid data check --dataset {name} --deep names every one)."
        )
    write_json(folder / COMPLETE_MARKER, {"images": total, "decoder": DECODER_VERSION})


def _reserved(path: Path, shape: tuple[int, ...]) -> np.memmap[Any, np.dtype[np.uint8]]:
    """A new mapped array whose room on disk is really there: a full disk would kill who maps it."""
    try:
        array = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    except OSError as error:
        needed = math.prod(shape)
        raise DiskTooSmallError(_too_small(path.parent.parent, needed, error)) from error
    return array


def _require_room(sources: Sequence[FileImages], folder: Path) -> None:
    needed = int(SPARE * sum(len(s) * 3 * s.size[0] * s.size[1] for s in sources))
    if shutil.disk_usage(folder).free < needed:
        raise DiskTooSmallError(_too_small(folder.parent, needed, None))


def _too_small(folder: Path, needed: int, error: OSError | None) -> str:
    free = shutil.disk_usage(folder).free
    reason = f", {error.strerror}" if error else ""
    return (
        f"The pixel cache needs {needed / 1e9:.1f} GB and {folder} has {free / 1e9:.1f} GB free"
        f"{reason}. Make room there or choose another disk with --runs DIR."
    )


def _checksum(image: Array) -> int:
    return zlib.crc32(np.ascontiguousarray(image).data)


def _checksums(path: Path) -> Path:
    return path.with_suffix(".crc32.npy")

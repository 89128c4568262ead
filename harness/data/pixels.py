"""Decoded pixels of all images of a dataset at one size, in memory-mapped files that jobs share.

Each image is decoded and resized once, so that an unreadable one is known before training starts.
The files belong to (data fingerprint, size, decoder version) and lie below the runs folder.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import PIL
import torch
from PIL import Image as Picture
from torch import Tensor

from harness.data.dataset import Dataset, Image
from harness.errors import SetupError
from harness.files import read_json, write_json
from harness.lease import waiting

DECODER = f"pillow{PIL.__version__}-bilinear-1"

Array = np.ndarray[Any, np.dtype[np.uint8]]


@dataclass(frozen=True)
class Pixels:
    """One subset's images as (N, 3, H, W) uint8, read from disk as they are asked for."""

    array: Array

    def __getitem__(self, indices: Sequence[int]) -> Tensor:
        """The images at `indices`: (B, 3, H, W) uint8, a copy."""
        return torch.from_numpy(self.array[np.asarray(indices)])

    def __len__(self) -> int:
        return len(self.array)


def open_pixels(
    dataset: Dataset,
    size: tuple[int, int],
    cache: Path,
    *,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Pixels, Pixels]:
    """Training and test pixels at `size` (height, width), decoded now if they are not there yet.

    Raises:
        SetupError: images are unreadable; the message names them. Or the disk is full.
    """
    folder = cache / f"{dataset.name}-{dataset.fingerprint}-{size[0]}x{size[1]}-{DECODER}"
    if read_json(folder / "ready.json") is None:
        with waiting(cache / f"{folder.name}.building"):
            if read_json(folder / "ready.json") is None:
                shutil.rmtree(folder, ignore_errors=True)  # left by a killed builder
                folder.mkdir(parents=True)
                try:
                    _build(dataset, size, folder, workers, progress)
                except BaseException:
                    shutil.rmtree(folder, ignore_errors=True)
                    raise
    train, test = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("train", "test"))
    return Pixels(train), Pixels(test)


def _build(
    dataset: Dataset,
    size: tuple[int, int],
    folder: Path,
    workers: int,
    progress: Callable[[int, int], None] | None,
) -> None:
    done, total, unreadable = 0, len(dataset.train) + len(dataset.test), []
    for name, images in (("train", dataset.train), ("test", dataset.test)):
        array = np.lib.format.open_memmap(
            folder / f"{name}.npy", mode="w+", dtype=np.uint8, shape=(len(images), 3, *size)
        )

        def decode(
            number: int, array: Array = array, images: tuple[Image, ...] = images
        ) -> str | None:
            try:
                array[number] = read_image(dataset.root / images[number].file, size)
            except (OSError, ValueError, SyntaxError) as error:
                return f"{dataset.root / images[number].file} ({error})"
            return None

        with ThreadPoolExecutor(max(1, workers)) as pool:
            for problem in pool.map(decode, range(len(images))):
                done += 1
                unreadable += [problem] if problem else []
                if progress:
                    progress(done, total)
        array.flush()
    if unreadable:
        more = f" and {len(unreadable) - 5} more" if len(unreadable) > 5 else ""
        raise SetupError(
            f"{dataset.name}: {len(unreadable)} unreadable images: "
            f"{'; '.join(unreadable[:5])}{more}. Restore them from the dataset's archive, then run "
            f"the same command again."
        )
    write_json(folder / "ready.json", {"train": len(dataset.train), "test": len(dataset.test)})


def read_image(path: Path, size: tuple[int, int]) -> Array:
    """Decode a file and resize it: (3, H, W) uint8."""
    with Picture.open(path) as picture:
        height, width = size
        rgb = picture.convert("RGB")
        if rgb.size != (width, height):
            rgb = rgb.resize((width, height), Picture.Resampling.BILINEAR)
        return np.asarray(rgb).transpose(2, 0, 1)

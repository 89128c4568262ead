"""Images of one size by index: `FileImages` decodes them on access, `pixel_cache` reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from harness.core.errors import SetupError
from harness.data.dataset import Dataset, Image
from harness.data.decoding import PixelArray, UnreadableError, read_image


class ImageStore(Protocol):
    """N images of equal size; several threads may read at once."""

    def __getitem__(self, indices: Sequence[int]) -> Tensor:
        """Return a copy of the images at `indices`: (B, 3, H, W) uint8."""
        ...

    def __len__(self) -> int: ...


@dataclass(frozen=True)
class FileImages:
    """Images that are decoded on every access.

    Attributes:
        root: Folder that the images' paths are relative to.
        images: The images.
        size: Height and width in pixels.
        digests: SHA-256 of the content that each file must have; None: any content is read.
    """

    root: Path
    images: tuple[Image, ...]
    size: tuple[int, int]
    digests: Mapping[str, str] | None = None

    def __getitem__(self, indices: Sequence[int]) -> Tensor:
        return torch.from_numpy(np.stack([self.read(index) for index in indices]))

    def __len__(self) -> int:
        return len(self.images)

    def read(self, index: int) -> PixelArray:
        """Decode one image: (3, H, W) uint8.

        Raises:
            SetupError: The file cannot be decoded, or its content is not what it was.
        """
        try:
            return self.decode(index)
        except UnreadableError as error:
            raise SetupError(
                f"{self.root / self.images[index].file} is unreadable ({error}). Restore it from "
                "the dataset's archive, then run the same command again."
            ) from error

    def decode(self, index: int) -> PixelArray:
        """Return `read(index)`.

        Raises:
            UnreadableError: The file cannot be decoded, or its content is not what it was.
        """
        file = self.images[index].file
        digest = None if self.digests is None else self.digests[file]
        return read_image(self.root / file, self.size, digest)


@dataclass(frozen=True)
class OpenedDataset:
    """A dataset with its decoded images.

    Attributes:
        dataset: The dataset.
        train: Its training images, in the order of `dataset.train`.
        test: Its test images, in the order of `dataset.test`.
        teacher_train: The training images at the size of the run's teacher, if it is another.
    """

    dataset: Dataset
    train: ImageStore
    test: ImageStore
    teacher_train: ImageStore | None = None

    @property
    def train_for_teacher(self) -> ImageStore:
        """The training images at the size that the teacher was trained with."""
        return self.train if self.teacher_train is None else self.teacher_train

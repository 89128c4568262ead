"""The images of one subset at one size, by number: decoded when asked for, or before (cache.py)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from harness.core.errors import SetupError
from harness.data.dataset import Dataset, Image
from harness.data.decoding import Array, UnreadableError, read_image


class ImageStore(Protocol):
    """N images of equal size; safe to ask from several threads at once."""

    def __getitem__(self, indices: Sequence[int]) -> Tensor:
        """The images at `indices`: (B, 3, H, W) uint8, a copy."""
        ...

    def __len__(self) -> int: ...


@dataclass(frozen=True)
class FileImages:
    """Images that are decoded every time they are asked for."""

    root: Path
    images: tuple[Image, ...]
    size: tuple[int, int]  # height, width

    def __getitem__(self, indices: Sequence[int]) -> Tensor:
        return torch.from_numpy(np.stack([self.read(index) for index in indices]))

    def __len__(self) -> int:
        return len(self.images)

    def read(self, index: int) -> Array:
        """One image: (3, H, W) uint8.

        Raises:
            SetupError: its file cannot be decoded.
        """
        path = self.root / self.images[index].file
        try:
            return read_image(path, self.size)
        except UnreadableError as error:
            raise SetupError(
                f"{path} is unreadable ({error}). Restore it from the dataset's archive, then run "
                "the same command again."
            ) from error


@dataclass(frozen=True)
class OpenedDataset:
    """A dataset with its decoded pixels."""

    dataset: Dataset
    train: ImageStore
    test: ImageStore

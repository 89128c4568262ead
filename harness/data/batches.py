"""Training batches as a pure function of (data, seed, step): nothing to save, nothing to lose."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import torch
from torch import Tensor

from harness.core.seeding import make_generator
from harness.data.augmentation import (
    Augmentation,
    apply_augmentation,
    normalise_pixels,
    sample_augmentation,
)
from harness.data.dataset import Dataset
from harness.data.images import ImageStore
from harness.data.sampling import PKSampler, ShuffleSampler
from harness.runs.spec import Recipe

PREPARE_BATCH = 64  # un-augmented images per batch; part of what `prepare` computes


@dataclass(frozen=True, slots=True)
class RawBatch:
    """A batch as the CPU hands it over: pixels, class labels and what is to be done to them."""

    pixels: Tensor  # (B, 3, H, W) uint8
    labels: Tensor  # (B,) int64
    augmentation: Augmentation

    def to(self, device: torch.device) -> tuple[Tensor, Tensor]:
        """Augmented images (B, 3, H, W) float32 and labels (B,), both on `device`."""
        images = apply_augmentation(self.pixels.to(device, non_blocking=True), self.augmentation)
        return images, self.labels.to(device)


class BatchStream:
    """The training batches of one (dataset, seed, recipe), reachable at any step.

    Streams of another `purpose` draw other batches from the same images.
    """

    def __init__(
        self, dataset: Dataset, pixels: ImageStore, recipe: Recipe, seed: int, purpose: str = ""
    ) -> None:
        self._labels = torch.tensor(_labels(dataset))
        self._pixels, self._recipe = pixels, recipe
        self._name = f"{dataset.fingerprint}/{seed}" + (purpose and f"/{purpose}")
        self._sampler = make_sampler(dataset, recipe, self._name)
        self.steps_per_epoch = self._sampler.batches_per_epoch
        self.steps = recipe.epochs * self.steps_per_epoch

    def batch_at(self, step: int) -> RawBatch:
        """The batch of update `step`, counted from 0."""
        epoch, number = divmod(step, self.steps_per_epoch)
        indices = self._sampler.batch(epoch, number)
        random = make_generator("augment", self._name, epoch, number)
        return RawBatch(
            self._pixels[indices],
            self._labels[indices],
            sample_augmentation(len(indices), self._recipe, random),
        )

    def iterate(self, start: int, workers: int) -> Iterator[tuple[int, RawBatch]]:
        """Steps from `start` to the last; with workers the next batches are read ahead."""
        if workers < 1:
            yield from ((step, self.batch_at(step)) for step in range(start, self.steps))
            return
        with ThreadPoolExecutor(workers) as pool:
            ahead = {
                s: pool.submit(self.batch_at, s)
                for s in range(start, min(start + workers, self.steps))
            }
            for step in range(start, self.steps):
                raw = ahead.pop(step).result()
                if (following := step + workers) < self.steps:
                    ahead[following] = pool.submit(self.batch_at, following)
                yield step, raw


def make_sampler(dataset: Dataset, recipe: Recipe, name: str) -> PKSampler | ShuffleSampler:
    """What cuts the training images into the batches of the stream called `name`.

    Raises:
        UsageError: the training set is too small for one batch.
    """
    if recipe.sampling == "images":
        return ShuffleSampler(len(dataset.train), recipe.batch, name)
    return PKSampler(_labels(dataset), recipe.identities, recipe.images_each, name)


def _labels(dataset: Dataset) -> list[int]:
    """The class of each training image."""
    position = {identity: label for label, identity in enumerate(dataset.identities)}
    return [position[image.identity] for image in dataset.train]


def unaugmented_batches(pixels: ImageStore, device: torch.device, size: int) -> Iterator[Tensor]:
    """All images in order, un-augmented: (size or fewer, 3, H, W) float32 on `device`."""
    for start in range(0, len(pixels), size):
        indices = range(start, min(start + size, len(pixels)))
        yield normalise_pixels(pixels[indices].to(device))

"""Training batches as a pure function of (data, seed, step), so that nothing of them is saved."""

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
    rescale_augmentation,
    sample_augmentation,
)
from harness.data.dataset import Dataset
from harness.data.images import ImageStore
from harness.data.sampling import class_labels, make_sampler
from harness.runs.spec import Recipe

PREPARE_BATCH = 64  # images per batch of a method's `prepare`; part of what it computes


@dataclass(frozen=True, slots=True)
class RawBatch:
    """A batch before its augmentation, on the CPU."""

    pixels: Tensor  # (B, 3, H, W) uint8
    labels: Tensor  # (B,) int64
    augmentation: Augmentation
    teacher_pixels: Tensor | None = None  # the same images at the teacher's size, if it is another

    def to(self, device: torch.device) -> tuple[Tensor, Tensor]:
        """Return augmented images (B, 3, H, W) float32 and labels (B,) int64 on `device`."""
        images = apply_augmentation(self.pixels.to(device, non_blocking=True), self.augmentation)
        return images, self.labels.to(device)

    def teacher_images(self, device: torch.device) -> Tensor | None:
        """Return the same augmented images at the teacher's size; None if it has the student's.

        The images have the flips, crops and erased boxes of `to`.
        """
        if self.teacher_pixels is None:
            return None
        height, width = self.pixels.shape[2:]
        teacher_height, teacher_width = self.teacher_pixels.shape[2:]
        augmentation = rescale_augmentation(
            self.augmentation, (height, width), (teacher_height, teacher_width)
        )
        pixels = self.teacher_pixels.to(device, non_blocking=True)
        return apply_augmentation(pixels, augmentation)


class BatchStream:
    """The training batches of one (dataset, seed, recipe), reachable at any step.

    Args:
        dataset: Its training images are sampled.
        pixels: The decoded training images, in the order of `dataset.train`.
        recipe: Batch composition, augmentation and number of epochs.
        seed: Seed of the run.
        purpose: Streams of different purposes sample different batches from the same images.
        teacher_pixels: The decoded training images at the teacher's size, if it is another.

    Attributes:
        steps_per_epoch: Number of batches in an epoch.
        steps: Number of batches in all epochs.

    Raises:
        UsageError: The training set is too small for one batch.
    """

    def __init__(
        self,
        dataset: Dataset,
        pixels: ImageStore,
        recipe: Recipe,
        seed: int,
        purpose: str = "",
        *,
        teacher_pixels: ImageStore | None = None,
    ) -> None:
        self._labels = torch.tensor(class_labels(dataset))
        self._pixels, self._recipe, self._teacher_pixels = pixels, recipe, teacher_pixels
        self._name = f"{dataset.sample_fingerprint}/{seed}" + (purpose and f"/{purpose}")
        self._sampler = make_sampler(dataset, recipe, self._name)
        self.steps_per_epoch = self._sampler.batches_per_epoch
        self.steps = recipe.epochs * self.steps_per_epoch

    def batch_at(self, step: int) -> RawBatch:
        """Return the batch of update `step`, counted from 0."""
        epoch, number = divmod(step, self.steps_per_epoch)
        indices = self._sampler.batch_indices(epoch, number)
        random = make_generator("augment", self._name, epoch, number)
        return RawBatch(
            self._pixels[indices],
            self._labels[indices],
            sample_augmentation(len(indices), self._recipe, random),
            None if self._teacher_pixels is None else self._teacher_pixels[indices],
        )

    def iterate(self, start: int, workers: int) -> Iterator[tuple[int, RawBatch]]:
        """Yield every step from `start` to the last with its batch.

        Args:
            start: The first step, counted from 0.
            workers: Threads that read the next batches ahead, one batch each; with 0 a batch is
                read when it is needed. The number does not change a batch.
        """
        if workers < 1:
            yield from ((step, self.batch_at(step)) for step in range(start, self.steps))
            return
        with ThreadPoolExecutor(workers) as pool:
            pending = {
                step: pool.submit(self.batch_at, step)
                for step in range(start, min(start + workers, self.steps))
            }
            for step in range(start, self.steps):
                batch = pending.pop(step).result()
                if (following := step + workers) < self.steps:
                    pending[following] = pool.submit(self.batch_at, following)
                yield step, batch


def unaugmented_batches(pixels: ImageStore, device: torch.device, size: int) -> Iterator[Tensor]:
    """Yield all images in order, normalised but not augmented.

    Each batch is (size, 3, H, W) float32 on `device`; the last may be smaller.
    """
    for start in range(0, len(pixels), size):
        indices = range(start, min(start + size, len(pixels)))
        yield normalise_pixels(pixels[indices].to(device))

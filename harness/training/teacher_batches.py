"""Outputs of the frozen teacher for the training images, as a method's `prepare` reads them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from harness.core.session import RunContext
from harness.data.augmentation import normalise_pixels
from harness.data.batches import PREPARE_BATCH
from harness.data.images import ImageStore
from harness.models import EnsembleTeacher, ReIDNetwork, as_float32
from methods import Outputs


@dataclass(frozen=True, slots=True)
class TeacherBatches:
    """The teacher's outputs for the un-augmented training images.

    Attributes:
        teacher: The frozen teacher.
        images: The training images at its own size.
        context: The device and the reporter.
    """

    teacher: ReIDNetwork | EnsembleTeacher
    images: ImageStore
    context: RunContext

    def __call__(self) -> Iterator[Outputs]:
        """Yield the outputs in the order of the images."""
        yield from self._outputs(range(len(self.images)))

    def shuffled(self, generator: torch.Generator) -> Iterator[Outputs]:
        """Yield the outputs in an order of the images that is drawn from a generator."""
        yield from self._outputs(torch.randperm(len(self.images), generator=generator).tolist())

    def _outputs(self, order: Sequence[int]) -> Iterator[Outputs]:
        """Yield the outputs for images by their number, in batches; the last may be smaller."""
        batches = [
            order[start : start + PREPARE_BATCH] for start in range(0, len(order), PREPARE_BATCH)
        ]
        with self.context.reporter.task("preparing on the teacher") as progress:
            for number, indices in enumerate(batches, 1):
                self.context.stop.raise_if_requested()
                images = normalise_pixels(self.images[indices].to(self.context.device))
                with torch.no_grad():
                    outputs = as_float32(self.teacher(images))
                yield outputs  # outside the block: no_grad would otherwise hold in the caller, too
                progress(number, len(batches))

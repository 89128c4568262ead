"""Samplers: the images of each training batch, as a pure function of (random stream, epoch).

`PKSampler` makes batches of P identities with K images each. The images of each identity are
shuffled and cut into groups of K; an identity with fewer than K images forms one group in which
images repeat. The groups are dealt round-robin into as many batches as can be filled. Groups of one
identity are dealt in succession, and no identity has more groups than there are batches: so no
batch contains an identity twice. Every epoch has the same number of batches and drops at most what
does not fill another one.

Importing torch takes seconds: it waits until a batch is drawn, as plans only count batches.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from harness.core.errors import UsageError
from harness.data.dataset import Dataset
from harness.runs.spec import Recipe

if TYPE_CHECKING:
    import torch


def _require_enough(field: str, needed: int, meaning: str, available: int, unit: str) -> None:
    if available < needed:
        raise UsageError(
            f"recipe.{field} is {needed}{meaning} but the training set has {available}{unit}. "
            f"Choose at most that many: --set recipe.{field}={available}."
        )


class ShuffleSampler:
    """Batches of all images in random order; what does not fill the last batch is dropped.

    Args:
        images: Number of training images.
        size: Images per batch.
        stream: Label of the random stream; equal labels give equal batches.

    Attributes:
        batches_per_epoch: Number of batches in every epoch.

    Raises:
        UsageError: There are fewer images than one batch needs.
    """

    def __init__(self, images: int, size: int, stream: str) -> None:
        _require_enough("batch", size, "", images, " images")
        self._images, self._size, self._stream = images, size, stream
        self.batches_per_epoch = images // size
        # Batches are read ahead, so two epochs are in use where one follows the other.
        self._epoch_order = lru_cache(maxsize=2)(self._shuffle_epoch)

    def batch_indices(self, epoch: int, number: int) -> list[int]:
        """Return the indices of the images in batch `number` of an epoch, both from 0."""
        return self._epoch_order(epoch)[number * self._size : (number + 1) * self._size]

    def _shuffle_epoch(self, epoch: int) -> list[int]:
        return _permutation(self._images, _generator(self._stream, epoch))


class PKSampler:
    """Batches of P identities with K images each.

    Args:
        labels: Class label of each training image.
        identities: P, identities per batch.
        images_each: K, images of each identity in a batch.
        stream: Label of the random stream; equal labels give equal batches.

    Attributes:
        batches_per_epoch: Number of batches in every epoch.

    Raises:
        UsageError: There are fewer identities than a batch needs.
    """

    def __init__(
        self, labels: Sequence[int], identities: int, images_each: int, stream: str
    ) -> None:
        self._images_of: dict[int, list[int]] = {}
        for index, label in enumerate(labels):
            self._images_of.setdefault(label, []).append(index)
        available = len(self._images_of)
        _require_enough("identities", identities, " (P, identities per batch)", available, "")
        self._identities, self._images_each, self._stream = identities, images_each, stream
        self.batches_per_epoch = self._count_batches()
        self._epoch_batches = lru_cache(maxsize=2)(self._deal_epoch)

    def batch_indices(self, epoch: int, number: int) -> list[int]:
        """Return the indices of the P * K images in batch `number` of an epoch, both from 0."""
        return self._epoch_batches(epoch)[number]

    def _count_groups(self, label: int) -> int:
        return max(1, len(self._images_of[label]) // self._images_each)

    def _count_batches(self) -> int:
        """Return the largest B with sum_i min(groups_i, B) >= P * B; more cannot be filled."""
        groups = [self._count_groups(label) for label in self._images_of]
        count = 1
        while sum(min(g, count + 1) for g in groups) >= self._identities * (count + 1):
            count += 1
        return count

    def _deal_epoch(self, epoch: int) -> list[list[int]]:
        """Return the image indices of every batch of an epoch."""
        random = _generator(self._stream, epoch)
        labels = list(self._images_of)
        groups: list[list[int]] = []
        for position in _permutation(len(labels), random):
            groups += self._split_into_groups(self._images_of[labels[position]], random)
        groups = groups[: self._identities * self.batches_per_epoch]
        order = _permutation(self.batches_per_epoch, random)
        # Every B-th group makes a batch: neighbours, which share an identity, never meet in one.
        return [
            [index for group in groups[column :: self.batches_per_epoch] for index in group]
            for column in order
        ]

    def _split_into_groups(self, images: list[int], random: torch.Generator) -> list[list[int]]:
        """Shuffle the images of one identity and cut them into at most B groups of K."""
        size = self._images_each
        shuffled = [images[i] for i in _permutation(len(images), random)]
        while len(shuffled) < size:
            shuffled += shuffled[: size - len(shuffled)]
        count = min(len(shuffled) // size, self.batches_per_epoch)
        return [shuffled[number * size : (number + 1) * size] for number in range(count)]


def make_sampler(dataset: Dataset, recipe: Recipe, name: str) -> PKSampler | ShuffleSampler:
    """Make the sampler that the recipe names, for the training images of a dataset.

    Args:
        dataset: Its training images are sampled.
        recipe: `sampling` chooses the sampler; batch sizes are its arguments.
        name: Label of the random stream; equal names give equal batches.

    Raises:
        UsageError: The training set is too small for one batch.
    """
    if recipe.sampling == "images":
        return ShuffleSampler(len(dataset.train), recipe.batch, name)
    return PKSampler(class_labels(dataset), recipe.identities, recipe.images_each, name)


def class_labels(dataset: Dataset) -> list[int]:
    """Return the class label of each training image."""
    position = {identity: label for label, identity in enumerate(dataset.identities)}
    return [position[image.identity] for image in dataset.train]


def _generator(stream: str, epoch: int) -> torch.Generator:
    from harness.core.seeding import make_generator

    return make_generator("sampler", stream, epoch)


def _permutation(length: int, random: torch.Generator) -> list[int]:
    import torch

    order: list[int] = torch.randperm(length, generator=random).tolist()
    return order

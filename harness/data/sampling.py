"""Which images make a batch, as a pure function of (seed, epoch): P identities, K images of each.

Each identity's images are shuffled and cut into groups of K; an identity with fewer than K images
forms one group in which images repeat. The groups are then dealt round-robin into as many batches
as can be filled: groups of one identity lie side by side and no identity has more groups than there
are batches, so no batch meets an identity twice. An epoch has the same number of batches every time
and drops at most what does not fill the last one.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import torch

from harness.core.errors import UsageError
from harness.core.seeding import make_generator


def _require(field: str, wanted: int, meaning: str, available: int, what: str) -> None:
    if available < wanted:
        raise UsageError(
            f"recipe.{field} is {wanted}{meaning} but the training set has {available}{what}. "
            f"Choose at most that many: --set recipe.{field}={available}."
        )


class ShuffleSampler:
    """All images in random order, cut into batches; what does not fill the last one is dropped.

    Raises:
        UsageError: there are fewer images than one batch needs.
    """

    def __init__(self, images: int, size: int, stream: str) -> None:
        _require("batch", size, "", images, " images")
        self._images, self._size, self._stream = images, size, stream
        self.batches_per_epoch = images // size
        self._epoch = lru_cache(maxsize=2)(self._draw)

    def batch(self, epoch: int, number: int) -> list[int]:
        """Indices of the images of one batch."""
        return self._epoch(epoch)[number * self._size : (number + 1) * self._size]

    def _draw(self, epoch: int) -> list[int]:
        random = make_generator("sampler", self._stream, epoch)
        order: list[int] = torch.randperm(self._images, generator=random).tolist()
        return order


class PKSampler:
    """Draws the batches of every epoch from the labels of the training images.

    Raises:
        UsageError: there are fewer identities than a batch needs.
    """

    def __init__(
        self, labels: Sequence[int], identities: int, images_each: int, stream: str
    ) -> None:
        self._members: dict[int, list[int]] = {}
        for index, label in enumerate(labels):
            self._members.setdefault(label, []).append(index)
        _require("identities", identities, " (P, identities per batch)", len(self._members), "")
        self.identities, self.images_each, self._stream = identities, images_each, stream
        self.batches_per_epoch = self._count()
        self._epoch = lru_cache(maxsize=2)(self._draw)

    def batch(self, epoch: int, number: int) -> list[int]:
        """Indices of the P * K images of one batch, group by group."""
        return self._epoch(epoch)[number]

    def _groups(self, label: int) -> int:
        return max(1, len(self._members[label]) // self.images_each)

    def _count(self) -> int:
        """The largest B with sum_i min(groups_i, B) >= P * B: more could not be dealt."""
        groups = [self._groups(label) for label in self._members]
        count = 1
        while sum(min(g, count + 1) for g in groups) >= self.identities * (count + 1):
            count += 1
        return count

    def _draw(self, epoch: int) -> list[list[int]]:
        random = make_generator("sampler", self._stream, epoch)
        labels = list(self._members)
        groups: list[list[int]] = []
        for position in torch.randperm(len(labels), generator=random).tolist():
            groups += self._cut(self._members[labels[position]], random)
        groups = groups[: self.identities * self.batches_per_epoch]
        order = torch.randperm(self.batches_per_epoch, generator=random).tolist()
        return [
            [index for group in groups[column :: self.batches_per_epoch] for index in group]
            for column in order
        ]

    def _cut(self, members: list[int], random: torch.Generator) -> list[list[int]]:
        size = self.images_each
        shuffled = [members[i] for i in torch.randperm(len(members), generator=random).tolist()]
        while len(shuffled) < size:
            shuffled += shuffled[: size - len(shuffled)]
        count = min(len(shuffled) // size, self.batches_per_epoch)
        return [shuffled[number * size : (number + 1) * size] for number in range(count)]

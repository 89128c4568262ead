"""What a method's `prepare` may ask of its batches, and what it may report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from methods.base import Outputs


@runtime_checkable
class ShuffledBatches(Protocol):
    """Argument `batches` of `prepare` that also offers the training images in random order."""

    def __call__(self) -> Iterable[Outputs]:
        """Return the teacher's outputs for the training set in fixed order."""

    def shuffled(self, generator: torch.Generator) -> Iterable[Outputs]:
        """Return the teacher's outputs for the training set in an order drawn at random."""


@dataclass(frozen=True, slots=True)
class PreparationReport:
    """Values and warnings of `prepare` that a run's record keeps.

    Attributes:
        values: Measured values by name.
        warnings: Sentences about what went wrong, for whoever reads the run's scores.
    """

    values: Mapping[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@runtime_checkable
class ReportsPreparation(Protocol):
    """Method that says how its `prepare` went, also if its state was loaded from a file."""

    def preparation_report(self) -> PreparationReport:
        """Return what the record of a run keeps."""


def shuffle_batches(
    batches: Callable[[], Iterable[Outputs]], generator: torch.Generator
) -> Iterator[Outputs]:
    """Yield the outputs for all images in an order drawn at random, in batches of the same sizes.

    Args:
        batches: The argument of `prepare`. If it is a `ShuffledBatches`, the images are read in
            that order; otherwise the outputs for all of them are kept in memory.
        generator: Source of the order.
    """
    if isinstance(batches, ShuffledBatches):
        yield from batches.shuffled(generator)
        return
    kept = list(batches())
    order = torch.randperm(sum(len(batch.logits) for batch in kept), generator=generator)
    for rows in torch.split(order, [len(batch.logits) for batch in kept]):
        yield _pick_rows(kept, rows)


def _pick_rows(batches: list[Outputs], rows: Tensor) -> Outputs:
    """Return the outputs for some images, counted through all batches."""

    def pick(parts: Iterable[Tensor]) -> Tensor:
        whole = torch.cat(list(parts))
        return whole[rows.to(whole.device)]

    stages = zip(*(batch.maps for batch in batches), strict=True)
    return Outputs(
        maps=tuple(pick(stage) for stage in stages),
        pre_relu=pick(batch.pre_relu for batch in batches),
        pooled=pick(batch.pooled for batch in batches),
        embedding=pick(batch.embedding for batch in batches),
        logits=pick(batch.logits for batch in batches),
    )

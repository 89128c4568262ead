"""The contract of all distillation methods: two networks' outputs in, one scalar loss out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, TypeVar, cast

import torch
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class Outputs:
    """Outputs of one network for a batch of B images."""

    maps: tuple[Tensor, ...]  # (B, C_i, H_i, W_i) per stage, shallow to deep, after its last ReLU
    pre_relu: Tensor  # (B, C, H, W), the last stage before that ReLU
    pooled: Tensor  # (B, C), global average of maps[-1]: the tap of the relational methods
    embedding: Tensor  # (B, D), the retrieval feature, not normalised
    logits: Tensor  # (B, K), one per training identity


@dataclass(frozen=True, slots=True)
class Widths:
    """Channel counts of one network's `Outputs`: all that a method knows before training."""

    maps: tuple[int, ...]  # C_i per stage; the pooled width is the last
    embedding: int  # D
    identities: int  # K


@dataclass(frozen=True, slots=True)
class Paper:
    """Publication of a method, for the tables and the bibliography."""

    authors: str
    title: str
    venue: str
    year: int
    url: str


Value = float | int | bool | str
T = TypeVar("T", float, int, bool, str)


class Method(nn.Module):
    """Base of distillation losses; its parameters are trained together with the student.

    A subclass defines `name`, `label` and `paper`, whether reordering the batch leaves its loss
    unchanged (`permutation_invariant`), and the readings of its paper (`variants`, with the
    defaults that differ between them). Its options are the keyword-only arguments of `__init__`,
    each with a default; None means the default of the chosen variant. The docstring describes
    each option under `Args:`, which `kdreid options NAME` prints.

    Args:
        student: Sizes of the student's outputs.
        teacher: Sizes of the teacher's outputs.
        weight: Factor of the loss in the student's total loss.
        variant: Reading of the paper, one of `variants`.

    Raises:
        ValueError: `variant` is not one of `variants`, or the teacher offers logits alone
            (several networks joined) and the method needs more.
    """

    name: ClassVar[str]  # in commands and files
    label: ClassVar[str]  # in tables
    paper: ClassVar[Paper | None]
    permutation_invariant: bool = True
    needs_features: ClassVar[bool] = True  # of the teacher; False: its logits are enough
    variants: ClassVar[Mapping[str, Mapping[str, Value]]] = {"original": {"weight": 1.0}}

    def __init__(
        self,
        student: Widths,
        teacher: Widths,
        *,
        weight: float | None = None,
        variant: str = "original",
    ) -> None:
        super().__init__()
        if variant not in self.variants:
            raise ValueError(
                f"{self.name} has no variant {variant!r}. Offered: {', '.join(self.variants)}."
            )
        if self.needs_features and not teacher.maps:
            raise ValueError(
                f"{self.name} needs the teacher's maps or features, but this teacher is several "
                "networks joined by their logits. Methods for such a teacher: vrkd, kd."
            )
        self.variant = variant
        self.weight = self.of_variant("weight", weight)

    def of_variant(self, option: str, given: T | None) -> T:
        """Return `given`, or if it is None the default of `option` in the chosen variant."""
        return cast("T", self.variants[self.variant][option]) if given is None else given

    def prepare(self, batches: Callable[[], Iterable[Outputs]], generator: torch.Generator) -> None:
        """Compute what the method needs to know of the teacher, before the student trains.

        Args:
            batches: Returns the outputs of the frozen teacher for the whole training set, without
                augmentation and in fixed order. It may be called several times;
                `methods.preparation.shuffle_batches` reads the images in random order.
            generator: Source of all random numbers that are drawn here.
        """

    def forward(self, student: Outputs, teacher: Outputs, labels: Tensor) -> Tensor:
        """Compute the loss of a batch, without its weight.

        Args:
            student: Outputs of the student.
            teacher: Outputs of the teacher; no gradient may reach them.
            labels: (B,) int64, positions of the identities among those of the training set.

        Returns:
            A scalar.
        """
        raise NotImplementedError

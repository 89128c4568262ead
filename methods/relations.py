"""Functions of several methods: norms and cosines that are safe at 0, maps of one size, checks."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

EPSILON = 1e-6  # smaller, and a dead row (all zeros after a ReLU) gets a gradient of 1e11


def normalise(rows: Tensor, epsilon: float = EPSILON) -> Tensor:
    """Divide each row by its L2 norm, or by `epsilon` if that is larger: (..., D) -> (..., D)."""
    return F.normalize(rows, dim=-1, eps=epsilon)


def cosines(rows: Tensor) -> Tensor:
    """Compute the cosine similarity of every pair of rows: (B, D) -> (B, B)."""
    unit = normalise(rows)
    return unit @ unit.T


def lengths(vectors: Tensor, dim: int | tuple[int, ...]) -> Tensor:
    """Compute the Euclidean norm over `dim`, with gradient 0 where it is 0: (..., D) -> (...)."""
    # the root of a sum of squares would give NaN there, as soon as student and teacher agree
    norms: Tensor = torch.linalg.vector_norm(vectors, dim=dim)
    return norms


def match_sizes(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Average-pool two maps to the smaller height and width: (B, C_i, H_i, W_i) -> (B, C_i, H, W).

    H is the smaller of the two heights, W of the two widths; maps of that size stay as they are.
    """
    height, width = (min(sizes) for sizes in zip(first.shape[2:], second.shape[2:], strict=True))

    def shrink(maps: Tensor) -> Tensor:
        if tuple(maps.shape[2:]) == (height, width):
            return maps
        return F.adaptive_avg_pool2d(maps, (height, width))

    return shrink(first), shrink(second)


def require_batch(rows: Tensor, images: int, name: str) -> None:
    """Check that a batch is large enough for the formula of a method.

    Args:
        rows: (B, ...), one row for each image.
        images: Smallest allowed B.
        name: The method, for the message.

    Raises:
        ValueError: The batch is smaller.
    """
    if len(rows) < images:
        raise ValueError(
            f"{name} compares images within a batch: it needs at least {images} images, "
            f"but was given {len(rows)}."
        )


def require_same_identities(student: int, teacher: int, name: str) -> None:
    """Check that the logits of both networks are of equally many identities.

    Raises:
        ValueError: They are not.
    """
    if student != teacher:
        raise ValueError(
            f"{name} compares logits: student and teacher must know the same identities, "
            f"but the student has {student} and the teacher {teacher}."
        )


def divergence(student: Tensor, teacher: Tensor) -> Tensor:
    """Compute the divergence KL(softmax(teacher) || softmax(student)), mean over rows.

    (B, K), (B, K) -> (); both arguments are scores before the softmax.
    """
    return F.kl_div(
        torch.log_softmax(student, dim=1),
        torch.log_softmax(teacher, dim=1),
        reduction="batchmean",
        log_target=True,
    )

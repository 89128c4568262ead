r"""What every network learns from labels alone, with or without a teacher.

    L = CE(logits, labels; smoothing) + w * mean_a relu(margin + max_p d(a, p) - min_n d(a, n))

d is the Euclidean distance of pooled features, not normalised; a runs over the batch, p over the
images of the same identity and n over all others (batch-hard, Hermans et al. 2017).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from harness.runs.spec import Recipe
from methods import Outputs


def supervised_loss(outputs: Outputs, labels: Tensor, recipe: Recipe) -> dict[str, Tensor]:
    """Loss parts by name, each a scalar with its weight in it; their sum is the objective."""
    parts = {
        "cross_entropy": F.cross_entropy(
            outputs.logits, labels, label_smoothing=recipe.label_smoothing
        )
    }
    if recipe.triplet_weight:
        parts["triplet"] = recipe.triplet_weight * batch_hard_triplet(
            outputs.pooled, labels, recipe.margin
        )
    return parts


def batch_hard_triplet(features: Tensor, labels: Tensor, margin: float) -> Tensor:
    """Hardest positive against hardest negative of every anchor: (B, C), (B,) -> scalar.

    Raises:
        ValueError: the batch holds one identity only, so no anchor has a negative.
    """
    same = labels[:, None] == labels[None, :]
    if bool(same.all()):
        raise ValueError("The triplet loss needs two identities in a batch; this one holds one.")
    distances = euclidean(features)
    positive = distances.masked_fill(~same, 0).amax(dim=1)
    negative = distances.masked_fill(same, torch.inf).amin(dim=1)
    return F.relu(margin + positive - negative).mean()


def euclidean(features: Tensor) -> Tensor:
    """All pairwise distances: (B, C) -> (B, B); gradient 0, not NaN, where two rows are equal."""
    centred = features - features.mean(dim=0)  # the same distances, with more digits left
    squares = centred.square().sum(dim=1)
    squared = squares[:, None] + squares[None, :] - 2 * centred @ centred.T
    return squared.clamp_min(1e-12).sqrt()

r"""Supervised loss of every network, with or without a teacher.

    L = CE(logits, labels; smoothing) + w * mean_a relu(margin + max_p d(a, p) - min_n d(a, n))

d is the Euclidean distance of pooled features, which are not normalised; a runs over the batch, p
over the images of the same identity and n over all others (batch-hard, Hermans et al. 2017).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from harness.runs.spec import Recipe
from methods import Outputs


def supervised_loss(outputs: Outputs, labels: Tensor, recipe: Recipe) -> dict[str, Tensor]:
    """Compute the supervised losses.

    Args:
        outputs: Outputs of the trained network for B images.
        labels: (B,) int64 class labels.
        recipe: Label smoothing, margin and weights.

    Returns:
        Scalars by name (`cross_entropy`, and `triplet` unless its weight is 0), each multiplied by
        its weight; the loss is their sum.
    """
    losses = {
        "cross_entropy": F.cross_entropy(
            outputs.logits, labels, label_smoothing=recipe.label_smoothing
        )
    }
    if recipe.triplet_weight:
        losses["triplet"] = recipe.triplet_weight * batch_hard_triplet(
            outputs.pooled, labels, recipe.margin
        )
    return losses


def batch_hard_triplet(features: Tensor, labels: Tensor, margin: float) -> Tensor:
    """Compare the farthest positive with the nearest negative of every anchor.

    Args:
        features: (B, C).
        labels: (B,) int64.
        margin: Distance by which negatives are to be farther than positives.

    Returns:
        The mean over all anchors, a scalar.

    Raises:
        ValueError: The batch contains one identity only, so that no anchor has a negative.
    """
    same = labels[:, None] == labels[None, :]
    if bool(same.all()):
        raise ValueError("The triplet loss needs two identities in a batch; this one has one.")
    distances = pairwise_euclidean(features)
    positive = distances.masked_fill(~same, 0).amax(dim=1)
    negative = distances.masked_fill(same, torch.inf).amin(dim=1)
    return F.relu(margin + positive - negative).mean()


def pairwise_euclidean(features: Tensor) -> Tensor:
    """Return all pairwise Euclidean distances: (B, C) -> (B, B).

    The gradient of the distance of two equal rows is 0, not NaN.
    """
    # Distances do not change, but features far from the origin would lose digits in the expansion.
    centred = features - features.mean(dim=0)
    squares = centred.square().sum(dim=1)
    squared = squares[:, None] + squares[None, :] - 2 * centred @ centred.T
    return squared.clamp_min(1e-12).sqrt()

"""Supervised losses against their formulas in loops."""

import math

import pytest
import torch

from harness.runs.spec import Recipe
from harness.training.objective import batch_hard_triplet, pairwise_euclidean, supervised_loss
from methods import Outputs


def triplet_in_loops(features, labels, margin):
    def distance(i, j):
        return math.dist(features[i].tolist(), features[j].tolist())

    total = 0.0
    for anchor in range(len(labels)):
        positives = [distance(anchor, j) for j in range(len(labels)) if labels[j] == labels[anchor]]
        negatives = [distance(anchor, j) for j in range(len(labels)) if labels[j] != labels[anchor]]
        total += max(0.0, margin + max(positives) - min(negatives))
    return total / len(labels)


def test_triplet_equals_its_formula_in_loops():
    features = torch.randn(12, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(12) // 3
    expected = triplet_in_loops(features, labels, 0.3)
    assert float(batch_hard_triplet(features, labels, 0.3)) == pytest.approx(expected, rel=1e-9)


def test_cross_entropy_equals_its_formula_in_loops():
    random = torch.Generator().manual_seed(1)
    logits = torch.randn(4, 6, dtype=torch.float64, generator=random)
    labels = torch.tensor([0, 0, 3, 3])
    pooled = torch.randn(4, 3, dtype=torch.float64, generator=random)
    expected = 0.0
    for row, label in zip(logits.tolist(), labels.tolist(), strict=True):
        log_sum = math.log(sum(math.exp(value) for value in row))
        target = [0.1 / 6 + 0.9 * (k == label) for k in range(6)]
        expected -= sum(t * (v - log_sum) for t, v in zip(target, row, strict=True)) / 4
    outputs = Outputs((), pooled, pooled, pooled, logits)
    parts = supervised_loss(outputs, labels, Recipe())
    assert float(parts["cross_entropy"]) == pytest.approx(expected, rel=1e-9)
    assert set(supervised_loss(outputs, labels, Recipe(triplet_weight=0))) == {"cross_entropy"}


def test_distances_keep_their_digits_far_from_the_origin():
    features = torch.randn(6, 4, generator=torch.Generator().manual_seed(2))
    expected = torch.cdist(features.double(), features.double())
    assert torch.allclose(pairwise_euclidean(features + 1000).double(), expected, atol=1e-3)
    assert pairwise_euclidean(features).diagonal().max() < 1e-2


def test_duplicates_give_a_finite_gradient():
    features = torch.ones(4, 3, requires_grad=True)
    batch_hard_triplet(features, torch.tensor([0, 0, 1, 1]), 0.3).backward()
    assert features.grad.isfinite().all()


def test_one_identity_is_refused():
    with pytest.raises(ValueError, match="two identities"):
        batch_hard_triplet(torch.randn(4, 3), torch.zeros(4), 0.3)

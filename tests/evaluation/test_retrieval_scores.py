import math

import pytest
import torch

from harness.evaluation.retrieval_scores import RetrievalScores, concatenate


def scores(precision, first_rank, optimistic=None):
    precision = torch.tensor(precision, dtype=torch.float64)
    first_rank = torch.tensor(first_rank)
    best = precision if optimistic is None else torch.tensor(optimistic, dtype=torch.float64)
    nearest = torch.arange(10).expand(len(precision), -1)
    return RetrievalScores(precision, precision / 2, first_rank, nearest, best, best, first_rank)


def test_queries_without_a_match_count_in_no_mean():
    some = scores([1.0, math.nan, 0.5], [1, -1, 4])
    assert (some.mAP, some.mINP) == (0.75, 0.375)
    assert [some.cmc(k) for k in (1, 3, 4)] == [0.5, 0.5, 1.0]


def test_cmc_starts_at_rank_1():
    with pytest.raises(ValueError, match="k is 0; it must be 1 or more"):
        scores([1.0], [1]).cmc(0)


def test_optimistic_scores_replace_the_others():
    some = scores([0.2, 0.4], [2, 3], optimistic=[0.6, 0.8])
    assert some.mAP == pytest.approx(0.3)
    assert some.optimistic.mAP == pytest.approx(0.7)
    assert some.optimistic.mINP == pytest.approx(0.7)
    assert torch.equal(some.optimistic.nearest, some.nearest)


def test_scores_are_concatenated_in_order():
    parts = scores([0.1, 0.2], [1, 2]), scores([0.3], [3])
    whole = concatenate(iter(parts))
    assert whole.average_precision.tolist() == [0.1, 0.2, 0.3]
    assert whole.first_rank.tolist() == [1, 2, 3]
    assert whole.nearest.shape == (3, 10)

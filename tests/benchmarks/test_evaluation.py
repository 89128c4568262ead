import pytest
import torch

from harness.benchmarks import evaluation
from harness.benchmarks.evaluation import (
    TEST_SET_SIZES,
    compute_products,
    sample_features,
    time_evaluation,
)
from harness.evaluation.metrics import evaluate

SMALL = evaluation.TestSetSize(60, 3000, 100, 6, (4.0, 1.5))  # by module: it is not a test


def mean_average_precision(size, width, separation):
    return evaluate(*sample_features(size, width, separation)).mAP


def test_a_timing_has_the_score_of_its_features_and_the_cost():
    timing = time_evaluation(SMALL, 64, 3.0, 2, 1)
    expected = mean_average_precision(SMALL, 64, 3.0)
    assert timing.mean_average_precision == pytest.approx(expected)
    assert timing.seconds > 0 and timing.product_seconds > 0
    assert 0 < timing.least_ratio <= timing.ratio <= timing.greatest_ratio
    assert 0 <= timing.megabytes < 200


@pytest.mark.parametrize("width", [256, 1024])
def test_the_separation_and_not_the_width_decides_the_score(width):
    assert 0.85 < mean_average_precision(SMALL, width, 4.0) < 0.98
    assert mean_average_precision(SMALL, width, 1.5) < 0.2


def test_the_listed_sizes_are_those_of_the_real_test_sets():
    sizes = {
        name: (size.queries, size.rows, size.identities, size.cameras)
        for name, size in TEST_SET_SIZES.items()
    }
    assert sizes == {"market1501": (3368, 19_732, 751, 6), "msmt17": (11_659, 82_161, 3060, 15)}


def test_features_of_the_listed_sizes_have_the_documented_scores():
    """A few queries in the whole gallery, by which the separations were chosen."""
    market = TEST_SET_SIZES["market1501"]
    few = evaluation.TestSetSize(200, market.rows, market.identities, market.cameras, ())
    scores = [mean_average_precision(few, 128, separation) for separation in market.separations]
    assert scores == pytest.approx([0.6, 0.06], rel=0.2)


def test_the_baseline_computes_every_product():
    query, gallery = (torch.randn(count, 8) for count in (30, 50))
    buffer = torch.empty(512, 50)
    compute_products(query, gallery, buffer)
    torch.testing.assert_close(buffer[:30], query @ gallery.T)

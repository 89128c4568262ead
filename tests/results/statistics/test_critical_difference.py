"""Mean ranks against Demsar's worked example and tables."""

import math

import numpy as np
import pytest

from results.statistics.critical_difference import critical_difference, rank_methods

# Demsar 2006, Table 6: AUC of C4.5 and of its variants with m, cf and both, on 14 datasets
DEMSAR = np.array(
    [
        [0.763, 0.768, 0.771, 0.798],
        [0.599, 0.591, 0.590, 0.569],
        [0.954, 0.971, 0.968, 0.967],
        [0.628, 0.661, 0.654, 0.657],
        [0.882, 0.888, 0.886, 0.898],
        [0.936, 0.931, 0.916, 0.931],
        [0.661, 0.668, 0.609, 0.685],
        [0.583, 0.583, 0.563, 0.625],
        [0.775, 0.838, 0.866, 0.875],
        [1.000, 1.000, 1.000, 1.000],
        [0.940, 0.962, 0.965, 0.962],
        [0.619, 0.666, 0.614, 0.669],
        [0.972, 0.981, 0.9751, 0.975],  # printed as equal, ranked 2 and 3
        [0.957, 0.978, 0.946, 0.970],
    ]
)


def test_the_worked_example():
    """Its mean ranks are 3.143, 2.000, 2.893, 1.964; chi-square 9.28 without ties; CD 1.25."""
    result = critical_difference(DEMSAR)
    assert result.mean_ranks == pytest.approx((3.143, 2.000, 2.893, 1.964), abs=5e-4)
    assert result.difference == pytest.approx(2.569 * math.sqrt(4 * 5 / (6 * 14)), rel=1e-3)
    ties = 60 + 3 * 6  # sum of t^3 - t: one dataset of four equal scores, three of two
    assert result.statistic == pytest.approx(9.28 / (1 - ties / (14 * 60)), rel=1e-3)
    assert result.p == pytest.approx(0.0167, abs=1e-4)
    assert (result.datasets, result.warning) == (14, "")


@pytest.mark.parametrize(
    ("methods", "q"), [(2, 1.960), (3, 2.343), (4, 2.569), (5, 2.728), (10, 3.164)]
)
def test_nemenyi_values_are_the_published_ones(methods, q):
    scores = np.random.default_rng(0).random((6, methods))
    expected = q * math.sqrt(methods * (methods + 1) / 36)
    assert critical_difference(scores).difference == pytest.approx(expected, rel=5e-4)


def test_friedman_by_hand():
    """The same order on four datasets: chi-square N (k - 1) = 8, p exp(-4) on two degrees."""
    result = critical_difference(np.array([[1.0, 2.0, 3.0]] * 4))
    assert result.mean_ranks == (3, 2, 1)
    assert result.statistic == pytest.approx(8)
    assert result.p == pytest.approx(math.exp(-4))


def test_ties_share_their_ranks():
    assert rank_methods(np.array([[0.5, 0.7, 0.5], [0.1, 0.2, 0.3]])).tolist() == [
        [2.5, 1, 2.5],
        [3, 2, 1],
    ]


@pytest.mark.parametrize("datasets", [1, 4, 9])
def test_few_datasets_are_said_to_be_few(datasets):
    result = critical_difference(np.random.default_rng(1).random((datasets, 3)))
    assert result.warning.startswith(f"{datasets} dataset") and "fewer than 10" in result.warning


def test_what_has_no_statistic():
    assert math.isnan(critical_difference(np.array([[1.0, 2.0]] * 4)).statistic)  # two methods
    assert math.isnan(critical_difference(np.ones((4, 3))).p)  # all equal
    assert math.isnan(critical_difference(np.array([[1.0, 2.0, 3.0]])).p)  # one dataset
    for shape in ((4, 1), (0, 3)):
        with pytest.raises(ValueError, match="mean ranks need"):
            critical_difference(np.ones(shape))

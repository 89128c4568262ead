"""The statistics against closed forms, nested loops and scipy."""

import math

import numpy as np
import pytest
from scipy import stats as witness

from results.statistics.paired_test import (
    PairedDifference,
    difference_variance,
    holm,
    mean_difference,
    paired_test,
    prediction_interval,
    t_quantile,
    welch_satterthwaite,
)
from results.statistics.seed_noise import SeedNoise, estimate_seed_noise

RANDOM = np.random.default_rng(5)


def by_identity(precision, identity):
    """(S, Q), (Q,) -> (S, G), (G,): the parts of each identity in the mean over queries."""
    result, place = np.unique(identity, return_inverse=True)
    parts = np.stack([np.bincount(place, row, len(result)) for row in precision]) / len(identity)
    return parts, np.bincount(place) / len(identity)


def looped(ours, theirs, identity):
    """Mean and both variances as the formulas say, one query at a time: (S, Q), (S, Q), (Q,)."""
    seeds, queries = ours.shape
    by_seed = [sum(ours[s] - theirs[s]) / queries for s in range(seeds)]
    mean = sum(by_seed) / seeds
    seed_variance = sum((d - mean) ** 2 for d in by_seed) / (seeds - 1) / seeds
    total = 0.0
    for one in set(identity):
        cluster = 0.0
        for q in range(queries):
            if identity[q] == one:
                cluster += sum(ours[s, q] - theirs[s, q] for s in range(seeds)) / seeds - mean
        total += cluster**2
    groups = len(set(identity))
    return mean, seed_variance, total / queries**2 * groups / (groups - 1)


def of_two_rows(ours, theirs, weights):
    """The test of a table that has these two rows only."""
    scores = {
        name: dict(enumerate(row.sum(axis=1)))
        for name, row in zip("ab", (ours, theirs), strict=True)
    }
    noise = estimate_seed_noise(scores)
    return paired_test(
        ours,
        theirs,
        weights,
        run_variance=difference_variance(noise, 0, 1),
        seed_degrees=noise.degrees,
    )


def test_difference_is_the_formula_one_query_at_a_time():
    """With two rows the pooled variance, and their own, is that of the differences."""
    identity = np.array([0, 0, 0, 1, 1, 2, 3, 3, 3, 3])
    ours, theirs = RANDOM.random((4, 10)), RANDOM.random((4, 10))
    parts, weights = by_identity(ours, identity)
    result = of_two_rows(parts, by_identity(theirs, identity)[0], weights)
    expected = looped(ours, theirs, identity)
    assert (result.mean, result.seed_variance, result.query_variance) == pytest.approx(expected)
    assert result.error == pytest.approx(math.sqrt(expected[1] + expected[2]))
    _, seeds, queries = expected
    degrees = (seeds + queries) ** 2 / (seeds**2 / 3 + queries**2 / 3)
    assert (result.degrees, result.seeds) == (pytest.approx(degrees), 4)


@pytest.mark.parametrize("seeds", [2, 3, 10])
def test_without_query_noise_it_is_the_paired_t_test_over_seeds(seeds):
    """Every query of a seed differs by the same amount: only the seeds' part is left."""
    gap = RANDOM.normal(0.02, 0.01, (seeds, 1))
    theirs = RANDOM.random((seeds, 30)) / 30
    weights = np.full(30, 1 / 30)
    ours = theirs + gap * weights
    result = of_two_rows(ours, theirs, weights)
    expected = witness.ttest_rel(ours.sum(axis=1), theirs.sum(axis=1))
    assert result.query_variance == pytest.approx(0, abs=1e-25)
    assert result.p == pytest.approx(expected.pvalue)
    assert result.interval() == pytest.approx(tuple(expected.confidence_interval(0.95)))


def test_two_rows_and_two_seeds_have_one_degree():
    ours, theirs = RANDOM.random((2, 20)) / 20, RANDOM.random((2, 20)) / 20
    assert of_two_rows(ours, theirs, np.full(20, 1 / 20)).degrees == 1


def test_few_degrees_of_the_seeds_limit_those_of_the_sum():
    """One seed degree is that of the whole; of more, twice as many at most."""
    ours, theirs = RANDOM.random((3, 20)) / 20, RANDOM.random((3, 20)) / 20
    weights = np.full(20, 1 / 20)
    noisy_queries = {"run_variance": 1e-9}  # Welch and Satterthwaite would give 19
    tested = [
        paired_test(ours, theirs, weights, seed_degrees=count, **noisy_queries).degrees
        for count in (1, 2, 8, 24)
    ]
    assert tested == [1, 4, 16, pytest.approx(19, rel=1e-3)]


def test_the_noise_of_a_difference_is_never_below_the_pooled_one():
    noise = SeedNoise(pooled=2.0, degrees=8, own=(0.5, 1.0, 7.0, None))
    assert difference_variance(noise, 0, 1) == 4.0
    assert difference_variance(noise, 1, 2) == 8.0
    assert difference_variance(noise, 0, 3) == 4.0  # 0.5 and the pooled 2.0 are less
    assert difference_variance(noise, 2, 3) == 9.0


def test_degrees_of_freedom_by_hand():
    """(1 + 3)^2 / (1 / 4 + 9 / 18) = 64 / 3; one estimate alone keeps its own."""
    assert welch_satterthwaite([(1.0, 4), (3.0, 18)]) == pytest.approx(64 / 3)
    assert welch_satterthwaite([(2.0, 7), (0.0, 3)]) == pytest.approx(7)
    assert welch_satterthwaite([(0.0, 7)]) == math.inf


def test_a_mean_over_datasets_adds_their_variances():
    one = PairedDifference(0.04, 0.0003, 0.0001, degrees=10, seeds=3)
    two = PairedDifference(0.02, 0.0001, 0.0004, degrees=30, seeds=5)
    mean = mean_difference([one, two])
    assert mean.mean == pytest.approx(0.03)
    assert (mean.seed_variance, mean.query_variance) == pytest.approx((0.0001, 0.000125))
    degrees = (4 + 5) ** 2 / (4**2 / 10 + 5**2 / 30)
    assert (mean.degrees, mean.seeds) == (pytest.approx(degrees), 3)
    alone = mean_difference([one])
    assert (alone.mean, alone.error, alone.degrees) == pytest.approx((one.mean, one.error, 10))


def test_with_one_seed_it_is_the_paired_t_test_over_queries_of_equal_weight():
    """One query per identity and one seed: the clusters are the queries."""
    ours, theirs = RANDOM.random((1, 25)), RANDOM.random((1, 25))
    weights = np.full(25, 1 / 25)
    result = paired_test(ours / 25, theirs / 25, weights)
    expected = witness.ttest_rel(ours[0], theirs[0])
    assert result.p == pytest.approx(expected.pvalue)
    assert (result.degrees, result.seed_variance) == (24, 0)
    assert result.interval() == pytest.approx(tuple(expected.confidence_interval(0.95)))


def test_images_of_one_identity_are_no_independent_witnesses():
    """Every query listed four times tells nothing new; counting queries alone would halve it."""
    ours, theirs = RANDOM.random((1, 20)), RANDOM.random((1, 20))
    identity = np.arange(20)
    once, weights = by_identity(ours, identity)
    four = np.repeat(identity, 4)
    often, heavy = by_identity(ours[:, four], four)
    first = paired_test(once, by_identity(theirs, identity)[0], weights)
    second = paired_test(often, by_identity(theirs[:, four], four)[0], heavy)
    assert second.error == pytest.approx(first.error)


@pytest.mark.parametrize(
    ("degrees", "value"),
    [(1, math.tan(math.pi / 2 * 0.95)), (2, 0.95 * math.sqrt(2 / (1 - 0.95**2)))],
)
def test_quantiles_in_closed_form(degrees, value):
    """t of 1 degree is Cauchy's tan(pi p / 2), of 2 degrees p sqrt(2 / (1 - p^2))."""
    assert t_quantile(degrees) == pytest.approx(value)


@pytest.mark.parametrize("t", [0.3, 2.0, 17.0, 4000.0])
def test_p_in_closed_form(t):
    one = PairedDifference(t, 1.0, 0.0, degrees=1, seeds=2)
    two = PairedDifference(-t, 0.5, 0.5, degrees=2, seeds=3)
    assert one.p == pytest.approx(1 - 2 / math.pi * math.atan(t), rel=1e-6)
    # 1 - t / sqrt(2 + t^2), without the cancellation
    root = math.sqrt(2 + t * t)
    assert two.p == pytest.approx(2 / (root * (root + t)), rel=1e-9)


def test_interval_and_p_agree_on_zero():
    result = PairedDifference(0.02, 0.00004, 0.00002, degrees=4, seeds=5)
    edge = result.p
    low, high = result.interval(edge)
    assert low == pytest.approx(0, abs=1e-12)
    assert high == pytest.approx(0.04)
    assert result.minimum_significant_difference(edge) == pytest.approx(0.02)


def test_differences_without_noise():
    same = np.full((3, 2), 0.25)
    weights = np.array([0.5, 0.5])
    assert paired_test(same, same, weights).p == 1
    assert paired_test(same, same - 0.1 * weights, weights).p < 1e-9
    assert PairedDifference(0.1, 0, 0, 2, 3).p == 0
    assert PairedDifference(1e-17, 1e-40, 0, 2, 3).p == 1  # rounding is no finding


def test_shapes_are_checked():
    with pytest.raises(ValueError, match=r"\(2, 3\), \(2, 4\)"):
        paired_test(np.zeros((2, 3)), np.zeros((2, 4)), np.zeros(3))
    with pytest.raises(ValueError, match="two identities, not 2 and 1"):
        paired_test(np.zeros((2, 1)), np.zeros((2, 1)), np.ones(1))
    with pytest.raises(ValueError, match="a seed"):
        paired_test(np.zeros((0, 3)), np.zeros((0, 3)), np.zeros(3))


def test_holm_by_hand():
    """Holm (1979): 4 x 0.005, 3 x 0.01, 2 x 0.03, then no less than that."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([0.03]) == [0.03]
    assert holm([]) == []


def test_holm_lies_between_nothing_and_bonferroni():
    for _ in range(20):
        p = RANDOM.random(8) ** 3
        adjusted = np.array(holm(list(p)))
        assert (adjusted >= p).all() and (adjusted <= np.minimum(1, 8 * p) + 1e-15).all()
        assert (np.diff(adjusted[np.argsort(p)]) >= 0).all()


def test_prediction_interval_by_hand():
    """Mean 52, sd 2.6458, t of 2 degrees 4.3027, sqrt(1 + 1/3) = 1.1547."""
    low, high = prediction_interval([50, 51, 55])
    assert low == pytest.approx(52 - 4.302653 * 2.645751 * 1.154701, rel=1e-6)
    assert high == pytest.approx(52 + 4.302653 * 2.645751 * 1.154701, rel=1e-6)
    assert prediction_interval([0.5]) is None and prediction_interval([]) is None


def test_prediction_interval_holds_the_next_run_as_often_as_it_says():
    for seeds in (2, 3, 10):
        runs = RANDOM.normal(0.5, 0.01, (4000, seeds + 1))
        inside = [
            low <= run[-1] <= high for run in runs for low, high in [prediction_interval(run[:-1])]
        ]
        assert 0.938 <= np.mean(inside) <= 0.962

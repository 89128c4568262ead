"""The noise of seeds against the formulas for complete tables, and its mean over many tables."""

import numpy as np
import pytest

from results.statistics.seed_noise import estimate_seed_noise


def table(matrix, missing=()):
    return {
        m: {s: float(x) for s, x in enumerate(row) if (m, s) not in missing}
        for m, row in enumerate(matrix)
    }


def drawn(rows, seeds, sd=1.0, seed=0):
    draw = np.random.default_rng(seed)
    noise = draw.normal(size=(rows, seeds)) * np.broadcast_to(sd, rows)[:, None]
    return 40 + draw.normal(size=(rows, 1)) * 5 + draw.normal(size=seeds) * 2 + noise


@pytest.mark.parametrize(("rows", "seeds"), [(2, 2), (2, 3), (3, 2), (13, 3), (13, 10)])
def test_of_a_complete_table_it_has_the_textbook_form(rows, seeds):
    x = drawn(rows, seeds)
    residuals = x - x.mean(axis=1, keepdims=True) - x.mean(axis=0) + x.mean()
    noise = estimate_seed_noise(table(x))
    assert noise.degrees == (rows - 1) * (seeds - 1)
    assert noise.pooled == pytest.approx((residuals**2).sum() / noise.degrees)
    own = (residuals**2).sum(axis=1) / (seeds - 1) * rows / (rows - 1)
    assert noise.own == pytest.approx(list(own))


def test_by_hand():
    """Two rows, two seeds: differences 1 and 3, so each residual is 0.5."""
    noise = estimate_seed_noise({"a": {0: 11.0, 1: 15.0}, "b": {0: 10.0, 1: 12.0}})
    assert noise.degrees == 1
    assert noise.pooled == pytest.approx(1.0)  # 4 * 0.25 / 1
    assert noise.own == pytest.approx((1.0, 1.0))  # 2 * 0.25 / 1 * 2


def test_effects_of_seeds_and_means_of_rows_do_not_count():
    x = drawn(5, 4)
    moved = x + np.arange(5)[:, None] * 10 + np.arange(4) * 7
    a, b = estimate_seed_noise(table(x)), estimate_seed_noise(table(moved))
    assert b.pooled == pytest.approx(a.pooled) and b.own == pytest.approx(a.own)


MISSING = [(1, 0), (1, 1), (2, 3), (4, 0)]


def test_with_missing_runs_both_estimates_are_unbiased():
    noises = [estimate_seed_noise(table(drawn(5, 4, seed=s), MISSING)) for s in range(3000)]
    assert noises[0].degrees == 20 - 4 - (5 + 4 - 1)
    assert np.mean([noise.pooled for noise in noises]) == pytest.approx(1, abs=0.05)
    assert np.mean([noise.own for noise in noises], axis=0) == pytest.approx([1] * 5, abs=0.12)


def test_a_row_with_one_seed_tells_nothing_of_its_noise():
    x = drawn(4, 3)
    noise = estimate_seed_noise(table(x, [(3, 1), (3, 2)]))
    assert noise.own[3] is None
    complete = estimate_seed_noise(table(x[:3]))
    assert noise.pooled == pytest.approx(complete.pooled)
    assert noise.own[:3] == pytest.approx(complete.own)


@pytest.mark.parametrize(
    "scores",
    [{}, {"a": {}}, {"a": {0: 1.0}}, {"a": {0: 1.0, 1: 2.0}}, {"a": {0: 1.0}, "b": {0: 2.0}}],
)
def test_too_few_runs_leave_no_degrees(scores):
    noise = estimate_seed_noise(scores)
    assert noise.pooled == 0 and noise.degrees == 0
    assert noise.own == (None,) * len(scores)


def test_a_noisy_row_is_seen_in_its_own_estimate():
    noises = [
        estimate_seed_noise(table(drawn(13, 3, sd=[0.3] * 12 + [1.5], seed=s))) for s in range(400)
    ]
    own = np.mean([noise.own for noise in noises], axis=0)
    assert own[-1] > 4 * own[:-1].max()
    assert np.mean([n.pooled for n in noises]) == pytest.approx((12 * 0.09 + 2.25) / 13, rel=0.1)

"""How often equal rows are called different and unequal ones are found, over simulated tables.

The bands are wide: of 300 tables a rate of 5 % has a standard error of 1.3 points. The figures of
more tables stand in the documentation, from `kdreid bench tests`.
"""

import numpy as np
import pytest

from harness.benchmarks.paired_tests import SEED_NOISE, SimulatedTable, simulate

EQUAL, RISING, HALVES, ONE_NOISY = (noise(13) for noise in SEED_NOISE.values())


def alarms(seeds, seed_sd, tables=300):
    """Share of tables of equal rows with a significant pair, and with a row unlike the first."""
    rates = simulate(SimulatedTable(seeds, seed_sd), tables, procedures=["pooled"])
    return rates.tables["pooled"], rates.against_tables


@pytest.mark.parametrize(
    ("seeds", "seed_sd", "most"),
    [
        (3, EQUAL, 0.08),
        (3, RISING, 0.09),
        (3, HALVES, 0.10),
        (3, ONE_NOISY, 0.15),
        (5, EQUAL, 0.09),
    ],
)
def test_false_alarms_of_a_table(seeds, seed_sd, most):
    """Equal noise is near the nominal 5 %; of one very noisy row three seeds know too little."""
    family, against = alarms(seeds, seed_sd)
    assert family <= most and against <= most


@pytest.mark.parametrize("rows", [2, 3])
@pytest.mark.parametrize("seeds", [2, 3, 10])
def test_false_alarms_of_small_tables(rows, seeds):
    assert alarms(seeds, (0.45,) * rows, 600)[0] <= 0.075
    assert alarms(seeds, SEED_NOISE["half 0.2, half 1"](rows), 600)[0] <= 0.085


@pytest.mark.parametrize(
    ("seeds", "gain", "least"), [(3, 2.0, 0.55), (3, 3.0, 0.9), (5, 2.0, 0.85)]
)
def test_power_of_all_pairs(seeds, gain, least):
    rates = simulate(SimulatedTable(seeds, EQUAL, gain), 100, procedures=["pooled"])
    assert rates.pairs["pooled"] >= least
    assert rates.against >= rates.pairs["pooled"]


def test_three_seeds_find_two_points_against_one_row():
    """The question of a paper: is a method better than the plain student?"""
    assert simulate(SimulatedTable(3, EQUAL, 2.0), 100, procedures=["pooled"]).against >= 0.8


def test_other_procedures_find_less_or_raise_more_alarms():
    """Two degrees of freedom find nothing; over queries alone one seed calls equals different."""
    rates = simulate(SimulatedTable(3, EQUAL, 2.0), 60)
    assert rates.pairs["own"] == 0
    assert rates.pairs["welch"] < 0.3 < rates.pairs["pooled"]
    one = simulate(SimulatedTable(1, EQUAL), 60)
    assert one.tables["own"] > 0.8
    assert one.tables["pooled"] == one.tables["welch"] == 0


def test_the_drawn_tables_are_as_they_say():
    """Rows differ by the gain, runs by the noise of seeds, and rows by that of queries."""
    random = np.random.default_rng(0)
    table = SimulatedTable(4, (0.5, 1.0), gain=2.0)
    x = 100 * np.stack([table.draw(random).sum(axis=2) for _ in range(4000)])  # (T, M, S)
    gains = x[:, 1].mean(axis=1) - x[:, 0].mean(axis=1)
    assert gains.mean() == pytest.approx(2.0, abs=0.03)
    assert x.var(axis=2, ddof=1).mean(axis=0) == pytest.approx([0.25, 1.0], rel=0.05)
    assert gains.var() == pytest.approx(1.25 / 4 + 0.25**2, rel=0.06)

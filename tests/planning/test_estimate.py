"""Times of a plan from real records."""

import json

import pytest

from harness.cli.plan import print_plan
from harness.planning.estimate import estimate, read_timings, sum_estimates
from tests.support import tiny_grid


@pytest.fixture
def known(shared_runs):
    return read_timings(shared_runs)


def the_cohort(shared_runs, seeds="0"):
    return tiny_grid.grid(shared_runs, "kd", seeds=seeds).cohorts[-1]


def test_records_tell_times_and_peak_memory(shared_runs):
    for path in shared_runs.glob("synthetic/*/*/*/record.json"):
        record = json.loads(path.read_text())
        timings, memory = record["timings"], record["memory"]
        assert timings["steps"] == record["result"]["steps"]
        assert 0 < timings["training"] <= timings["training_own"] <= timings["training_cohort"]
        assert 50e6 < memory["host"] < 64e9 and memory["gpu"] is None


def test_a_cohort_like_a_measured_one_takes_as_long(shared_runs, known):
    cohort = the_cohort(shared_runs)
    record = json.loads((shared_runs / cohort[0].key / "record.json").read_text())
    steps, timings = record["result"]["steps"], record["timings"]
    guess = estimate(cohort, steps, known)
    assert guess.exact and guess.missing == ()
    spent = timings["training_cohort"] + timings["preparing"]
    assert spent / 2 < guess.seconds < spent * 2 + 5
    assert estimate(cohort, steps * 10, known).seconds > guess.seconds
    assert estimate(cohort, steps, known, done=[s.key for s in cohort]).seconds == 0


def test_packing_shares_what_is_shared(shared_runs, known):
    cohort = the_cohort(shared_runs)
    assert len(cohort) == 2
    together = estimate(cohort, 1000, known).seconds
    apart = sum_estimates([estimate([spec], 1000, known) for spec in cohort]).seconds
    assert together < apart


def test_another_method_stands_in_and_is_not_called_exact(shared_runs, known):
    cohort = tiny_grid.grid(shared_runs, "sp").cohorts[-1]
    guess = estimate([spec for spec in cohort if spec.method == "sp"], 100, known)
    assert guess.seconds > 0 and not guess.exact
    assert "partly of other methods" in guess.describe("GPU")


def test_what_nothing_is_known_of_is_named(shared_runs):
    cohort = the_cohort(shared_runs)
    guess = sum_estimates([estimate(cohort, 100, [])])
    assert guess.seconds is None
    words = guess.describe("GPU")
    assert words.startswith("no estimate") and cohort[0].name in words


def test_the_plan_says_it(shared_runs, capsys):
    print_plan(tiny_grid.grid(shared_runs, "kd", seeds="0,1"), as_json=False)
    said = capsys.readouterr().out
    assert "In all about" in said and "from 2 records" in said
    print_plan(tiny_grid.grid(shared_runs, "kd", student="resnet34"), as_json=False)
    assert "no estimate: no earlier record has timings like those of" in capsys.readouterr().out

"""Packing never changes a number: all methods side by side against each of them alone."""

import shutil

import pytest
import torch

from methods import EXTRA_METHODS, METHODS
from tests.support import tiny_grid

EVERY_METHOD = [*METHODS, *(name for name in EXTRA_METHODS if name != "none")]


@pytest.fixture(scope="module")
def packed(tmp_path_factory, shared_runs):
    runs = tmp_path_factory.mktemp("packed")
    shutil.copytree(shared_runs / "data", runs / "data")
    plan, outcome = tiny_grid.run(runs, *EVERY_METHOD)
    assert not outcome.failed
    assert len(plan.cohorts[-1]) == len(EVERY_METHOD) + 1  # with the plain student, in one cohort
    return plan


@pytest.fixture(scope="module")
def solo(tmp_path_factory, packed):
    runs = tmp_path_factory.mktemp("solo")
    shutil.copytree(packed.runs / "data", runs / "data")
    plan, outcome = tiny_grid.run(runs, *EVERY_METHOD, pack=1)
    assert not outcome.failed
    assert {len(cohort) for cohort in plan.cohorts} == {1}
    return plan


@pytest.mark.parametrize("method", ["none", *EVERY_METHOD])
def test_packed_equals_solo_bit_for_bit(packed, solo, method):
    (key,) = [spec.key for spec in packed.cohorts[-1] if spec.method == method]
    tiny_grid.assert_same_run(key, packed.runs, solo.runs)


def test_the_methods_really_train_differently(packed):
    weights = {
        spec.method: tiny_grid.result_of(packed.runs, spec.key)["result"]["model"]
        for spec in packed.cohorts[-1]
    }
    same = {"vrkd", "kd"}  # one loss under two names when the teacher is a single network
    assert len(set(weights.values())) >= len(weights) - (len(same) - 1)


def test_the_kept_model_holds_no_adapter(packed):
    sizes = {
        spec.method: {
            n: v.shape for n, v in tiny_grid.result_of(packed.runs, spec.key)["weights"].items()
        }
        for spec in packed.cohorts[-1]
    }
    assert all(size == sizes["none"] for size in sizes.values())


def test_every_weight_is_finite(packed):
    for spec in packed.cohorts[-1]:
        weights = tiny_grid.result_of(packed.runs, spec.key)["weights"]
        assert all(torch.isfinite(v.float()).all() for v in weights.values())

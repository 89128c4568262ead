"""Learning rates against the papers."""

import math
from itertools import pairwise

import pytest

from harness.runs.spec import Recipe
from harness.training.lr_schedule import learning_rate


@pytest.mark.parametrize(
    ("epoch", "rate"),
    [(0, 2e-3), (5, 1.1e-2), (10, 2e-2), (59.9, 2e-2), (60, 2e-2), (105, 1.000005e-2), (150, 1e-7)],
)
def test_the_person_schedule_of_pdrd(epoch, rate):
    """2e-3 grows tenfold in 10 epochs, stays, and falls as a cosine from epoch 60 to 150."""
    steps = 120
    assert learning_rate(Recipe(), round(epoch * steps), steps) == pytest.approx(rate, rel=1e-6)


def test_the_vehicle_schedule_of_pdrd():
    recipe = Recipe(epochs=120, hold_until=40, lr=1e-2)
    assert learning_rate(recipe, 0, 10) == pytest.approx(1e-3)
    assert learning_rate(recipe, 399, 10) == pytest.approx(1e-2)
    third = 1e-7 + (1e-2 - 1e-7) * (1 + math.cos(math.pi / 4)) / 2
    assert learning_rate(recipe, 600, 10) == pytest.approx(third)


def test_it_never_rises_after_the_warm_up():
    rates = [learning_rate(Recipe(), step, 7) for step in range(70, 1050)]
    assert all(later <= earlier for earlier, later in pairwise(rates))


@pytest.mark.parametrize(
    ("epoch", "rate"),
    [(0, 2e-3), (2.5, 1.1e-2), (5, 2e-2), (59.9, 2e-2), (60, 2e-3), (90, 2e-4), (119, 2e-5)],
)
def test_the_steps_of_vrkd(epoch, rate):
    recipe = Recipe(
        epochs=120, warmup_epochs=5, schedule="steps", milestones=(60, 90, 110), lr=2e-2
    )
    assert learning_rate(recipe, round(epoch * 100), 100) == pytest.approx(rate, rel=1e-6)

import torch

from methods import create
from tests.support.outputs import LABELS, LARGE, SMALL, fake


def test_no_distillation_weighs_nothing_and_learns_nothing():
    method = create("none", SMALL, LARGE, {})
    assert method.weight == 0.0
    assert list(method.parameters()) == []
    assert torch.equal(method(fake(SMALL), fake(LARGE), LABELS), torch.zeros(()).double())

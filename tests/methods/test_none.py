import torch
from fakes import LABELS, LARGE, SMALL, fake

from methods import create


def test_no_distillation_weighs_nothing_and_learns_nothing():
    method = create("none", SMALL, LARGE, {})
    assert method.weight == 0.0
    assert list(method.parameters()) == []
    assert torch.equal(method(fake(SMALL), fake(LARGE), LABELS), torch.zeros(()).double())

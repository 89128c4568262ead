"""Counts against what VRKD prints, and against a count by hand."""

import pytest
import torch
from torch import nn

from harness.cli.printed import VRKD_TABLE_1
from harness.models import build
from harness.models.complexity import measure_complexity


def test_a_small_network_counted_by_hand():
    network = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1, bias=False),  # 8*8*4*27 = 6912
        nn.BatchNorm2d(4),  # 2 * 256
        nn.ReLU(),  # 256
        nn.MaxPool2d(2),  # 256
        nn.Flatten(),
        nn.Linear(64, 5),  # 320
    )
    counts = measure_complexity(network, 8, 8)
    assert counts.parameters == 108 + 8 + 325
    assert counts.macs == 6912 + 320
    assert counts.macs_with_rest == counts.macs + 512 + 256 + 256


@pytest.mark.parametrize("row", VRKD_TABLE_1, ids=lambda row: f"{row.network}-{row.size}")
def test_parameters_and_operations_are_those_vrkd_prints(row):
    network = build(row.network, "fc256", 576, last_stride=row.last_stride)
    counts = measure_complexity(network, row.size, row.size)
    assert counts.parameters / 1e6 == pytest.approx(row.parameters, abs=0.006)
    if row.last_stride == 1:
        assert counts.macs_with_rest / 1e9 == pytest.approx(row.operations, abs=0.03)
    else:  # it prints stride 1's number; stride 2 needs 0.6 of it
        assert counts.macs_with_rest / 1e9 == pytest.approx(0.597 * row.operations, rel=0.01)


@pytest.mark.parametrize(
    ("network", "size", "parameters", "macs"),
    [
        ("resnet18", 256, 11.456, 3.980),
        ("cnn5", 128, 1.006, 0.410),
        ("sdc-cnn-reconstructed", 128, 10.858, 9.209),
    ],
)
def test_convolutions_and_linear_layers_alone(network, size, parameters, macs):
    counts = measure_complexity(build(network, "fc256", 576), size, size)
    assert counts.parameters / 1e6 == pytest.approx(parameters, abs=0.001)
    assert counts.macs / 1e9 == pytest.approx(macs, abs=0.0005)


def test_the_network_is_left_as_it_is():
    network = build("cnn5", "fc256", 5).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    measure_complexity(network, 64, 64)
    assert network.training
    assert all(value.equal(before[name]) for name, value in network.state_dict().items())
    assert all(p.grad is None for p in network.parameters())
    assert torch.is_grad_enabled()

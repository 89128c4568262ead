"""Counts against the numbers that VRKD prints, and against a count by hand."""

import pytest
import torch
from torch import nn

from harness.models import NETWORKS, build_network, measure_complexity
from results.published import load_published

PRINTED = sorted(
    {
        (row.network, row.size, row.last_stride, row.parameters, row.operations)
        for _, table in load_published().network_tables()
        for row in table.rows
        if row.network and row.operations
    }
)


def test_a_small_network_counted_by_hand():
    network = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1, bias=False),  # 8*8*4*27 = 6912
        nn.BatchNorm2d(4),  # 2 * 256
        nn.ReLU(),  # 256
        nn.MaxPool2d(2),  # 256
        nn.Flatten(),
        nn.Linear(64, 5),  # 320
    )
    complexity = measure_complexity(network, 8, 8)
    assert complexity.parameters == 108 + 8 + 325
    assert complexity.macs == 6912 + 320
    assert complexity.macs_with_rest == complexity.macs + 512 + 256 + 256


@pytest.mark.parametrize(("network", "size", "last_stride", "parameters", "operations"), PRINTED)
def test_parameters_and_operations_are_those_vrkd_prints(
    network, size, last_stride, parameters, operations
):
    model = build_network(network, "fc256", 576, last_stride=last_stride)
    complexity = measure_complexity(model, size, size)
    assert complexity.parameters / 1e6 == pytest.approx(parameters, abs=0.006)
    if last_stride == 2 and NETWORKS[network].is_adjustable:
        # The paper prints the operations of stride 1 for stride 2, too, which needs 0.6 of them.
        assert complexity.macs_with_rest / 1e9 == pytest.approx(0.597 * operations, rel=0.01)
    else:
        assert complexity.macs_with_rest / 1e9 == pytest.approx(operations, abs=0.03)


def test_all_own_networks_of_vrkds_table_are_compared():
    assert {row[0] for row in PRINTED} == {"resnet18", "cnn5", "sdc-cnn-reconstructed"}
    assert len(PRINTED) == 6


@pytest.mark.parametrize(
    ("network", "size", "parameters", "macs"),
    [
        ("resnet18", 256, 11.456, 3.980),
        ("cnn5", 128, 1.006, 0.410),
        ("sdc-cnn-reconstructed", 128, 10.858, 9.209),
    ],
)
def test_convolutions_and_linear_layers_alone(network, size, parameters, macs):
    complexity = measure_complexity(build_network(network, "fc256", 576), size, size)
    assert complexity.parameters / 1e6 == pytest.approx(parameters, abs=0.001)
    assert complexity.macs / 1e9 == pytest.approx(macs, abs=0.0005)


def test_the_network_is_unchanged():
    network = build_network("cnn5", "fc256", 5).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    measure_complexity(network, 64, 64)
    assert network.training
    assert all(value.equal(before[name]) for name, value in network.state_dict().items())
    assert all(p.grad is None for p in network.parameters())
    assert torch.is_grad_enabled()

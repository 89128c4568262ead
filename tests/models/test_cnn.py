import pytest
import torch
from torch import nn

from harness.models import build_network
from harness.models.cnn import ShortDenseUnit, conv_bn


@pytest.mark.parametrize("kernel", [3, 5])
def test_a_convolution_keeps_the_size(kernel):
    assert conv_bn(3, 8, kernel)(torch.rand(2, 3, 7, 5)).shape == (2, 8, 7, 5)


def test_a_dense_unit_passes_all_earlier_outputs_on():
    unit = ShortDenseUnit(inputs=4, width=6, layers=3)
    assert [layer[0].in_channels for layer in unit.layers] == [4, 10, 16]
    assert unit(torch.rand(2, 4, 8, 8)).shape == (2, 6, 8, 8)


@pytest.mark.parametrize("name", ["cnn5", "sdc-cnn-reconstructed"])
def test_networks_without_published_weights_say_so(name):
    with pytest.raises(NotImplementedError, match="has no published weights"):
        build_network(name, "bnneck", 7).backbone.load_pretrained({})


def test_pooling_before_relu_equals_pooling_after_it():
    maps = torch.randn(2, 3, 9, 9)
    pool = nn.MaxPool2d(3, stride=2, padding=1)
    assert torch.equal(pool(maps).relu(), pool(maps.relu()))

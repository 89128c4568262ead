import pytest
import torch
from torch import nn
from torchvision import models

from harness.models import build_network
from harness.models.resnet import residual_sum


@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_with_last_stride_2_the_backbone_is_torchvisions(name):
    """With the same weights the pooled features are torchvision's."""
    reference = models.get_model(name, weights=None).eval()
    network = build_network(name, "bnneck", 7, last_stride=2).eval()
    network.backbone.load_pretrained(reference.state_dict())
    reference.fc = nn.Identity()
    images = torch.randn(2, 3, 64, 32)
    torch.testing.assert_close(network(images).pooled, reference(images))


@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_a_residual_sum_is_the_blocks_output_before_its_relu(name):
    block = models.get_model(name, weights=None).eval().layer2[0]
    inputs = torch.rand(2, block.conv1.in_channels, 8, 8)
    before = residual_sum(block, inputs)
    assert (before < 0).any()
    torch.testing.assert_close(before.relu(), block(inputs))


def test_other_blocks_are_refused():
    with pytest.raises(TypeError, match="Linear is not one of torchvision's residual blocks"):
        residual_sum(nn.Linear(2, 2), torch.zeros(1, 2))

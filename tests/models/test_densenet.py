import re

import torch
from torch import nn
from torchvision import models

from harness.models import build_network


def test_with_last_stride_2_the_backbone_is_torchvisions():
    """With the same weights the pooled features are torchvision's."""
    reference = models.get_model("densenet121", weights=None).eval()
    network = build_network("densenet121", "bnneck", 7, last_stride=2).eval()
    network.backbone.load_pretrained(reference.state_dict())
    reference.classifier = nn.Identity()
    images = torch.randn(2, 3, 64, 32)
    torch.testing.assert_close(network(images).pooled, reference(images))


def test_weights_files_of_the_first_release_are_loaded():
    state = models.get_model("densenet121", weights=None).state_dict()
    older = {re.sub(r"\.(norm|conv)([12])\.", r".\1.\2.", key): v for key, v in state.items()}
    assert set(older) != set(state)
    network = build_network("densenet121", "bnneck", 7)
    network.backbone.load_pretrained(older)
    weight = network.backbone.blocks[0].denselayer2.conv1.weight
    assert torch.equal(weight, state["features.denseblock1.denselayer2.conv1.weight"])

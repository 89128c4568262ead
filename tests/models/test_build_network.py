import doctest

import pytest
import torch
from torchvision import models

import harness.models
from harness.core.errors import SetupError
from harness.models import build_network


def test_the_documented_example_works():
    results = doctest.testmod(harness.models, extraglobs={"torch": torch})
    assert results.attempted == 4 and results.failed == 0


def test_the_public_interface_exists():
    assert set(harness.models.__all__) <= set(dir(harness.models))


def test_the_start_depends_on_seed_network_and_head_only():
    def start(*arguments):
        torch.manual_seed(torch.initial_seed() + 1)  # the global stream must not matter
        network = build_network(*arguments[:3], seed=arguments[3])
        return network.state_dict()["head.classifier.weight"]

    assert torch.equal(start("resnet18", "bnneck", 7, 0), start("resnet18", "bnneck", 7, 0))
    assert not torch.equal(start("resnet18", "bnneck", 7, 0), start("resnet18", "bnneck", 7, 1))


def test_weights_of_a_file_are_loaded_into_the_backbone(tmp_path):
    state = models.get_model("resnet18", weights=None).state_dict()
    path = tmp_path / "w.pth"
    torch.save(state, path)
    network = build_network("resnet18", "bnneck", 7, weights=path)
    assert torch.equal(network.backbone.stem[0].weight, state["conv1.weight"])
    assert torch.equal(network.backbone.stages[3][1].conv2.weight, state["layer4.1.conv2.weight"])
    with pytest.raises(SetupError, match="does not fit resnet34"):
        build_network("resnet34", "bnneck", 7, weights=path)

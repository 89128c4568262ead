"""The contract of all registered networks."""

import pytest
import torch

from harness.models import ENSEMBLES, NETWORKS, build_network

IMAGES = torch.randn(2, 3, 64, 32, generator=torch.Generator().manual_seed(0))
BASIC, BOTTLENECK = (64, 128, 256, 512), (256, 512, 1024, 2048)
WIDTHS = {"resnet18": BASIC, "resnet34": BASIC, "resnet50": BOTTLENECK, "resnet101": BOTTLENECK}
WIDTHS |= {"densenet121": (256, 512, 1024, 1024), "cnn5": (64, 128, 192, 256)}
WIDTHS |= {"sdc-cnn-reconstructed": (128, 128, 128, 320)}
SIZES = {"cnn5": ((16, 8), (8, 4), (4, 2), (2, 1))}  # of the maps of images of 64x32
SIZES |= {"sdc-cnn-reconstructed": ((32, 16), (16, 8), (8, 4), (4, 2))}
LAST_STRIDE_1 = ((16, 8), (8, 4), (4, 2), (4, 2))  # stage 4 keeps the size of stage 3


def test_every_network_is_tested():
    assert set(WIDTHS) == {name for name, entry in NETWORKS.items() if entry.head is None}


@pytest.mark.parametrize("name", WIDTHS)
def test_outputs_have_the_documented_shapes(name):
    network = build_network(name, "bnneck", 7)
    for parameter in network.parameters():  # residual branches start at zero
        torch.nn.init.normal_(parameter, std=0.1)
    outputs = network(IMAGES)
    assert [tuple(m.shape) for m in outputs.maps] == [
        (2, width, *size)
        for width, size in zip(WIDTHS[name], SIZES.get(name, LAST_STRIDE_1), strict=True)
    ]
    assert network.widths.maps == WIDTHS[name]
    assert outputs.embedding.shape == (2, network.widths.embedding)
    assert outputs.logits.shape == (2, 7)
    assert torch.equal(outputs.pooled, outputs.maps[-1].mean((2, 3)))
    assert torch.equal(outputs.maps[-1], outputs.pre_relu.relu())
    assert (outputs.pre_relu < 0).any()


@pytest.mark.parametrize("name", ["resnet18", "resnet50", "densenet121"])
def test_last_stride_2_and_stem_are_options(name):
    network = build_network(name, "bnneck", 7, last_stride=2, stem="2x2")
    sizes = [tuple(m.shape[2:]) for m in network(IMAGES).maps]
    assert sizes == [(16, 8), (8, 4), (4, 2), (2, 1)]
    (pooling,) = [m for m in network.backbone.stem if isinstance(m, torch.nn.MaxPool2d)]
    assert pooling.kernel_size == 2 and pooling.padding == 0


def test_only_networks_with_published_weights_are_adjustable():
    fixed = {name for name, entry in NETWORKS.items() if not entry.is_adjustable}
    assert fixed == {"cnn5", "sdc-cnn-reconstructed"}
    assert torch.equal(
        build_network("cnn5", "bnneck", 7, last_stride=2).backbone.stages[0][0][0].weight,
        build_network("cnn5", "bnneck", 7, last_stride=1).backbone.stages[0][0][0].weight,
    )


def test_members_of_ensembles_are_networks_with_a_head_of_their_own():
    for members in ENSEMBLES.values():
        assert all(NETWORKS[name].head is not None for name in members)

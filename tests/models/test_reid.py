import pytest
import torch

from harness.models import HEADS, Backbone, Head, as_float32, build_network
from harness.models.reid import make_stem_pooling
from tests.support.outputs import SMALL, fake


@pytest.mark.parametrize(
    ("head", "width", "parameters"),
    [("bnneck", 512, 11.47), ("fc256", 256, 11.46), ("classblock", 128, 11.32)],
)
def test_heads(head, width, parameters):
    """VRKD prints 11.46 M for ResNet-18 with the 256-d head and 576 identities."""
    network = build_network("resnet18", head, 576)
    assert network.widths.embedding == width
    assert sum(p.numel() for p in network.parameters()) / 1e6 == pytest.approx(parameters, abs=0.01)
    assert set(HEADS) == {"bnneck", "fc256", "classblock"}


def test_bnnecks_bias_is_frozen_and_its_classifier_has_none():
    head = build_network("resnet18", "bnneck", 7).head
    assert not head.neck.bias.requires_grad
    assert head.classifier.bias is None


def test_classblock_is_a_quarter_wide_and_normalised_before_the_classifier():
    head = build_network("resnet101", "classblock", 7).head
    kinds = [type(layer).__name__ for layer in head.reduce]
    assert kinds == ["BatchNorm1d", "ReLU", "Linear", "BatchNorm1d"]
    assert head.embedding == 512 and head.reduce[2].bias is None and head.classifier.bias is None


def test_base_classes_are_abstract():
    with pytest.raises(NotImplementedError):
        Backbone()(torch.zeros(1, 3, 8, 8))
    with pytest.raises(NotImplementedError):
        Head(4, 2)(torch.zeros(1, 4), torch.zeros(1, 4, 1, 1))


def test_as_float32_converts_every_tensor():
    outputs = as_float32(fake(SMALL))
    tensors = (*outputs.maps, outputs.pre_relu, outputs.pooled, outputs.embedding, outputs.logits)
    assert {tensor.dtype for tensor in tensors} == {torch.float32}


@pytest.mark.parametrize("stem", ["3x3", "2x2"])
def test_the_stems_pooling_halves_the_map(stem):
    assert make_stem_pooling(stem)(torch.zeros(1, 2, 8, 6)).shape == (1, 2, 4, 3)

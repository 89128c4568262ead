import re

import pytest
import torch
from torchvision import models

from harness.core.errors import SetupError
from harness.models import NETWORKS, build
from harness.models.pretrained import find_weights, read_weights, weights_digest
from harness.models.reid import HEADS

IMAGES = torch.randn(2, 3, 64, 32, generator=torch.Generator().manual_seed(0))
BASIC, BOTTLENECK = (64, 128, 256, 512), (256, 512, 1024, 2048)
WIDTHS = {"resnet18": BASIC, "resnet34": BASIC, "resnet50": BOTTLENECK, "resnet101": BOTTLENECK}
WIDTHS |= {"densenet121": (256, 512, 1024, 1024), "cnn5": (64, 128, 192, 256)}
WIDTHS |= {"sdc-cnn-reconstructed": (128, 128, 128, 320)}
SHRUNK = {"cnn5": ((16, 8), (8, 4), (4, 2), (2, 1))}  # of images of 64x32
SHRUNK |= {"sdc-cnn-reconstructed": ((32, 16), (16, 8), (8, 4), (4, 2))}
LAST_STRIDE_1 = ((16, 8), (8, 4), (4, 2), (4, 2))  # stage 4 keeps stage 3's size


def test_every_network_is_tested():
    assert set(WIDTHS) == {name for name, known in NETWORKS.items() if known.head is None}


@pytest.mark.parametrize("name", WIDTHS)
def test_outputs_have_the_contracts_shapes(name):
    network = build(name, "bnneck", 7)
    for parameter in network.parameters():  # residual branches start at zero
        torch.nn.init.normal_(parameter, std=0.1)
    outputs = network(IMAGES)
    assert [tuple(m.shape) for m in outputs.maps] == [
        (2, width, *size)
        for width, size in zip(WIDTHS[name], SHRUNK.get(name, LAST_STRIDE_1), strict=True)
    ]
    assert network.widths.maps == WIDTHS[name]
    assert outputs.embedding.shape == (2, network.widths.embedding)
    assert outputs.logits.shape == (2, 7)
    assert torch.equal(outputs.pooled, outputs.maps[-1].mean((2, 3)))
    assert torch.equal(outputs.maps[-1], outputs.pre_relu.relu())
    assert (outputs.pre_relu < 0).any()


@pytest.mark.parametrize("name", ["resnet18", "resnet50", "densenet121"])
def test_last_stride_2_and_stem_are_options(name):
    network = build(name, "bnneck", 7, last_stride=2, stem="2x2")
    sizes = [tuple(m.shape[2:]) for m in network(IMAGES).maps]
    assert sizes == [(16, 8), (8, 4), (4, 2), (2, 1)]
    (pooling,) = [m for m in network.backbone.stem if isinstance(m, torch.nn.MaxPool2d)]
    assert pooling.kernel_size == 2 and pooling.padding == 0


@pytest.mark.parametrize("name", ["resnet18", "resnet50", "densenet121"])
def test_with_stride_2_the_backbone_is_torchvisions(name):
    """Same weights, last stride as published: the pooled features are torchvision's own."""
    theirs = models.get_model(name, weights=None).eval()
    network = build(name, "bnneck", 7, last_stride=2).eval()
    network.backbone.load_pretrained(theirs.state_dict())
    theirs.fc = theirs.classifier = torch.nn.Identity()
    torch.testing.assert_close(network(IMAGES).pooled, theirs(IMAGES))


def test_densenets_older_weight_files_are_understood():
    theirs = models.get_model("densenet121", weights=None).state_dict()
    older = {re.sub(r"\.(norm|conv)([12])\.", r".\1.\2.", key): v for key, v in theirs.items()}
    assert set(older) != set(theirs)
    build("densenet121", "bnneck", 7).backbone.load_pretrained(older)


def test_the_start_depends_on_seed_network_and_head_only():
    def start(*arguments):
        torch.manual_seed(torch.initial_seed() + 1)  # the global stream must not matter
        return build(*arguments[:3], seed=arguments[3]).state_dict()["head.classifier.weight"]

    assert torch.equal(start("resnet18", "bnneck", 7, 0), start("resnet18", "bnneck", 7, 0))
    assert not torch.equal(start("resnet18", "bnneck", 7, 0), start("resnet18", "bnneck", 7, 1))


@pytest.mark.parametrize(
    ("head", "width", "parameters"),
    [("bnneck", 512, 11.47), ("fc256", 256, 11.46), ("classblock", 128, 11.32)],
)
def test_heads(head, width, parameters):
    """VRKD prints 11.46 M for ResNet-18 with the 256-d head and 576 identities."""
    network = build("resnet18", head, 576)
    assert network.widths.embedding == width
    assert sum(p.numel() for p in network.parameters()) / 1e6 == pytest.approx(parameters, abs=0.01)
    assert set(HEADS) == {"bnneck", "fc256", "classblock"}


def test_bnnecks_bias_is_frozen_and_its_classifier_has_none():
    head = build("resnet18", "bnneck", 7).head
    assert not head.neck.bias.requires_grad
    assert head.classifier.bias is None


def test_classblock_is_a_quarter_wide_and_normalised_before_the_classifier():
    head = build("resnet101", "classblock", 7).head
    kinds = [type(layer).__name__ for layer in head.reduce]
    assert kinds == ["BatchNorm1d", "ReLU", "Linear", "BatchNorm1d"]
    assert head.embedding == 512 and head.reduce[2].bias is None and head.classifier.bias is None


def test_weights_given_by_path_are_loaded(tmp_path):
    theirs = models.get_model("resnet18", weights=None).state_dict()
    torch.save(theirs, tmp_path / "w.pth")
    path = find_weights("resnet18", {"resnet18": tmp_path / "w.pth"})
    network = build("resnet18", "bnneck", 7, weights=path)
    assert torch.equal(network.backbone.stem[0].weight, theirs["conv1.weight"])
    assert torch.equal(network.backbone.stages[3][1].conv2.weight, theirs["layer4.1.conv2.weight"])
    assert len(weights_digest(path)) == 16
    with pytest.raises(SetupError, match="does not fit resnet34"):
        build("resnet34", "bnneck", 7, weights=path)


def test_weights_in_torchvisions_cache_are_found(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    file = tmp_path / "checkpoints" / "resnet18-f37072fd.pth"
    file.parent.mkdir()
    torch.save(models.get_model("resnet18", weights=None).state_dict(), file)
    assert find_weights("resnet18", {}) == file


def test_absent_weights_name_both_ways_out(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    with pytest.raises(SetupError, match=r"--weights resnet101=FILE.*recipe.pretrained=none"):
        find_weights("resnet101", {})
    with pytest.raises(SetupError, match="nowhere.pth, do not exist"):
        find_weights("resnet101", {"resnet101": tmp_path / "nowhere.pth"})


def test_a_file_of_something_else_is_refused_and_nothing_in_it_is_run(tmp_path):
    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    torch.save(Evil(), tmp_path / "evil.pth")
    with pytest.raises(SetupError, match="is not a file of weights"):
        read_weights(tmp_path / "evil.pth")
    assert not (tmp_path / "ran").exists()
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(SetupError, match="holds a list, not a state dictionary"):
        read_weights(tmp_path / "list.pth")

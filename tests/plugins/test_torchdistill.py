"""torchdistill's losses as rows here, ours as losses there."""

import pytest
import torch
from torch import nn
from torchdistill.common import yaml_util
from torchdistill.core.distillation import get_distillation_box
from torchdistill.losses.mid_level import DISTLoss
from torchdistill.losses.registry import MIDDLE_LEVEL_LOSS_DICT, get_mid_level_loss
from torchvision import datasets, models, transforms

from harness.core.errors import UsageError
from harness.plugins.torchdistill import (
    DECLARATIONS,
    KDReIDLoss,
    load_torchdistill_method,
    tap_outputs,
    train_adapters,
)
from methods import EXTRA_METHODS, METHODS, create
from tests.support.outputs import LABELS, LARGE, SMALL, fake


def test_a_row_is_torchdistills_loss_on_our_taps():
    student, teacher = fake(SMALL, grad=True), fake(LARGE, seed=1, grad=True)
    kind = load_torchdistill_method("DISTLoss")
    method = create(kind, SMALL, LARGE, {})
    theirs = DISTLoss("l", "output", "l", "output")
    expected = theirs({"l": {"output": student.logits}}, {"l": {"output": teacher.logits}})
    loss = method(student, teacher, LABELS)
    assert torch.equal(loss, expected)
    loss.backward()
    assert student.logits.grad is not None and teacher.logits.grad is None
    assert (kind.name, kind.label, method.weight) == ("torchdistill-DISTLoss", "DIST", 1.0)
    assert create(kind, SMALL, LARGE, {"weight": 3.0}).weight == 3.0


def test_every_tap_can_be_named():
    assert set(tap_outputs(fake(SMALL))) == {
        *(f"maps.{n}" for n in range(4)),
        "pre_relu",
        "pooled",
        "embedding",
        "logits",
    }


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("loss: DISTLos\nlabel: X\n", "no loss 'DISTLos'. Did you mean 'DISTLoss'"),
        ("loss: DISTLoss\nlabel: X\nwieght: 1\n", r"mine.yaml:3: unknown key 'wieght'"),
        ("label: X\n", "loss"),
    ],
)
def test_a_wrong_row_is_refused(tmp_path, text, pattern):
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(UsageError, match=pattern):
        load_torchdistill_method(str(tmp_path / "mine.yaml"))


def test_a_loss_with_missing_arguments_is_refused(tmp_path):
    (tmp_path / "mine.yaml").write_text("loss: DISTLoss\nlabel: X\n")
    with pytest.raises(ValueError, match="torchdistill's DISTLoss: .*student_module_path"):
        create(load_torchdistill_method(str(tmp_path / "mine.yaml")), SMALL, LARGE, {})


def test_all_our_methods_are_registered_there():
    ours = {name for name in MIDDLE_LEVEL_LOSS_DICT if name.startswith("KDReID")} - {"KDReID"}
    assert len(ours) == len(METHODS) + len(EXTRA_METHODS) - 1
    assert {"KDReIDPDRD", "KDReIDKDPE", "KDReIDCSD", "KDReIDVRKD"} <= ours


TAPS = {
    "KDReIDPDRD": ({"pooled": "pool"}, {}),
    "KDReIDVRKD": ({"logits": "fc"}, {"temperature": 3.0}),
    "KDReIDCSD": ({"maps.3": "body"}, {"neighbours": 4}),
    "KDReIDKDPE": ({"pre_relu": "body"}, {}),
}


@pytest.mark.parametrize("key", TAPS)
def test_ours_there_are_ours_here(key):
    student, teacher = fake(SMALL, dtype=torch.float32), fake(LARGE, seed=1, dtype=torch.float32)
    taps, given = TAPS[key]
    widths = [{"maps": list(w.maps), "identities": w.identities} for w in (SMALL, LARGE)]
    torch.manual_seed(0)
    loss = get_mid_level_loss(
        {
            "key": key,
            "kwargs": {
                "student_taps": taps,
                "teacher_taps": taps,
                "student_widths": widths[0],
                "teacher_widths": widths[1],
                "options": given,
            },
        }
    )
    assert isinstance(loss, KDReIDLoss)
    io = [
        {path: {"output": tap_outputs(network)[tap]} for tap, path in taps.items()}
        for network in (student, teacher)
    ]
    torch.manual_seed(0)
    ours = create(loss.method, SMALL, LARGE, given)
    assert torch.equal(loss(*io, LABELS), ours(student, teacher, LABELS))


def test_an_unknown_tap_is_refused():
    with pytest.raises(ValueError, match="No tap is called 'pool'. Known: maps.0"):
        MIDDLE_LEVEL_LOSS_DICT["KDReIDPDRD"]({"pool": "x"}, {})


def test_pooled_maps_with_their_two_last_dimensions_are_flattened():
    loss = MIDDLE_LEVEL_LOSS_DICT["KDReIDPDRD"]({"pooled": "p"}, {"pooled": "p"})
    flat = torch.rand(6, 5)
    hooked = loss({"p": {"output": flat.view(6, 5, 1, 1)}}, {"p": {"output": torch.rand(6, 7)}})
    assert hooked.isfinite() and isinstance(loss, nn.Module)
    assert isinstance(loss.distillation, METHODS["pdrd"])


def test_the_example_trains_in_torchdistill():
    configuration = yaml_util.load_yaml_file(str(DECLARATIONS / "example" / "pdrd_and_csd.yaml"))[
        "train"
    ]
    images = datasets.FakeData(8, (3, 64, 32), 5, transforms.ToTensor())
    teacher, student = (models.get_model(f"resnet{n}", num_classes=5) for n in (34, 18))
    box = get_distillation_box(
        teacher, student, {"train": images}, configuration, torch.device("cpu"), None, False, 1
    )
    train_adapters(box)
    csd = box.criterion.term_dict["csd"][0].distillation
    watched = (student.layer4[1].conv2.weight, csd.projector[0].weight)
    before = [weight.detach().clone() for weight in watched]
    box.pre_epoch_process(epoch=0)
    for sample, targets, supplement in box.train_data_loader:
        loss = box.forward_process(sample, targets, supplement)
        box.post_forward_process(loss=loss)
    assert torch.isfinite(loss)
    assert not any(torch.equal(a, b) for a, b in zip(watched, before, strict=True))

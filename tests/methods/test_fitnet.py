import numpy as np
import pytest
import torch
from torch import nn

from methods.fitnet import FitNet
from tests.support.outputs import (
    LABELS,
    LARGE,
    SMALL,
    assert_gradient,
    assert_loss,
    fake,
    golden,
    leaf,
    only,
)
from tests.support.outputs import widths as make_widths


def formula(maps, hint, convolution, norm):
    """Mean squared error after 1x1 convolution, batch normalisation and ReLU, entry by entry."""
    batch, inputs, height, width = maps.shape
    weight, bias = convolution.weight.detach()[:, :, 0, 0], convolution.bias.detach()
    total = 0.0
    for c in range(hint.shape[1]):
        values = np.zeros((batch, height, width))
        for b, h, w in np.ndindex(values.shape):
            values[b, h, w] = bias[c] + sum(weight[c, k] * maps[b, k, h, w] for k in range(inputs))
        mean = values.sum() / values.size
        variance = sum((v - mean) ** 2 for v in values.flat) / values.size
        for b, h, w in np.ndindex(values.shape):
            normal = (values[b, h, w] - mean) / (variance + 1e-5) ** 0.5
            regressed = max(0.0, norm.weight[c].item() * normal + norm.bias[c].item())
            total += (regressed - hint[b, c, h, w]) ** 2
    return total / hint.numel()


def test_agrees_with_the_formula_in_loops():
    student, teacher = fake(SMALL, 3), fake(LARGE, 3, seed=1)
    method = FitNet(SMALL, LARGE).double()
    convolution, norm, _ = method.regressor
    nn.init.uniform_(norm.weight, 0.5, 2.0)
    nn.init.uniform_(norm.bias, -1.0, 1.0)
    expected = formula(student.maps[1], teacher.maps[1], convolution, norm)
    assert_loss(method(student, teacher, LABELS[:3]), float(expected), 1e-9)


@pytest.mark.parametrize(("given", "stage"), [({"variant": "pdrd"}, -1), ({"stage": 2}, 2)])
def test_another_stage_is_tapped_by_variant_or_option(given, stage):
    method = FitNet(SMALL, LARGE, **given).double()
    student, teacher = fake(SMALL), fake(LARGE, seed=1)
    hint = method.regressor(student.maps[stage]) - teacher.maps[stage]
    assert_loss(method(student, teacher, LABELS), hint.square().mean().item(), 1e-12)
    assert method.weight == (10.0 if given.get("variant") else 100.0)


def test_a_stage_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="fitnet has no stage 4: there are 4"):
        FitNet(SMALL, LARGE, stage=4)


def test_agrees_with_the_golden_arrays():
    arrays = golden("fitnet")
    method = FitNet(make_widths(4, 16), make_widths(4, 64))
    method.regressor.load_state_dict(
        {
            "0.weight": arrays["convreg_conv_weight"],
            "0.bias": arrays["convreg_conv_bias"],
            "1.weight": arrays["convreg_bn_weight"],
            "1.bias": arrays["convreg_bn_bias"],
        },
        strict=False,
    )
    student = leaf(arrays["s"])
    loss = method(only(maps=(None, student)), only(maps=(None, arrays["t"])), LABELS)
    loss.backward()
    assert_loss(loss, arrays["loss__RepDistiller_ConvReg_train"])
    assert_gradient(student, arrays["grad_s__RepDistiller_ConvReg_train"])
    assert_gradient(
        method.regressor[0].weight, arrays["grad_convreg_conv_weight__RepDistiller_ConvReg_train"]
    )


def test_zero_where_the_regressor_hits_the_hint():
    student, teacher = fake(SMALL), fake(LARGE, seed=1)
    method = FitNet(SMALL, LARGE).double()
    hit = only(maps=(None, method.regressor(student.maps[1]).detach()))
    assert method(student, hit, LABELS) == 0
    assert method(student, teacher, LABELS) > 0


@pytest.mark.parametrize("student_size", [(16, 8), (4, 2), (4, 16)])
def test_the_larger_map_is_pooled_to_the_smaller(student_size):
    method = FitNet(SMALL, LARGE).double().eval()
    torch.manual_seed(0)
    maps, hint = torch.rand(2, 8, *student_size).double(), torch.rand(2, 32, 8, 4).double()
    height, width = min(student_size[0], 8), min(student_size[1], 4)

    def shrink(tensor):
        rows, columns = tensor.shape[2] // height, tensor.shape[3] // width
        return tensor.unflatten(2, (height, rows)).unflatten(4, (width, columns)).mean((3, 5))

    expected = (method.regressor(shrink(maps)) - shrink(hint)).square().mean().item()
    loss = method(only(maps=(None, maps)), only(maps=(None, hint)), LABELS)
    assert_loss(loss, expected, 1e-12)


def test_sees_the_second_stage_alone():
    student, teacher = fake(SMALL), fake(LARGE, seed=1)
    method = FitNet(SMALL, LARGE).double().eval()
    loss = method(
        only(maps=(None, student.maps[1], None)), only(maps=(None, teacher.maps[1], None)), LABELS
    )
    assert torch.equal(loss, method(student, teacher, LABELS))

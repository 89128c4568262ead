import math

import numpy as np
import pytest
import torch
from torch import nn
from torchdistill.losses.mid_level import VIDLoss

from methods.vid import VID
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
    slope,
)
from tests.support.outputs import widths as make_widths

CONSTANT = 0.5 * math.log(5)  # of a perfect regression at the initial variance


def formula(student, teacher, weights, scales):
    """Mean negative log-likelihood of one stage, entry by entry."""
    total = 0.0
    batch, channels, height, width = teacher.shape
    for b, h, w in np.ndindex(batch, height, width):
        vector = student[b, :, h, w].tolist()
        for layer, weight in enumerate(weights):
            vector = [sum(k * v for k, v in zip(row, vector, strict=True)) for row in weight]
            vector = [max(0.0, v) for v in vector] if layer < 2 else vector
        for c in range(channels):
            variance = math.log(1 + math.exp(scales[c])) + 1e-5
            gap = teacher[b, c, h, w].item() - vector[c]
            total += 0.5 * (gap**2 / variance + math.log(variance))
    return total / teacher.numel()


def test_agrees_with_the_formula_in_loops():
    torch.manual_seed(0)
    small, large = make_widths(2, 3), make_widths(4, 5)
    method = VID(small, large).double()
    for scales in method.log_scales:
        nn.init.uniform_(scales, -2, 2)
    sizes = ((3, 2), (2, 1))
    student, teacher = fake(small, 2, sizes=sizes), fake(large, 2, sizes=sizes, seed=1)
    expected = 0.0
    for stage in range(2):
        weights = [method.regressors[stage][k].weight[:, :, 0, 0].tolist() for k in (0, 2, 4)]
        scales = method.log_scales[stage].tolist()
        expected += formula(student.maps[stage], teacher.maps[stage], weights, scales)
    assert_loss(method(student, teacher, LABELS), expected, 1e-9)


@pytest.fixture(name="loaded")
def with_golden_weights():
    arrays = golden("vid")
    method = VID(make_widths(16), make_widths(64))
    with torch.no_grad():
        for layer in range(3):
            method.regressors[0][2 * layer].weight.copy_(arrays[f"w{layer}"])
        method.log_scales[0].copy_(arrays["log_scale"])
    return arrays, method


def test_agrees_with_the_golden_arrays(loaded):
    arrays, method = loaded
    student = leaf(arrays["s"])
    loss = method(only(maps=(student,)), only(maps=(arrays["t"],)), LABELS)
    loss.backward()
    assert_loss(loss, arrays["loss64__RepDistiller"])
    assert_gradient(student, arrays["grad_s__RepDistiller"])
    assert_gradient(method.log_scales[0], arrays["grad_log_scale__RepDistiller"])
    for layer in range(3):
        weight = method.regressors[0][2 * layer].weight
        assert_gradient(weight, arrays[f"grad_w{layer}__RepDistiller"])


def test_torchdistill_agrees(loaded):
    arrays, method = loaded
    loss = method(only(maps=(arrays["s"],)), only(maps=(arrays["t"],)), LABELS)
    variance = (nn.functional.softplus(method.log_scales[0]) + 1e-5).view(1, -1, 1, 1)
    tap = {"io": "output", "path": "m"}
    theirs = VIDLoss({"pair": {"student": tap, "teacher": tap}})(
        {"m": {"output": (method.regressors[0](arrays["s"]), variance)}},
        {"m": {"output": arrays["t"]}},
    )
    assert torch.isclose(loss, theirs, rtol=2e-5)


def test_the_initial_variance_is_five():
    value = golden("vid")["init_log_scale_value"]
    method = VID(SMALL, LARGE)
    assert [len(scales) for scales in method.log_scales] == list(LARGE.maps)
    assert all(torch.allclose(s, torch.tensor(value)) for s in method.log_scales)
    other = VID(SMALL, LARGE, initial_variance=1.5).log_scales[0]
    assert torch.allclose(nn.functional.softplus(other) + 1e-5, torch.tensor(1.5))


def test_least_where_the_regression_is_perfect_and_then_not_zero():
    student = fake(SMALL)
    method = VID(SMALL, LARGE).double()
    perfect = tuple(
        regress(maps).detach()
        for regress, maps in zip(method.regressors, student.maps, strict=True)
    )
    best = method(student, only(maps=perfect), LABELS)
    assert_loss(best, 4 * CONSTANT, 1e-6)
    assert method(student, only(maps=tuple(m + 0.1 for m in perfect)), LABELS) > best


def test_no_slope_where_the_variance_is_that_of_the_residual():
    student, teacher = fake(SMALL), fake(LARGE, seed=1)
    student, teacher = only(maps=student.maps[:1]), only(maps=teacher.maps[:1])
    method = VID(make_widths(4), make_widths(16)).double()
    residual = teacher.maps[0] - method.regressors[0](student.maps[0])
    variance = residual.square().mean((0, 2, 3)).detach() - 1e-5
    with torch.no_grad():
        method.log_scales[0].copy_(variance.expm1().log())
    method(student, teacher, LABELS).backward()
    assert method.log_scales[0].grad.abs().max() < 1e-12


def test_large_scales_do_not_overflow():
    method = VID(SMALL, LARGE)
    with torch.no_grad():
        for scales in method.log_scales:
            scales.fill_(100.0)
    loss = method(
        fake(SMALL, dtype=torch.float32), fake(LARGE, seed=1, dtype=torch.float32), LABELS
    )
    loss.backward()
    assert torch.isfinite(loss)
    assert all(torch.isfinite(scales.grad).all() for scales in method.log_scales)


def test_variances_are_parameters_in_the_state_and_have_the_right_slope():
    student, teacher = fake(SMALL), fake(LARGE, seed=1)
    method = VID(SMALL, LARGE).double()
    assert {f"log_scales.{stage}" for stage in range(4)} <= method.state_dict().keys()
    method(student, teacher, LABELS).backward()
    scales = method.log_scales[2]

    def loss_at(values):
        with torch.no_grad():
            scales.copy_(values)
            return method(student, teacher, LABELS)

    estimate = slope(loss_at, scales.detach().clone(), 7, step=1e-5)
    assert math.isclose(scales.grad[7].item(), estimate, rel_tol=1e-5)

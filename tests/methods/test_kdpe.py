import logging
import math

import numpy as np
import pytest
import torch

from methods.kdpe import KDPE
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


def bank(values, sizes=(7,)):
    """Batches of a teacher whose pooled features before the ReLU are the rows of `values`."""
    chunks = torch.split(values, list(sizes) if len(sizes) > 1 else sizes[0])
    return lambda: [only(pre_relu=chunk[:, :, None, None]) for chunk in chunks]


def prepared(values, student=4, **given):
    method = KDPE(make_widths(student), make_widths(values.shape[1]), **given).double()
    method.prepare(bank(values), torch.Generator())
    return method


def loss_of(method, student, teacher):
    ours, theirs = student[:, :, None, None], teacher[:, :, None, None]
    return method(only(pre_relu=ours), only(pre_relu=theirs), LABELS)


@pytest.fixture(name="values")
def teacher_features():
    torch.manual_seed(0)
    return torch.randn(50, 10).double() * torch.linspace(3, 0.2, 10).double() + 5


def formula(student, teacher, mean, components, temperature=0.1, power=3):
    """Mean squared gap between the student and the scaled components, entry by entry."""
    total = 0.0
    for b, row in enumerate(teacher):
        for c in range(components.shape[1]):
            y = sum((row[k] - mean[k]) * components[k, c] for k in range(len(mean)))
            z = math.copysign(abs(y / temperature) ** (1 / power), y)
            total += (student[b, c] - z) ** 2
    return total / student.size


@pytest.mark.parametrize(("temperature", "power"), [(0.1, 3), (0.5, 2)])
def test_agrees_with_the_formula_in_loops(values, temperature, power):
    method = prepared(values, temperature=temperature, power=power)
    torch.manual_seed(1)
    student = torch.randn(6, 4, 3, 2).double()
    teacher = torch.randn(6, 10, 3, 2).double() + 5
    loss = method(only(pre_relu=student), only(pre_relu=teacher), LABELS)
    pooled = [np.mean(maps.numpy(), axis=(2, 3)) for maps in (student, teacher)]
    expected = formula(*pooled, method.mean.numpy(), method.components.numpy(), temperature, power)
    assert_loss(loss, expected, 1e-9)


def test_agrees_with_the_golden_arrays():
    arrays = golden("kdep")
    method = KDPE(make_widths(512), make_widths(2048))
    method.mean.copy_(arrays["svd_mean"])
    method.components.copy_(arrays["svd_v512"])
    student = leaf(arrays["student_pre_relu_gap"])
    loss = loss_of(method, student, arrays["teacher_pre_relu_gap"])
    loss.backward()
    assert_loss(loss, arrays["loss64__bruteforce"])
    assert_gradient(student, arrays["grad_student_pre_relu_gap__KDEP_L2_mean"])


def test_components_agree_with_the_golden_singular_vectors_up_to_sign():
    arrays = golden("kdep")
    method = prepared(arrays["small_bank"], student=10)
    torch.testing.assert_close(method.mean.float(), arrays["small_mean"])
    overlap = (method.components.T @ arrays["small_v"].double()).abs()
    torch.testing.assert_close(overlap, torch.eye(10).double(), atol=1e-4, rtol=0)


def test_components_are_those_of_a_singular_value_decomposition(values):
    method = prepared(values)
    mean = values.mean(0)
    expected = torch.linalg.svd(values - mean, full_matrices=False).Vh[:4].T
    torch.testing.assert_close(method.mean, mean)
    overlap = (method.components.T @ expected).abs()
    torch.testing.assert_close(overlap, torch.eye(4).double())


def test_components_are_orthonormal_centred_and_of_decreasing_variance(values):
    method = prepared(values)
    torch.testing.assert_close(method.components.T @ method.components, torch.eye(4).double())
    projected = (values - method.mean) @ method.components
    torch.testing.assert_close(projected.mean(0), torch.zeros(4).double())
    variance = projected.var(0)
    assert (variance[:-1] > variance[1:]).all()


def test_the_largest_entry_of_each_component_is_positive(values):
    components = prepared(values).components
    assert (components.gather(0, components.abs().argmax(0, keepdim=True)) > 0).all()


def test_batches_of_any_size_give_the_same_statistics(values):
    whole = KDPE(make_widths(4), make_widths(10)).double()
    parts = KDPE(make_widths(4), make_widths(10)).double()
    whole.prepare(bank(values, (50,)), torch.Generator())
    parts.prepare(bank(values, (1, 20, 3, 26)), torch.Generator())
    torch.testing.assert_close(whole.mean, parts.mean, rtol=1e-12, atol=0)
    torch.testing.assert_close(whole.components, parts.components, rtol=1e-8, atol=1e-10)


def test_a_large_offset_does_not_spoil_the_components(values):
    single = (values.float() + 1000).double()
    overlap = (prepared(single).components.T @ prepared(values).components).abs()
    torch.testing.assert_close(overlap, torch.eye(4).double(), atol=1e-3, rtol=0)


def test_scaling_is_odd_rising_and_fixes_the_temperature(values):
    method = prepared(values, student=1)
    direction = method.components[:, 0]

    def target(y):
        teacher = (method.mean + y * direction)[None]
        student = torch.zeros(1, 1).double().requires_grad_()
        loss_of(method, student, teacher).backward()
        return -student.grad.item() / 2

    assert math.isclose(target(0.1), 1, rel_tol=1e-9)
    assert math.isclose(target(-0.1), -1, rel_tol=1e-9)
    assert math.isclose(target(0.8), 2, rel_tol=1e-9)
    scaled = [target(y) for y in (-2.0, -0.5, -0.01, 0.01, 0.5, 2.0)]
    assert scaled == sorted(scaled)


def test_zero_where_the_student_hits_the_target_alone(values):
    method = prepared(values)
    projected = (values[:8] - method.mean) @ method.components
    target = projected.sign() * (projected / 0.1).abs().pow(1 / 3)
    assert loss_of(method, target, values[:8]) < 1e-28
    assert loss_of(method, target + 0.1, values[:8]) > 1e-3


def test_the_state_holds_mean_and_components_bit_by_bit(values):
    method = prepared(values)
    other = KDPE(make_widths(4), make_widths(10)).double()
    assert {"mean", "components"} == other.state_dict().keys()
    other.load_state_dict(method.state_dict())
    assert torch.equal(other.components, method.components)
    assert list(method.parameters()) == []


def test_shapes_stand_before_prepare():
    method = KDPE(SMALL, LARGE)
    assert method.mean.shape == (128,)
    assert method.components.shape == (128, 32)


def test_a_student_wider_than_the_teacher_is_refused():
    with pytest.raises(ValueError, match="at most 32, but the student has 128"):
        KDPE(LARGE, SMALL)


def test_one_image_is_refused_and_few_are_warned_about(caplog):
    method = KDPE(SMALL, LARGE)
    with pytest.raises(ValueError, match="at least 2 training images, but saw 1"):
        method.prepare(lambda: [fake(LARGE, 1)], torch.Generator())
    with pytest.raises(ValueError, match="but saw 0"):
        method.prepare(list, torch.Generator())
    with caplog.at_level(logging.WARNING):
        method.prepare(lambda: [fake(LARGE, 8)], torch.Generator())
    assert "32 components in only 8 images" in caplog.text

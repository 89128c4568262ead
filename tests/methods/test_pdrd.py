import math
from functools import partial

import pytest
import torch

from methods import pdrd
from methods.pdrd import PDRD
from tests.support.outputs import (
    LARGE,
    SMALL,
    assert_cosines_alone_count,
    assert_gradient,
    assert_loss,
    assert_zero_and_flat,
    cosine,
    golden,
    leaf,
    pooled_loss,
    rotation,
    rows,
    slope,
)

SCALARS = {
    "mish": lambda x: x * math.tanh(math.log(1 + math.exp(x))),
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "relu": lambda x: max(x, 0.0),
}


def formula(students, teachers, activate):
    """Mean over anchors of the norm of activated differences, in a triple loop."""
    size, total = len(students), 0.0
    ours = [[cosine(x, y) for y in students] for x in students]
    theirs = [[cosine(x, y) for y in teachers] for x in teachers]
    for i in range(size):
        squares = 0.0
        for j in range(size):
            for k in range(size):
                ours_ijk, theirs_ijk = ours[i][j] - ours[i][k], theirs[i][j] - theirs[i][k]
                squares += (activate(theirs_ijk) - activate(ours_ijk)) ** 2
        total += squares**0.5
    return total / size


def loss_of(student, teacher, activation="mish"):
    return pooled_loss(PDRD(SMALL, LARGE, activation=activation), student, teacher)


@pytest.fixture(name="features")
def two_networks():
    return rows(6, 5), rows(6, 9, seed=1)


@pytest.mark.parametrize("activation", SCALARS)
def test_agrees_with_the_formula_in_loops(features, activation):
    student, teacher = features
    expected = formula(student.tolist(), teacher.tolist(), SCALARS[activation])
    assert_loss(loss_of(student, teacher, activation), expected, 1e-9)


@pytest.mark.parametrize("activation", SCALARS)
def test_agrees_with_the_golden_arrays(activation):
    arrays = golden("pdrd")
    student = leaf(arrays["es"])
    loss = loss_of(student, arrays["et"], activation)
    loss.backward()
    assert_loss(loss, arrays[f"loss64__bf_npdrk_{activation}"])
    assert_gradient(student, arrays[f"grad_es__autograd_npdrk_{activation}"])


def test_agrees_with_the_authors_code():
    arrays = golden("pdrd")
    student = leaf(arrays["es"])
    loss = loss_of(student, arrays["et"])
    loss.backward()
    assert_loss(loss, arrays["loss64__author_SCYX_PDRD_mish"])
    assert_gradient(student, arrays["grad_es__author_SCYX_PDRD_mish"])


def test_the_gradient_is_that_of_finite_differences(features):
    student, teacher = features
    student.requires_grad_()
    loss_of(student, teacher).backward()
    for index in ((0, 0), (2, 3), (5, 4)):
        estimate = slope(lambda moved: loss_of(moved, teacher), student, index)
        assert math.isclose(student.grad[index].item(), estimate, rel_tol=1e-5, abs_tol=1e-9)


@pytest.mark.parametrize("activation", SCALARS)
def test_zero_and_flat_where_student_and_teacher_agree(features, activation):
    assert_zero_and_flat(partial(loss_of, activation=activation), features[0])


def test_invariant_to_rotation_and_a_scale_per_image(features):
    student, teacher = features
    assert_cosines_alone_count(loss_of, student, teacher)
    scales = torch.linspace(0.5, 2, 6).double()[:, None]
    assert loss_of(scales * teacher @ rotation(9), teacher) < 1e-12


def test_anchors_are_compared_in_chunks_of_any_size(features, monkeypatch):
    student = features[0].clone().requires_grad_()
    loss_of(student, features[1]).backward()
    whole, expected = loss_of(*features).item(), student.grad
    monkeypatch.setattr(pdrd, "ENTRIES", 4 * 6**2)
    student = features[0].clone().requires_grad_()
    loss = loss_of(student, features[1])
    loss.backward()
    assert_loss(loss, whole, 1e-12)
    assert_gradient(student, expected, 1e-12)


def test_a_full_batch_grows_the_loss_with_its_size():
    losses = [loss_of(rows(n, 32), rows(n, 64, seed=1)).item() for n in (24, 48, 96)]
    assert 1.5 < losses[1] / losses[0] < 2.5
    assert 1.5 < losses[2] / losses[1] < 2.5


def test_an_unknown_activation_is_refused():
    with pytest.raises(ValueError, match=r"no activation 'gelu'. Allowed: mish, sigmoid, relu"):
        PDRD(SMALL, LARGE, activation="gelu")

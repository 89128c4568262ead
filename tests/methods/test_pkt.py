import math

import pytest
import torch
from torchdistill.losses.mid_level import PKTLoss

from methods.pkt import PKT
from tests.support.outputs import (
    LARGE,
    SMALL,
    assert_gradient,
    assert_loss,
    golden,
    leaf,
    pooled_loss,
    rotation,
    rows,
)


def formula(students, teachers, epsilon=1e-7):
    """Mean over pairs of p log(p / q), entry by entry."""

    def probabilities(points):
        lengths = [sum(v * v for v in row) ** 0.5 + epsilon for row in points]
        units = [[v / n for v in row] for row, n in zip(points, lengths, strict=True)]
        kernel = [
            [(sum(a * b for a, b in zip(x, y, strict=True)) + 1) / 2 for y in units] for x in units
        ]
        return [[value / sum(row) for value in row] for row in kernel]

    ours, theirs, size = probabilities(students), probabilities(teachers), len(students)
    total = sum(
        theirs[i][j] * math.log((theirs[i][j] + epsilon) / (ours[i][j] + epsilon))
        for i in range(size)
        for j in range(size)
    )
    return total / size**2


def loss_of(student, teacher):
    return pooled_loss(PKT(SMALL, LARGE), student, teacher)


@pytest.fixture(name="features")
def two_networks():
    return rows(6, 5), rows(6, 9, seed=1)


def test_agrees_with_the_formula_in_loops(features):
    student, teacher = features
    assert_loss(loss_of(student, teacher), formula(student.tolist(), teacher.tolist()), 1e-9)


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float32, 1e-3), (torch.float64, 1e-9)], ids=["single", "double"]
)
def test_agrees_with_the_golden_arrays(dtype, tolerance):
    arrays = golden("pkt")
    student = leaf(arrays["es"], dtype)
    loss = loss_of(student, arrays["et"].to(dtype))
    loss.backward()
    assert_loss(loss, arrays["loss64__author_passalis"], tolerance)
    assert_gradient(student, arrays["grad_es__author_passalis"], 1e-3)


def test_torchdistill_agrees(features):
    student, teacher = features
    theirs = PKTLoss("m", "output", "m", "output", eps=1e-7)(
        {"m": {"output": student}}, {"m": {"output": teacher}}
    )
    assert torch.isclose(loss_of(student, teacher), theirs, rtol=1e-9)


def test_pdrds_variant_is_the_same_loss_under_another_weight(features):
    variant = PKT(SMALL, LARGE, variant="pdrd")
    assert pooled_loss(variant, *features) == loss_of(*features)
    assert variant.weight == 10 * PKT(SMALL, LARGE).weight == 3e5


def test_zero_where_student_and_teacher_agree_and_never_below(features):
    assert loss_of(features[0], features[0]) == 0
    assert all(loss_of(rows(6, 5, s), rows(6, 9, s + 50)) >= -1e-9 for s in range(20))


def test_invariant_to_rotation_and_a_scale_per_image(features):
    student, teacher = features
    loss, scales = loss_of(student, teacher).item(), torch.linspace(0.5, 2, 6).double()[:, None]
    assert_loss(loss_of(student @ rotation(5), teacher), loss, 1e-6)
    assert_loss(loss_of(student * scales, teacher), loss, 1e-4)  # the formula adds 1e-7 to a norm


def test_not_invariant_to_a_shift(features):
    student, teacher = features
    assert not torch.isclose(loss_of(student + 1, teacher), loss_of(student, teacher), rtol=1e-2)

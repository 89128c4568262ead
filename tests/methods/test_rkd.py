import itertools

import pytest
import torch
from torch.nn import functional as F
from torchdistill.losses.mid_level import RKDLoss

from methods.rkd import RKD, angles, distances, offsets
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


def huber(gap):
    return gap**2 / 2 if abs(gap) < 1 else abs(gap) - 0.5


def norm(vector):
    return sum(v * v for v in vector) ** 0.5


def formula(students, teachers, distance_weight=1.0, angle_weight=2.0, *, unit_teacher=True):
    """Huber loss of relative distances and of angles, entry by entry."""
    if unit_teacher:
        teachers = [[v / norm(row) for v in row] for row in teachers]
    size = len(students)

    def distances(points):
        values = {
            (i, j): norm([a - b for a, b in zip(points[j], points[i], strict=True)])
            for i, j in itertools.product(range(size), repeat=2)
        }
        positive = [value for value in values.values() if value > 0]
        mean = sum(positive) / len(positive)
        return {pair: value / mean for pair, value in values.items()}

    def angle(points, i, j, k):
        if i in (j, k):
            return 0.0
        first = [a - b for a, b in zip(points[j], points[i], strict=True)]
        second = [a - b for a, b in zip(points[k], points[i], strict=True)]
        product = sum(a * b for a, b in zip(first, second, strict=True))
        return product / (norm(first) * norm(second))

    ours, theirs = distances(students), distances(teachers)
    distance = sum(huber(ours[pair] - theirs[pair]) for pair in ours) / size**2
    triplets = list(itertools.product(range(size), repeat=3))
    angles = sum(huber(angle(students, *t) - angle(teachers, *t)) for t in triplets) / size**3
    return distance_weight * distance + angle_weight * angles


def loss_of(student, teacher, **given):
    return pooled_loss(RKD(SMALL, LARGE, **given), student, teacher)


@pytest.fixture(name="features")
def two_networks():
    return rows(6, 5), rows(6, 9, seed=1)


@pytest.mark.parametrize("terms", [(1.0, 2.0), (25.0, 50.0), (1.0, 0.0), (0.0, 1.0)])
def test_agrees_with_the_formula_in_loops(features, terms):
    student, teacher = features
    expected = formula(student.tolist(), teacher.tolist(), *terms)
    loss = loss_of(student, teacher, distance_weight=terms[0], angle_weight=terms[1])
    assert_loss(loss, expected, 1e-9)


def test_the_huber_loss_is_linear_far_out():
    student = torch.tensor([[0.0, 0.0], [100.0, 0.0], [0.0, 1.0], [1.0, 1.0]]).double()
    teacher = torch.tensor([[1.0, 0.1], [0.9, 0.0], [0.0, 1.0], [1.0, 1.0]]).double()
    assert_loss(loss_of(student, teacher), formula(student.tolist(), teacher.tolist()), 1e-9)


def test_agrees_with_the_golden_arrays():
    arrays = golden("rkd")
    student = leaf(arrays["es"])
    loss = loss_of(student, arrays["et"])
    loss.backward()
    assert_loss(loss, arrays["loss64__author_1d_2a_teacherL2norm"])
    assert_gradient(student, arrays["grad_es__author_1d_2a_teacherL2norm"])


@pytest.mark.parametrize(("tag", "relation"), [("distance", distances), ("angle", angles)])
def test_each_term_agrees_with_the_golden_arrays_of_a_raw_teacher(tag, relation):
    arrays = golden("rkd")
    student = leaf(arrays["es"])
    loss = F.smooth_l1_loss(relation(offsets(student)), relation(offsets(arrays["et"])))
    loss.backward()
    assert_loss(loss, arrays[f"loss64__author_{tag}"])
    assert_gradient(student, arrays[f"grad_es__author_{tag}"])


def test_pdrds_variant_leaves_the_teacher_raw_and_weighs_25_and_50(features):
    student, teacher = features
    expected = formula(student.tolist(), teacher.tolist(), 25.0, 50.0, unit_teacher=False)
    assert_loss(loss_of(student, teacher, variant="pdrd"), expected, 1e-9)


def test_pdrds_variant_agrees_with_the_golden_arrays():
    arrays = golden("rkd")
    student = leaf(arrays["es"])
    loss = loss_of(student, arrays["et"], variant="pdrd")
    loss.backward()
    for code in ("RepDistiller", "mdistiller", "SCYX"):
        assert_loss(loss, arrays[f"loss64__{code}_25d_50a"])
    assert_gradient(student, arrays["grad_es__RepDistiller_25d_50a"])


@pytest.mark.parametrize("weights", [(1.0, 2.0), (3.0, 0.5)])
def test_torchdistill_agrees_on_a_unit_teacher(features, weights):
    student, teacher = features
    unit = teacher / teacher.norm(dim=1, keepdim=True)
    witness = RKDLoss("m", "m", dist_factor=weights[0], angle_factor=weights[1], reduction="mean")
    theirs = witness({"m": {"output": student}}, {"m": {"output": unit}})
    ours = loss_of(student, teacher, distance_weight=weights[0], angle_weight=weights[1])
    assert torch.isclose(ours, theirs, rtol=1e-6)


def test_zero_where_the_student_is_any_similar_figure(features):
    _, teacher = features
    unit = teacher / teacher.norm(dim=1, keepdim=True)
    assert loss_of(unit, teacher) == 0
    figure = 7 * unit @ rotation(9) + torch.randn(9).double()
    assert loss_of(figure, teacher) < 1e-20


def test_invariant_to_rotation_shift_and_scale_of_the_student(features):
    student, teacher = features
    loss = loss_of(student, teacher).item()
    for moved in (student @ rotation(5), student + 100.0, 3 * student):
        assert_loss(loss_of(moved, teacher), loss, 1e-9)


def test_invariant_to_the_length_of_a_teachers_row_but_not_of_a_students(features):
    student, teacher = features
    loss, scales = loss_of(student, teacher), torch.linspace(0.5, 2, 6).double()[:, None]
    assert_loss(loss_of(student, teacher * scales), loss.item(), 1e-10)
    assert not torch.isclose(loss_of(student * scales, teacher), loss, rtol=1e-3)


def test_a_common_offset_costs_no_digits_in_single_precision():
    student, teacher = rows(16, 32).float(), rows(16, 64, seed=1).float()
    assert_loss(loss_of(student + 100, teacher), loss_of(student, teacher).item(), 1e-4)


def test_images_alike_to_the_student_alone_have_a_bounded_gradient(features):
    student, teacher = features
    student = student.clone()
    student[1] = student[0]
    student.requires_grad_()
    loss_of(student, teacher).backward()
    assert student.grad.abs().max() < 1e7

import pytest

from methods.pairwise import Pairwise
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
    rows,
)


def formula(students, teachers):
    """Mean over anchors of the norm of a row of cosine gaps, entry by entry."""

    size, total = len(students), 0.0
    for i in range(size):
        squares = 0.0
        for j in range(size):
            gap = cosine(teachers[i], teachers[j]) - cosine(students[i], students[j])
            squares += gap**2
        total += squares**0.5
    return total / size


def loss_of(student, teacher):
    return pooled_loss(Pairwise(SMALL, LARGE), student, teacher)


@pytest.fixture(name="features")
def two_networks():
    return rows(6, 5), rows(6, 9, seed=1)


def test_agrees_with_the_formula_in_loops(features):
    student, teacher = features
    assert_loss(loss_of(student, teacher), formula(student.tolist(), teacher.tolist()), 1e-9)


def test_agrees_with_the_golden_arrays():
    arrays = golden("pdrd")
    student = leaf(arrays["es"])
    loss = loss_of(student, arrays["et"])
    loss.backward()
    assert_loss(loss, arrays["loss64__bf_pairwise"])
    assert_gradient(student, arrays["grad_es__autograd_pairwise"])


def test_zero_and_flat_where_student_and_teacher_agree(features):
    assert_zero_and_flat(loss_of, features[0])


def test_invariant_to_rotation_and_a_scale_per_image(features):
    assert_cosines_alone_count(loss_of, *features)

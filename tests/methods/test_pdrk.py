import pytest
import torch

from methods import pairwise, pdrk
from methods.pairwise import Pairwise
from methods.pdrk import PDRK
from tests.support.outputs import (
    LABELS,
    LARGE,
    SMALL,
    assert_cosines_alone_count,
    assert_gradient,
    assert_loss,
    assert_zero_and_flat,
    cosine,
    golden,
    leaf,
    only,
    pooled_loss,
    rows,
)


def formula(students, teachers):
    """Mean over anchors of the norm of differences of cosine gaps, in a triple loop."""

    size, total = len(students), 0.0
    for i in range(size):
        squares = 0.0
        for j in range(size):
            for k in range(size):
                first = cosine(teachers[i], teachers[j]) - cosine(students[i], students[j])
                second = cosine(teachers[i], teachers[k]) - cosine(students[i], students[k])
                squares += (first - second) ** 2
        total += squares**0.5
    return total / size


def loss_of(student, teacher):
    return pooled_loss(PDRK(SMALL, LARGE), student, teacher)


@pytest.fixture(name="features")
def two_networks():
    return rows(6, 5), rows(6, 9, seed=1)


def test_the_closed_form_agrees_with_a_triple_loop(features):
    student, teacher = features
    assert_loss(loss_of(student, teacher), formula(student.tolist(), teacher.tolist()), 1e-9)


def test_agrees_with_the_golden_arrays():
    arrays = golden("pdrd")
    student = leaf(arrays["es"])
    loss = loss_of(student, arrays["et"])
    loss.backward()
    assert_loss(loss, arrays["loss64__bf_pdrk"])
    assert_gradient(student, arrays["grad_es__autograd_pdrk"])


def test_zero_and_flat_where_student_and_teacher_agree(features):
    assert_zero_and_flat(loss_of, features[0])


def test_invariant_to_rotation_and_a_scale_per_image(features):
    assert_cosines_alone_count(loss_of, *features)


def test_a_constant_added_to_a_row_of_similarities_matters_to_pairwise_alone(monkeypatch):
    """Both are handed the similarities themselves here."""
    for module in (pdrk, pairwise):
        monkeypatch.setattr(module, "cosines", lambda similarities: similarities)
    student, teacher = only(pooled=rows(6, 6)), only(pooled=rows(6, 6, seed=1))
    shifted = student.pooled.clone()
    shifted[2] += 0.3
    assert_loss(
        PDRK(SMALL, LARGE)(only(pooled=shifted), teacher, LABELS),
        PDRK(SMALL, LARGE)(student, teacher, LABELS).item(),
        1e-12,
    )
    before = Pairwise(SMALL, LARGE)(student, teacher, LABELS)
    after = Pairwise(SMALL, LARGE)(only(pooled=shifted), teacher, LABELS)
    assert not torch.isclose(before, after, rtol=1e-3)

import numpy as np
import pytest
import torch
from torchdistill.losses.mid_level import ATLoss

from methods.at import AT
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


def formula(students, teachers):
    """Sum over stages of the mean squared gap of unit attention maps, entry by entry."""

    def attention(maps):
        batch, channels, height, width = maps.shape
        result = np.zeros((batch, height, width))
        for b in range(batch):
            for h, w in np.ndindex(height, width):
                result[b, h, w] = sum(maps[b, c, h, w] ** 2 for c in range(channels)) / channels
            result[b] /= sum(v**2 for v in result[b].flat) ** 0.5
        return result

    total = 0.0
    for student, teacher in zip(students, teachers, strict=True):
        ours, theirs = attention(student.numpy()), attention(teacher.numpy())
        total += sum((a - b) ** 2 for a, b in zip(ours.flat, theirs.flat, strict=True)) / ours.size
    return total


def loss_of(student, teacher):
    return AT(SMALL, LARGE)(only(maps=student), only(maps=teacher), LABELS)


@pytest.fixture(name="maps")
def two_networks():
    return fake(SMALL).maps, fake(LARGE, seed=1).maps


def test_agrees_with_the_formula_in_loops(maps):
    assert_loss(loss_of(*maps), formula(*maps), 1e-10)


def test_agrees_with_the_golden_arrays():
    arrays = golden("at")
    student = [leaf(arrays[f"s{stage}"]) for stage in range(1, 5)]
    loss = loss_of(student, [arrays[f"t{stage}"] for stage in range(1, 5)])
    loss.backward()
    assert_loss(loss, arrays["loss64__author_szagoruyko_sum4"])
    for stage, tensor in enumerate(student, start=1):
        assert_gradient(tensor, arrays[f"grad_s{stage}__author_szagoruyko_sum4"])


@pytest.mark.parametrize(("mode", "agree"), [("code", True), ("paper", False)])
def test_torchdistill_agrees_on_the_code_and_not_on_the_paper(maps, mode, agree):
    paths = [f"stage{stage}" for stage in range(4)]
    pairs = {
        path: {
            "student": {"io": "output", "path": path},
            "teacher": {"io": "output", "path": path},
        }
        for path in paths
    }
    records = [
        {path: {"output": m} for path, m in zip(paths, network, strict=True)} for network in maps
    ]
    theirs = ATLoss(pairs, mode=mode)(*records)
    assert torch.isclose(loss_of(*maps), theirs, rtol=1e-10) == agree


def test_zero_where_the_maps_agree(maps):
    assert loss_of(maps[0], maps[0]) == 0


def test_invariant_to_scale_channel_order_and_sign(maps):
    student, teacher = maps
    loss = loss_of(student, teacher)
    torch.manual_seed(0)
    scales = torch.rand(8, 1, 1, 1).double() + 0.5
    assert_loss(loss_of([m * scales for m in student], teacher), loss.item(), 1e-12)
    assert_loss(loss_of([m.flip(1) for m in student], teacher), loss.item(), 1e-12)
    assert_loss(loss_of([-m for m in student], teacher), loss.item(), 1e-12)


def test_invariant_to_moving_places_in_both_networks_only(maps):
    student, teacher = maps
    loss = loss_of(student, teacher)
    moved = [m.flip(2) for m in student]
    assert_loss(loss_of(moved, [m.flip(2) for m in teacher]), loss.item(), 1e-12)
    assert not torch.isclose(loss_of(moved, teacher), loss)


def test_a_dead_map_has_a_finite_loss_and_no_gradient(maps):
    student = [torch.zeros_like(m).requires_grad_() for m in maps[0]]
    loss = loss_of(student, maps[1])
    loss.backward()
    assert_loss(loss, sum(1 / m[0, 0].numel() for m in student), 1e-10)
    assert all(tensor.grad.abs().sum() == 0 for tensor in student)


def test_small_maps_are_not_damped(maps):
    student, teacher = maps
    assert_loss(loss_of([m * 1e-4 for m in student], teacher), formula(*maps), 1e-9)

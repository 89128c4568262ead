import pytest
import torch
from torchdistill.losses.mid_level import SPKDLoss

from methods.sp import SP
from tests.support.outputs import (
    LABELS,
    LARGE,
    SMALL,
    assert_gradient,
    assert_loss,
    cosine,
    fake,
    golden,
    leaf,
    only,
    pooled_loss,
    rotation,
    rows,
)


def formula(student, teacher):
    """Mean squared gap of Gram matrices with unit rows, entry by entry."""

    def gram(maps):
        flat = [image.flatten().tolist() for image in maps]
        rows = [[sum(a * b for a, b in zip(x, y, strict=True)) for y in flat] for x in flat]
        return [[v / sum(w * w for w in row) ** 0.5 for v in row] for row in rows]

    ours, theirs, size = gram(student), gram(teacher), len(student)
    gaps = [(theirs[i][j] - ours[i][j]) ** 2 for i in range(size) for j in range(size)]
    return sum(gaps) / size**2


def loss_of(student, teacher):
    return SP(SMALL, LARGE)(only(maps=(student,)), only(maps=(teacher,)), LABELS)


@pytest.fixture(name="maps")
def two_networks():
    return fake(SMALL).maps[-1], fake(LARGE, seed=1).maps[-1]


def test_agrees_with_the_formula_in_loops(maps):
    assert_loss(loss_of(*maps), formula(*maps), 1e-10)


@pytest.mark.parametrize(("taps", "tag"), [(("s4", "t4"), "map"), (("es", "et"), "emb")])
def test_agrees_with_the_golden_arrays(taps, tag):
    arrays = golden("sp")
    student = leaf(arrays[taps[0]])
    loss = loss_of(student, arrays[taps[1]])
    loss.backward()
    assert_loss(loss, arrays[f"loss64__RepDistiller_{tag}"])
    assert_gradient(student, arrays[f"grad_{taps[0]}__RepDistiller_{tag}"])


def test_torchdistill_normalises_by_l1_where_the_paper_says_l2(maps):
    """torchdistill 1.1.5 passes `1` as F.normalize's second argument, which is p, not dim."""
    witness = SPKDLoss("m", "m", reduction="batchmean")
    theirs = witness({"m": {"output": maps[0]}}, {"m": {"output": maps[1]}})
    assert not torch.isclose(loss_of(*maps), theirs, rtol=0.05)

    def by_l1(features):
        flat = features.flatten(1)
        gram = flat @ flat.T
        return gram / gram.abs().sum(dim=1, keepdim=True)

    difference = by_l1(maps[1]) - by_l1(maps[0])
    assert torch.isclose(difference.square().mean(), theirs, rtol=1e-10)


def cosine_formula(students, teachers):
    """Mean squared gap of cosines, entry by entry."""
    pairs = [(i, j) for i in range(len(students)) for j in range(len(students))]
    gaps = [cosine(students[i], students[j]) - cosine(teachers[i], teachers[j]) for i, j in pairs]
    return sum(gap**2 for gap in gaps) / len(students) ** 2


def test_pdrds_variant_agrees_with_its_formula_in_loops():
    student, teacher = rows(6, 5), rows(6, 9, seed=1)
    loss = pooled_loss(SP(SMALL, LARGE, variant="pdrd"), student, teacher)
    assert_loss(loss, cosine_formula(student.tolist(), teacher.tolist()), 1e-10)


def test_pdrds_variant_agrees_with_the_golden_arrays():
    arrays = golden("sp")
    student = leaf(arrays["es"])
    loss = pooled_loss(SP(SMALL, LARGE, variant="pdrd"), student, arrays["et"])
    loss.backward()
    assert_loss(loss, arrays["loss64__SCYX_cosine_variant_emb"])
    assert_gradient(student, arrays["grad_es__SCYX_cosine_variant_emb"])


def test_pdrds_variant_is_invariant_to_a_scale_per_image():
    student, teacher = rows(6, 5), rows(6, 9, seed=1)
    method, scales = SP(SMALL, LARGE, variant="pdrd"), torch.linspace(0.5, 2, 6).double()[:, None]
    loss = pooled_loss(method, student, teacher).item()
    assert_loss(pooled_loss(method, student * scales, teacher), loss, 1e-10)


def test_zero_where_the_maps_agree(maps):
    assert loss_of(maps[0], maps[0]) == 0


def test_invariant_to_mixing_channels_and_to_one_scale(maps):
    student, teacher = maps
    loss = loss_of(student, teacher).item()
    mixed = torch.einsum("dc,bchw->bdhw", rotation(32), student)
    assert_loss(loss_of(mixed, teacher), loss, 1e-10)
    assert_loss(loss_of(5 * student, teacher), loss, 1e-10)


def test_not_invariant_to_a_scale_per_image(maps):
    student, teacher = maps
    scales = torch.linspace(0.5, 2, 8).double().view(8, 1, 1, 1)
    assert not torch.isclose(loss_of(scales * student, teacher), loss_of(*maps), rtol=1e-3)

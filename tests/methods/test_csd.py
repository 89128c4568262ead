import math

import pytest
import torch

from methods import create
from methods.csd import CSD
from methods.relations import normalise
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
    rows,
)
from tests.support.outputs import widths as make_widths

TAGS = {"k8_tq1.0_tg0.01": (8, 1.0, 0.01), "k8_tq0.1_tg0.1": (8, 0.1, 0.1)}
TAGS |= {"k5_tq1.0_tg0.01": (5, 1.0, 0.01), "k5_tq0.05_tg0.05": (5, 0.05, 0.05)}


def formula(queries, gallery, neighbours, tau_q=1.0, tau_g=0.01, *, anchors=None):
    """Mean divergence over each image's nearest neighbours, entry by entry."""
    anchors = gallery if anchors is None else anchors

    def softmax(values):
        powers = [math.exp(v - max(values)) for v in values]
        return [p / sum(powers) for p in powers]

    total = 0.0
    for i, query in enumerate(queries):
        order = sorted(range(len(gallery)), key=lambda k: -cosine(anchors[i], gallery[k]))
        nearest = order[:neighbours]
        p = softmax([cosine(anchors[i], gallery[k]) / tau_g for k in nearest])
        q = softmax([cosine(query, gallery[k]) / tau_q for k in nearest])
        total += sum(a * math.log(a / b) for a, b in zip(p, q, strict=True) if a > 0)
    return total / len(queries)


def matcher(neighbours=0, tau_q=1.0, tau_g=0.01):
    return CSD(SMALL, LARGE, neighbours=neighbours, tau_q=tau_q, tau_g=tau_g)


def twice(features):
    """Unit rows as both the batch and its own gallery."""
    unit = normalise(features)
    return unit, unit


@pytest.mark.parametrize("given", [(0, 1.0, 0.01), (3, 1.0, 0.01), (4, 0.5, 0.2)])
def test_agrees_with_the_formula_in_loops(given):
    torch.manual_seed(0)
    method = CSD(
        make_widths(3), make_widths(5), neighbours=given[0], tau_q=given[1], tau_g=given[2]
    ).double()
    student, gallery = torch.randn(6, 3, 4, 2).double(), torch.rand(6, 5).double()
    queries = method.projector(student).mean((2, 3)).tolist()
    expected = formula(queries, gallery.tolist(), given[0] or 6, *given[1:])
    assert_loss(method(only(maps=(student,)), only(pooled=gallery), LABELS), expected, 1e-9)


@pytest.mark.parametrize("tag", TAGS)
def test_agrees_with_the_golden_arrays(tag):
    arrays = golden("csd")
    student = leaf(arrays["fs"])
    loss = matcher(*TAGS[tag]).contextual_divergence(student, *twice(arrays["ft"]))
    loss.backward()
    assert_loss(loss, arrays[f"loss64__SCYX_{tag}"])
    assert_gradient(student, arrays[f"grad_fs__SCYX_{tag}"])


def test_a_perfect_student_has_a_loss_unless_the_temperatures_agree():
    arrays = golden("csd")
    teacher = arrays["ft"]
    for tag in ("k8_tq1.0_tg0.01", "k8_tq0.1_tg0.1"):
        student = leaf(teacher)
        loss = matcher(*TAGS[tag]).contextual_divergence(student, *twice(teacher))
        loss.backward()
        if TAGS[tag][1] == TAGS[tag][2]:
            assert abs(loss) < 1e-7
            assert student.grad.abs().max() < 1e-6
        else:
            assert_loss(loss, arrays[f"loss64__SCYX_self_{tag}"])
            assert_gradient(student, arrays[f"grad_ft_as_student__SCYX_self_{tag}"])


def test_invariant_to_a_scale_per_image():
    student, teacher = rows(6, 5), rows(6, 5, seed=1)
    scales = torch.linspace(0.5, 2, 6).double()[:, None]
    loss = matcher(4).contextual_divergence(student, *twice(teacher)).item()
    assert_loss(matcher(4).contextual_divergence(student * scales, *twice(teacher)), loss, 1e-9)
    assert_loss(matcher(4).contextual_divergence(student, *twice(teacher * scales)), loss, 1e-9)


def test_one_neighbour_is_the_image_itself_and_teaches_nothing():
    student = rows(6, 5).requires_grad_()
    loss = matcher(1).contextual_divergence(student, *twice(rows(6, 5, seed=1)))
    loss.backward()
    assert loss == 0 and student.grad.abs().sum() == 0


def test_the_projector_halves_the_map_and_gives_it_the_teachers_width():
    method = CSD(SMALL, LARGE)
    output = method.projector(fake(SMALL, dtype=torch.float32).maps[-1])
    assert output.shape == (8, 128, 2, 1)
    assert (output >= 0).all()
    kinds = [type(layer).__name__ for layer in method.projector]
    assert kinds == ["Conv2d", "BatchNorm2d", "ReLU"]


def test_a_batch_smaller_than_the_neighbourhood_is_refused():
    with pytest.raises(ValueError, match=r"csd .*at least 9 images.*given 8"):
        CSD(SMALL, LARGE, neighbours=9).double()(fake(SMALL), fake(LARGE), LABELS)


def with_bank(gallery, **given):
    """The variant of the paper, its bank filled from a training set of 3 batches."""
    method = CSD(make_widths(3), make_widths(5), variant="original", **given).double()
    batches = [only(pooled=part) for part in gallery.split(4)]
    method.prepare(lambda: iter(batches), torch.Generator())
    return method


@pytest.mark.parametrize("neighbours", [0, 1, 7, 10])
def test_the_papers_variant_finds_neighbours_in_the_training_set(neighbours):
    torch.manual_seed(0)
    gallery, student, taught = (torch.rand(n, c).double() for n, c in ((10, 5), (4, 3), (4, 5)))
    method = with_bank(gallery, neighbours=neighbours, tau_q=0.5, tau_g=0.2)
    queries = method.projector(student).tolist()
    expected = formula(
        queries, gallery.tolist(), neighbours or 10, 0.5, 0.2, anchors=taught.tolist()
    )
    loss = method(only(pooled=student), only(pooled=taught), LABELS)
    assert abs(loss.item() - expected) <= 1e-9 * max(1, expected)


def test_the_bank_is_the_whole_training_set_in_unit_rows():
    gallery = rows(10, 5)
    bank = with_bank(gallery, neighbours=3).bank
    assert torch.allclose(bank, normalise(gallery))
    assert not bank.requires_grad


def test_a_bank_of_any_size_is_restored():
    method = with_bank(rows(10, 5), neighbours=3)
    other = CSD(make_widths(3), make_widths(5), variant="original", neighbours=3).double()
    other.load_state_dict(method.state_dict())
    assert torch.equal(other.bank, method.bank)


def test_a_training_set_smaller_than_the_neighbourhood_is_taken_whole(caplog):
    method = with_bank(rows(10, 5))
    assert "96 neighbours in 10 images" in caplog.text
    assert method(only(pooled=rows(4, 3)), only(pooled=rows(4, 5)), LABELS).isfinite()


def test_pdrds_variant_is_the_default():
    assert create("csd", SMALL, LARGE, {}).variant == "pdrd"

import math

import pytest
import torch
from torchdistill.losses.mid_level import CCKDLoss

from methods.cckd import CCKD
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
    pooled_loss,
    rotation,
)
from tests.support.outputs import widths as make_widths


def formula(students, teachers, gamma=0.4, order=2):
    """Mean squared gap of the expanded kernel of unit embeddings, entry by entry."""

    def kernel(x, y):
        product = sum(a * b for a, b in zip(x, y, strict=True))
        product /= math.sqrt(sum(a * a for a in x)) * math.sqrt(sum(b * b for b in y))
        return sum(
            math.exp(-2 * gamma) * (2 * gamma) ** p / math.factorial(p) * product**p
            for p in range(order + 1)
        )

    size, total = len(students), 0.0
    for i in range(size):
        for j in range(size):
            gap = kernel(students[i], students[j]) - kernel(teachers[i], teachers[j])
            total += gap**2
    return total / size**2


@pytest.mark.parametrize(("gamma", "order"), [(0.4, 2), (0.7, 3), (0.4, 1)])
def test_agrees_with_the_formula_in_loops(gamma, order):
    torch.manual_seed(0)
    method = CCKD(SMALL, LARGE, gamma=gamma, order=order, dimension=6).double()
    student, teacher = fake(SMALL), fake(LARGE, seed=1)
    expected = formula(
        method.student_embed(student.pooled).tolist(),
        method.teacher_embed(teacher.pooled).tolist(),
        gamma,
        order,
    )
    assert_loss(method(student, teacher, LABELS), expected, 1e-9)


def with_golden_weights(arrays, **given):
    method = CCKD(make_widths(512), make_widths(2048), dimension=32, **given)
    for network, letter in (("student", "s"), ("teacher", "t")):
        getattr(method, f"{network}_embed").load_state_dict(
            {part: arrays[f"embed_{letter}_{part}"] for part in ("weight", "bias")}
        )
    return method


@pytest.mark.parametrize(
    ("variant", "loss_of", "gradient_of"),
    [
        ("original", "paper_taylorP2_bruteforce", "paper_taylorP2_autograd"),
        ("pdrd", "SCYX_CC_normalized", "SCYX_CC_normalized"),
    ],
)
def test_agrees_with_the_golden_arrays(variant, loss_of, gradient_of):
    arrays = golden("cckd")
    method = with_golden_weights(arrays, variant=variant)
    student = leaf(arrays["es"])
    loss = pooled_loss(method, student, arrays["et"])
    loss.backward()
    assert_loss(loss, arrays[f"loss64__{loss_of}"])
    assert_gradient(student, arrays[f"grad_es__{gradient_of}"])
    for network, letter in (("student", "s"), ("teacher", "t")):
        weight = getattr(method, f"{network}_embed").weight
        assert_gradient(weight, arrays[f"grad_embed_{letter}_weight__{gradient_of}"])


def product_formula(students, teachers):
    """Mean over neighbours in the batch of their gaps' products, entry by entry."""

    def unit(row):
        length = math.sqrt(sum(v * v for v in row))
        return [v / length for v in row]

    gaps = [
        [abs(a - b) for a, b in zip(unit(x), unit(y), strict=True)]
        for x, y in zip(students, teachers, strict=True)
    ]
    products = [
        sum(a * b for a, b in zip(gaps[i], gaps[i + 1], strict=True)) for i in range(len(gaps) - 1)
    ]
    return sum(products) / len(products)


def test_pdrds_variant_agrees_with_its_formula_in_loops():
    torch.manual_seed(0)
    method = CCKD(SMALL, LARGE, dimension=6, variant="pdrd").double()
    student, teacher = fake(SMALL), fake(LARGE, seed=1)
    embedded = (method.student_embed(student.pooled), method.teacher_embed(teacher.pooled))
    expected = product_formula(*(rows.tolist() for rows in embedded))
    assert_loss(method(student, teacher, LABELS), expected, 1e-10)


def test_torchdistill_leaves_the_norm_unsquared_and_the_rows_as_they_are():
    """Its loss on unit rows, squared and times B^2, is the paper's; as it is, it is not."""
    arrays = golden("cckd")
    method = with_golden_weights(arrays)
    loss = pooled_loss(method, arrays["es"], arrays["et"])
    witness = CCKDLoss("m", "m", {"type": "gaussian", "gamma": 0.4, "max_p": 2}, "batchmean")

    def theirs(change):
        student = change(method.student_embed(arrays["es"]))
        teacher = change(method.teacher_embed(arrays["et"]))
        return witness({"m": {"output": student}}, {"m": {"output": teacher}})

    unit = theirs(lambda rows: rows / rows.norm(dim=1, keepdim=True))
    assert torch.isclose((unit * 64) ** 2 / 64, loss, rtol=2e-5)
    assert not torch.isclose(unit, loss, rtol=0.05)
    assert not torch.isclose(theirs(lambda rows: rows), loss, rtol=0.05)


def test_zero_where_the_embeddings_agree():
    method = CCKD(SMALL, SMALL).double()
    method.teacher_embed.load_state_dict(method.student_embed.state_dict())
    outputs = fake(SMALL)
    assert method(outputs, outputs, LABELS) == 0
    assert method(outputs, fake(SMALL, seed=1), LABELS) > 0


def test_invariant_to_rotating_and_scaling_the_embedding():
    method = CCKD(SMALL, LARGE, dimension=16).double()
    student, teacher = fake(SMALL), fake(LARGE, seed=1)
    loss = method(student, teacher, LABELS).item()
    turn = 3 * rotation(16)
    with torch.no_grad():
        method.student_embed.weight.copy_(turn @ method.student_embed.weight)
        method.student_embed.bias.copy_(turn @ method.student_embed.bias)
    assert_loss(method(student, teacher, LABELS), loss, 1e-10)


def test_the_teachers_embedding_is_trained_and_the_teacher_is_not():
    method = CCKD(SMALL, LARGE).double()
    student, teacher = fake(SMALL), fake(LARGE, seed=1, grad=True)
    method(only(pooled=student.pooled), only(pooled=teacher.pooled), LABELS).backward()
    assert method.teacher_embed.weight.grad.abs().sum() > 0
    assert teacher.pooled.grad is None

import math

import pytest
import torch
from torchdistill.losses.mid_level import CCKDLoss

from methods.cckd import CCKD
from methods.relations import cosines
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
        teacher.pooled.tolist(),
        gamma,
        order,
    )
    assert_loss(method(student, teacher, LABELS), expected, 1e-9)


def with_golden_weights(arrays, **given):
    method = CCKD(
        make_widths(512), make_widths(2048), dimension=32, teacher_embedding="trained", **given
    )
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
    method = CCKD(SMALL, SMALL, teacher_embedding="trained").double()
    method.teacher_embed.load_state_dict(method.student_embed.state_dict())
    outputs = fake(SMALL)
    assert method(outputs, outputs, LABELS) == 0
    assert method(outputs, fake(SMALL, seed=1), LABELS) > 0


def test_zero_where_the_students_embedding_has_the_teachers_angles():
    method = CCKD(SMALL, SMALL, dimension=32).double()
    with torch.no_grad():
        method.student_embed.weight.copy_(2 * rotation(32))
        method.student_embed.bias.zero_()
    outputs = fake(SMALL)
    assert method(outputs, outputs, LABELS) < 1e-30
    assert method(outputs, fake(SMALL, seed=1), LABELS) > 1e-6


def test_invariant_to_rotating_and_scaling_the_embedding():
    method = CCKD(SMALL, LARGE, dimension=16).double()
    student, teacher = fake(SMALL), fake(LARGE, seed=1)
    loss = method(student, teacher, LABELS).item()
    turn = 3 * rotation(16)
    with torch.no_grad():
        method.student_embed.weight.copy_(turn @ method.student_embed.weight)
        method.student_embed.bias.copy_(turn @ method.student_embed.bias)
    assert_loss(method(student, teacher, LABELS), loss, 1e-10)


def trained(method):
    return {name for name, value in method.named_parameters() if value.requires_grad}


def test_by_default_only_the_students_embedding_is_trained():
    method = CCKD(SMALL, LARGE).double()
    assert trained(method) == {"student_embed.weight", "student_embed.bias"}
    assert method.state_dict().keys() == trained(method)
    student, teacher = fake(SMALL), fake(LARGE, seed=1, grad=True)
    method(only(pooled=student.pooled), only(pooled=teacher.pooled), LABELS).backward()
    assert teacher.pooled.grad is None


def test_an_orthogonal_embedding_of_the_teacher_is_kept_and_not_trained():
    torch.manual_seed(0)
    method = CCKD(SMALL, LARGE, dimension=16, teacher_embedding="orthogonal").double()
    assert trained(method) == {"student_embed.weight", "student_embed.bias"}
    weight = method.state_dict()["teacher_embed.weight"]
    torch.testing.assert_close(weight @ weight.T, torch.eye(16).double(), atol=1e-5, rtol=0)
    assert "teacher_embed.bias" not in method.state_dict()


@pytest.mark.parametrize("variant", ["original", "pdrd"])
def test_a_trained_embedding_of_the_teacher_gets_a_gradient_and_the_teacher_none(variant):
    method = CCKD(SMALL, LARGE, variant=variant, teacher_embedding="trained").double()
    student, teacher = fake(SMALL), fake(LARGE, seed=1, grad=True)
    method(only(pooled=student.pooled), only(pooled=teacher.pooled), LABELS).backward()
    assert method.teacher_embed.weight.grad.abs().sum() > 0
    assert teacher.pooled.grad is None


def test_pdrds_variant_trains_both_embeddings_as_its_authors_did():
    assert any(name.startswith("teacher") for name in trained(CCKD(SMALL, LARGE, variant="pdrd")))


def test_pdrds_variant_compares_vectors_of_one_width():
    with pytest.raises(ValueError, match="pdrd compares embeddings of one width"):
        CCKD(SMALL, LARGE, variant="pdrd", teacher_embedding="none")
    CCKD(SMALL, LARGE, variant="pdrd", teacher_embedding="orthogonal")


def test_an_unknown_embedding_of_the_teacher_is_refused():
    with pytest.raises(ValueError, match="none, orthogonal or trained"):
        CCKD(SMALL, LARGE, teacher_embedding="frozen")


def learn(steps=400, **given):
    """Train the embeddings of frozen networks; return terms and the spread of teacher's cosines."""
    torch.manual_seed(0)
    method = CCKD(make_widths(32), make_widths(64), dimension=16, **given)
    trainable = [value for value in method.parameters() if value.requires_grad]
    optimiser = torch.optim.SGD(trainable, lr=0.02, momentum=0.9, weight_decay=5e-4)
    mixing = [torch.randn(8, width) for width in (32, 64)]
    centres, terms, spreads = torch.rand(20, 8), [], []
    for _ in range(steps):
        latent = centres[torch.randint(20, (16,))] + 0.1 * torch.randn(16, 8)
        student, teacher = ((latent @ one).relu() for one in mixing)
        loss = method.weight * pooled_loss(method, student, teacher)
        terms.append(loss.item())
        spreads.append(cosines(method.teacher_embed(teacher).detach()).std().item())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return terms, spreads


@pytest.mark.parametrize("embedding", ["none", "orthogonal"])
def test_a_frozen_embedding_of_the_teacher_does_not_collapse(embedding):
    _, spreads = learn(teacher_embedding=embedding)
    assert sum(spreads[-20:]) > 0.5 * sum(spreads[:20])


def test_a_trained_embedding_of_the_teacher_collapses():
    terms, spreads = learn(teacher_embedding="trained")
    assert sum(spreads[-20:]) < 0.4 * sum(spreads[:20])
    assert sum(terms[-20:]) < 0.05 * sum(terms[:20])

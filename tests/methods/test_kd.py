import math

import pytest
import torch
from torch.nn import functional as F
from torchdistill.losses.mid_level import KDLoss

from methods.kd import KD
from tests.support.outputs import LABELS, assert_gradient, assert_loss, golden, leaf, only
from tests.support.outputs import widths as make_widths

NETWORKS = make_widths(4, identities=20), make_widths(8, identities=20)


def formula(students, teachers, temperature=2.0, *, scaled=True):
    """Mean divergence between softened probabilities, entry by entry."""

    def softmax(values):
        powers = [math.exp(v / temperature) for v in values]
        return [p / sum(powers) for p in powers]

    total = 0.0
    for ours, theirs in zip(students, teachers, strict=True):
        for p, q in zip(softmax(theirs), softmax(ours), strict=True):
            total += p * math.log(p / q)
    return total / len(students) * (temperature**2 if scaled else 1)


def loss_of(student, teacher, **given):
    return KD(*NETWORKS, **given)(only(logits=student), only(logits=teacher), LABELS)


@pytest.fixture(name="logits")
def two_networks():
    torch.manual_seed(0)
    return torch.randn(8, 20).double(), 3 * torch.randn(8, 20).double()


@pytest.mark.parametrize("temperature", [1.0, 2.0, 4.0])
@pytest.mark.parametrize("scaled", [True, False])
def test_agrees_with_the_formula_in_loops(logits, temperature, scaled):
    expected = formula(*(z.tolist() for z in logits), temperature, scaled=scaled)
    assert_loss(loss_of(*logits, temperature=temperature, t2_scale=scaled), expected, 1e-9)


def test_agrees_with_the_golden_arrays():
    arrays = golden("vrkd_kd")
    student = leaf(arrays["z_student"])
    loss = loss_of(student, arrays["z_teacher_mean"])
    loss.backward()
    assert_loss(loss, arrays["loss64__RepDistiller_DistillKL_T2"])
    assert_gradient(student, arrays["grad_z_student__RepDistiller_DistillKL_T2"])


def test_torchdistill_scales_by_t_squared_only_next_to_cross_entropy(logits):
    labels = torch.arange(8)

    def theirs(alpha):
        witness = KDLoss("m", "output", "m", "output", temperature=2.0, alpha=alpha)
        return witness({"m": {"output": logits[0]}}, {"m": {"output": logits[1]}}, labels)

    assert torch.isclose(theirs(0), loss_of(*logits, t2_scale=False), rtol=1e-9)
    assert not torch.isclose(theirs(0), loss_of(*logits), rtol=0.05)
    mixed = 0.5 * F.cross_entropy(logits[0], labels) + 0.5 * loss_of(*logits)
    assert torch.isclose(theirs(0.5), mixed, rtol=1e-9)


def test_zero_where_the_logits_agree_up_to_a_constant(logits):
    assert loss_of(logits[1], logits[1]) == 0
    shift = torch.linspace(-3, 3, 8).double()[:, None]
    assert abs(loss_of(logits[1] + shift, logits[1])) < 1e-12


def test_extreme_logits_stay_finite(logits):
    student = (1e4 * logits[0].float()).requires_grad_()
    loss = loss_of(student, 1e4 * logits[1].float())
    loss.backward()
    assert torch.isfinite(loss) and torch.isfinite(student.grad).all()


def test_networks_of_different_identities_are_refused():
    with pytest.raises(ValueError, match=r"kd .*the student has 5 and the teacher 6"):
        KD(make_widths(4, identities=5), make_widths(4, identities=6))

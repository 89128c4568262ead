import math

import pytest
import torch
from torchdistill.losses.mid_level import KDLoss

from methods.kd import KD
from methods.vrkd import VRKD
from tests.support.outputs import LABELS, assert_gradient, assert_loss, golden, leaf, only
from tests.support.outputs import widths as make_widths

NETWORKS = make_widths(4, identities=20), make_widths(8, identities=20)


def formula(students, teachers, temperature):
    """Mean divergence to the mean logits of several teachers, without T^2, entry by entry."""
    total = 0.0
    for image, ours in enumerate(students):
        classes = range(len(ours))
        theirs = [sum(t[image][k] for t in teachers) / len(teachers) for k in classes]
        p = [math.exp(z / temperature) for z in theirs]
        q = [math.exp(z / temperature) for z in ours]
        for k in classes:
            total += p[k] / sum(p) * math.log((p[k] / sum(p)) / (q[k] / sum(q)))
    return total / len(students)


def loss_of(student, teacher, **given):
    return VRKD(*NETWORKS, **given)(only(logits=student), only(logits=teacher), LABELS)


@pytest.mark.parametrize("temperature", [1.0, 2.0, 5.0])
def test_agrees_with_the_formula_in_loops_of_four_teachers(temperature):
    torch.manual_seed(0)
    student, teachers = torch.randn(6, 20).double(), torch.randn(4, 6, 20).double()
    expected = formula(student.tolist(), teachers.tolist(), temperature)
    loss = loss_of(student, teachers.mean(0), temperature=temperature, t2_scale=False)
    assert_loss(loss, expected, 1e-9)
    scaled = loss_of(student, teachers.mean(0), temperature=temperature)
    assert_loss(scaled, expected * temperature**2, 1e-9)


@pytest.mark.parametrize(
    ("scaled", "value", "gradient"),
    [
        (True, "bf_forward_timesT2", "RepDistiller_DistillKL_T2"),
        (False, "recommended_noT2_forward", "torchdistill_KDLoss_T2_alpha0"),
    ],
)
def test_agrees_with_the_golden_arrays(scaled, value, gradient):
    arrays = golden("vrkd_kd")
    student = leaf(arrays["z_student"])
    loss = loss_of(student, arrays["z_teacher4"].mean(0), t2_scale=scaled)
    loss.backward()
    assert_loss(loss, arrays[f"loss64__{value}"])
    assert_gradient(student, arrays[f"grad_z_student__{gradient}"])


@pytest.mark.parametrize(
    "reading",
    ["meanprob_forward", "eq2_literal_pT", "eq2_literal_p1", "eq2_signfixed_reverse"],
)
def test_other_readings_of_the_paper_differ(reading):
    arrays = golden("vrkd_kd")
    loss = loss_of(arrays["z_student"], arrays["z_teacher_mean"], t2_scale=False)
    assert abs(loss.item() / arrays[f"loss64__bf_{reading}"] - 1) > 5e-3


def test_torchdistill_agrees_without_the_scale():
    arrays = golden("vrkd_kd")
    student, teacher = arrays["z_student"], arrays["z_teacher_mean"]
    witness = KDLoss("m", "output", "m", "output", temperature=2.0, alpha=0)
    theirs = witness({"m": {"output": student}}, {"m": {"output": teacher}}, arrays["labels"])
    assert torch.isclose(loss_of(student, teacher, t2_scale=False), theirs, rtol=2e-5)


def test_pulls_the_student_to_the_teacher():
    arrays = golden("vrkd_kd")
    student, teacher = leaf(arrays["z_student"]), arrays["z_teacher_mean"]
    assert loss_of(teacher, teacher) == 0
    loss = loss_of(student, teacher)
    loss.backward()
    assert loss_of(student.detach() - student.grad, teacher) < loss


def test_one_teacher_makes_it_knowledge_distillation():
    torch.manual_seed(0)
    student, teacher = only(logits=torch.randn(8, 20)), only(logits=torch.randn(8, 20))
    ours, theirs = (method(*NETWORKS)(student, teacher, LABELS) for method in (VRKD, KD))
    assert torch.equal(ours, theirs)


def test_networks_of_different_identities_are_refused():
    with pytest.raises(ValueError, match=r"vrkd .*the student has 5 and the teacher 6"):
        VRKD(make_widths(4, identities=5), make_widths(4, identities=6))

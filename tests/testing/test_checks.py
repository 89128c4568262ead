"""`harness.testing` passes correct methods and names the faults of others."""

import re
import sys

import pytest
from torch import nn

from harness.cli.methods import run_method_checks
from harness.plugins.lookup import resolve_method
from harness.testing import assert_loss_conforms, check_loss
from harness.testing.scaffold import METHOD
from methods import EXTRA_METHODS, METHODS

OURS = {name: kind for name, kind in (METHODS | EXTRA_METHODS).items() if name != "none"}
CASES = [(kind, variant) for kind in OURS.values() for variant in kind.variants]


@pytest.mark.parametrize(("kind", "variant"), CASES, ids=lambda case: getattr(case, "name", case))
def test_every_method_of_ours_conforms(kind, variant):
    assert_loss_conforms(kind, variant)


class Base(METHODS["pdrd"]):
    name, label = "wrong", "Wrong"


class ForgetsToDetach(Base):
    def forward(self, student, teacher, labels):
        return (student.pooled.mean() - teacher.pooled.mean()).square()


class ChangesItsInput(Base):
    def forward(self, student, teacher, labels):
        loss = super().forward(student, teacher, labels)
        teacher.pooled.detach().clamp_(max=0.1)
        return loss


class SaysItHasNoOrder(METHODS["cckd"]):
    def __init__(self, student, teacher, *, weight: float = 1.0, variant: str = "pdrd"):
        super().__init__(student, teacher, weight=weight, variant=variant)
        self.permutation_invariant = True


class HasAnIdleParameter(Base):
    def __init__(self, student, teacher, *, weight: float = 1.0, variant: str = "original"):
        super().__init__(student, teacher, weight=weight, variant=variant)
        self.idle = nn.Linear(2, 2)


class IsAVector(Base):
    def forward(self, student, teacher, labels):
        return student.pooled.mean(1)


class WantsEqualWidths(Base):
    def forward(self, student, teacher, labels):
        return (student.pooled - teacher.pooled.detach()).square().mean()


class RootsAtZero(Base):
    def forward(self, student, teacher, labels):
        gap = student.pooled.mean(1) - teacher.pooled.detach().mean(1)
        return gap.square().sum().sqrt()


WRONG = {
    ForgetsToDetach: ("no gradient reaches the teacher", "call .detach()"),
    ChangesItsInput: ("inputs are left", "changed in place"),
    SaysItHasNoOrder: (
        "the order of the batch",
        "changes the loss, but permutation_invariant is T",
    ),
    HasAnIdleParameter: ("gradient reaches", "parameter idle.weight has no gradient"),
    IsAVector: ("the loss is a finite scalar", "shape (8,)"),
    WantsEqualWidths: ("maps of other", "RuntimeError"),
    RootsAtZero: ("finite where student and teacher agree", "a gradient is not finite"),
}


@pytest.mark.parametrize("kind", WRONG, ids=lambda kind: kind.__name__)
def test_what_is_wrong_is_found_and_said(kind):
    check, words = WRONG[kind]
    variant = "pdrd" if kind is SaysItHasNoOrder else "original"
    problems = {result.check: result.problem for result in check_loss(kind, variant)}
    (problem,) = [problem for name, problem in problems.items() if name.startswith(check)]
    assert words in problem
    with pytest.raises(
        AssertionError, match=rf"(?s){kind.__name__} does not conform\.\n.*: {check}"
    ):
        assert_loss_conforms(kind, variant)


@pytest.fixture(name="file")
def a_method_in_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    resolve_method.cache_clear()
    path = tmp_path / "stateful.py"
    path.write_text(METHOD.substitute(name="stateful", label="Stateful", module="stateful"))
    yield path
    sys.modules.pop("stateful", None)
    resolve_method.cache_clear()


def test_a_method_that_counts_its_calls_outside_its_state_fails_in_training(file, capsys):
    """Killed and resumed it starts counting anew: only a real kill finds this."""
    text = file.read_text().replace(
        "        return F.mse", "        self.calls += 1\n        return F.mse"
    )
    text = text.replace("detach()))", "detach())) / (1 + self.calls // 3)").replace(
        "        # Adapters", "        self.calls = 0\n        # Adapters"
    )
    file.write_text(text)
    assert run_method_checks(str(file)) == 1
    printed = capsys.readouterr().out
    assert "ok   alone it ends with the same bits" in printed
    assert re.search(r"FAIL killed and resumed.*\n +the weights differ: something", printed)
    assert printed.endswith("1 checks failed\n")


def test_a_method_that_is_right_conforms(capsys):
    assert run_method_checks("pdrd") == 0
    printed = capsys.readouterr().out
    assert "FAIL" not in printed and printed.endswith("pdrd: conforms\n")
    assert printed.count("ok ") == 16
    assert "0 extra parameters" in printed

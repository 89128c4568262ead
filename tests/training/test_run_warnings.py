"""Warnings in records: of any method whose term vanishes, and of what `prepare` reports."""

import json
from dataclasses import replace

import pytest
import torch

from harness.core.errors import RunInterrupted
from harness.core.progress import Reporter
from harness.core.signals import StopRequest
from harness.runs.layout import RECORD
from harness.training.run_warnings import distillation_terms, preparation_report, run_warnings
from methods import METHODS, Method
from methods.preparation import PreparationReport
from tests.support import tiny_grid


def curve(*terms):
    return [{"step": number, "distillation": term} for number, term in enumerate(terms, 1)]


def test_a_term_that_vanishes_is_reported():
    terms = [0.28, 0.1, *[5e-6] * 12]
    assert distillation_terms(curve(*terms)) == {"first": 0.28, "last": pytest.approx(5e-6)}
    (warning,) = run_warnings(None, curve(*terms))
    assert "fell from 0.28 to 5e-06, below 0.0001 of its start" in warning


@pytest.mark.parametrize(
    "terms",
    [
        [],
        [1.0],
        [0.28, *[3e-5] * 12],  # just above the limit
        [0.28, *[1e-9] * 12, *[0.1] * 10],  # it came back
        [1.0, *[1e-9, 1.0] * 6],  # such as a likelihood that changes its sign
        [-1.0, *[-0.5] * 12],
        [0.0, *[0.0] * 12],  # a weight of 0 is what was asked for
        [1.0, *[1e-9] * 5],  # shorter than what is averaged
    ],
)
def test_any_other_term_is_not(terms):
    assert run_warnings(None, curve(*terms)) == []


def test_a_negative_term_may_vanish_too():
    assert len(run_warnings(None, curve(-1.0, *[-1e-9] * 12))) == 1


def test_a_run_without_distillation_has_no_terms():
    rows = [{"step": 1, "loss": 2.0}, {"step": 2, "loss": 1.0}]
    assert distillation_terms(rows) == {} and run_warnings(None, rows) == []


class Vanishes(Method):
    """Loss that falls to a hundredth at each step."""

    name, label, paper = "vanishes", "Vanishes", None

    def __init__(self, student, teacher, *, weight: float = 1.0, variant: str = "original"):
        super().__init__(student, teacher, weight=weight, variant=variant)
        self.register_buffer("factor", torch.ones(()))
        self.register_buffer("seen", torch.zeros(()))

    def prepare(self, batches, generator):
        self.seen += sum(len(batch.logits) for batch in batches())

    def preparation_report(self):
        return PreparationReport({"seen": self.seen.item()}, ("It was prepared.",))

    def forward(self, student, teacher, labels):
        self.factor *= 0.01
        return 0 * student.pooled.mean() + self.factor.clone()


@pytest.fixture
def vanishing(monkeypatch):
    monkeypatch.setitem(METHODS, "vanishes", Vanishes)
    return ["recipe.epochs=16", "teacher_recipe.epochs=2", "recipe.hold_until=1"]


def record_of(runs, key):
    return json.loads((runs / key / RECORD).read_text())


class Interrupted(StopRequest):
    """Asks to stop after some steps."""

    def __init__(self, steps):
        super().__init__()
        self.left = steps

    @property
    def requested(self):
        self.left -= 1
        return self.left < 0


def test_a_run_has_its_warnings_in_the_record_and_prints_them(with_teacher, vanishing, capsys):
    plan = tiny_grid.grid(with_teacher, "vanishes", overrides=vanishing)
    plan = replace(plan, context=replace(plan.context, reporter=Reporter()))
    assert not tiny_grid.launch(plan).failed
    key = plan.specs[-1].key
    record, printed = record_of(with_teacher, key), capsys.readouterr().err
    assert record["preparation"] == {"seen": 32.0}
    assert record["distillation"]["first"] == pytest.approx(0.01)
    assert record["warnings"][0] == "It was prepared." and len(record["warnings"]) == 2
    assert "distillation term fell from 0.01" in record["warnings"][1]
    for warning in record["warnings"]:
        assert f"warning: {key}: {warning}" in printed


def test_a_resumed_run_has_the_same_warnings(with_teacher, tmp_path, vanishing):
    whole = tiny_grid.grid(with_teacher, "vanishes", overrides=vanishing)
    key = whole.specs[-1].key
    with pytest.raises(RunInterrupted):
        tiny_grid.launch(whole, stop=Interrupted(8))
    assert not (with_teacher / key / RECORD).exists()
    assert not tiny_grid.launch(whole).failed
    resumed = record_of(with_teacher, key)
    (with_teacher / key / RECORD).unlink()
    assert not tiny_grid.launch(whole).failed
    again = record_of(with_teacher, key)
    for name in ("preparation", "distillation", "warnings"):
        assert resumed[name] == again[name] and resumed[name]


def test_a_method_that_says_nothing_has_an_empty_report():
    assert preparation_report(None) == PreparationReport()


def test_ft_says_in_the_record_how_its_paraphraser_learned(with_teacher):
    plan, outcome = tiny_grid.run(with_teacher, "ft")
    assert not outcome.failed
    record = record_of(with_teacher, plan.specs[-1].key)
    assert set(record["preparation"]) == {"reconstruction_error", "constant_map_error"}
    assert any("paraphraser" in warning for warning in record["warnings"])  # after two batches

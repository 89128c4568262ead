"""A run that fails leaves its cohort; the others end with the bits of never having met it."""

import json
import re
import shutil
from pathlib import Path

import pytest
import torch

from harness.core.errors import DamagedFileError, RunInterrupted, SetupError
from harness.core.lease import LeaseLostError
from harness.runs.folder_state import local_state
from harness.runs.states import FailureKind
from harness.training import loop
from harness.training.failures import DivergedError, capture_failure
from harness.training.state import TrainingRun
from methods import METHODS, Method
from tests.support import tiny_grid

OTHERS = ("fitnet", "pdrd")


class Faulty(Method):
    """Fails in the way its option says, at its third step."""

    name = label = "faulty"
    paper = None

    def __init__(
        self,
        student,
        teacher,
        *,
        weight: float = 1.0,
        variant: str = "original",
        fault: str = "nan",
    ):
        super().__init__(student, teacher, weight=weight, variant=variant)
        self.fault, self.calls = fault, 0

    def prepare(self, batches, generator):
        if self.fault == "prepare":
            raise RuntimeError("no statistics today")

    def forward(self, student, teacher, labels):
        self.calls += 1
        loss = student.pooled.square().mean()
        if self.calls < 3:
            return loss
        if self.fault == "nan":
            return loss * float("nan")
        if self.fault == "memory":
            raise torch.OutOfMemoryError("tried to allocate 1 EiB")
        if self.fault == "gradient":  # the loss is finite, what it does to the weights is not
            return (student.pooled - student.pooled.detach()).sqrt().sum()
        raise ZeroDivisionError("a bug")


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (DivergedError("The loss is not finite."), "diverged", "The loss is not finite."),
        (LeaseLostError("taken over"), "lost", "taken over"),
        (torch.OutOfMemoryError("1 EiB"), "memory", "Out of memory: 1 EiB"),
        (MemoryError("1 EiB"), "memory", "Out of memory: 1 EiB"),
        (OSError(28, "No space left"), "disk", "[Errno 28] No space left"),
        (SetupError("absent"), "setup", "absent"),
        (DamagedFileError(Path("a"), "a is damaged."), "setup", "a is damaged."),
        (ValueError("a bug"), "error", "ValueError: a bug"),
    ],
)
def test_every_error_of_a_run_is_a_failure_of_one_kind(error, kind, message):
    def work():
        raise error

    failure = capture_failure(work)
    assert (failure.kind, failure.message) == (FailureKind(kind), message)
    is_expected = kind in ("diverged", "lost", "setup")
    assert ("Traceback" in failure.trace) != is_expected


@pytest.mark.parametrize("error", [RunInterrupted("stop"), KeyboardInterrupt(), SystemExit(1)])
def test_a_request_to_stop_is_no_failure_of_a_run(error):
    def work():
        raise error

    with pytest.raises(type(error)):
        capture_failure(work)


def test_work_that_succeeds_has_no_failure():
    assert capture_failure(lambda: "a value") is None


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    monkeypatch.setitem(METHODS, "faulty", Faulty)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, shared_runs):
    runs = tmp_path_factory.mktemp("undisturbed")
    for name in ("data", "cache", "synthetic"):
        shutil.copytree(shared_runs / name, runs / name)
    plan, outcome = tiny_grid.run(runs, *OTHERS)
    assert not outcome.failed
    return plan


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        ("nan", "diverged", "not finite at step 3: .*distillation nan"),
        ("gradient", "diverged", "not finite"),
        ("memory", "memory", "1 EiB"),
        ("bug", "error", "ZeroDivisionError: a bug"),
        ("prepare", "error", "no statistics today"),
    ],
)
def test_a_failing_student_leaves_the_rest_unchanged(undisturbed, with_teacher, fault, kind, words):
    methods = ("fitnet", "faulty", "pdrd")
    plan, outcome = tiny_grid.run(with_teacher, *methods, overrides=[f"faulty.fault={fault}"])
    (key,) = outcome.failed
    assert "/faulty/" in key
    failure = json.loads((with_teacher / key / "failure.json").read_text())
    assert failure["kind"] == kind
    assert re.search(words, failure["message"])
    assert failure["attempt"] == (2 if fault == "memory" else 1)  # memory: tried again alone
    assert not (with_teacher / key / "record.json").exists()
    for spec in undisturbed.cohorts[-1]:
        tiny_grid.assert_same_run(spec.key, undisturbed.runs, with_teacher)


def test_diverged_runs_are_tried_again_only_when_asked(with_teacher):
    key = next(iter(tiny_grid.run(with_teacher, "faulty")[1].failed))

    def attempts():
        return json.loads((with_teacher / key / "failure.json").read_text())["attempt"]

    _, outcome = tiny_grid.run(with_teacher, "faulty")
    assert "diverged before" in outcome.failed[key]
    assert attempts() == 1
    tiny_grid.run(with_teacher, "faulty", retry=True)
    assert attempts() == 2


def test_other_failures_are_tried_again_and_a_record_replaces_the_failure(
    with_teacher, monkeypatch
):
    key = next(
        iter(tiny_grid.run(with_teacher, "faulty", overrides=["faulty.fault=bug"])[1].failed)
    )
    monkeypatch.setattr(Faulty, "forward", lambda self, s, t, y: s.pooled.square().mean())
    _, outcome = tiny_grid.run(with_teacher, "faulty", overrides=["faulty.fault=bug"])
    assert outcome.done == [key]
    assert local_state(with_teacher / key) == "done"
    assert not (with_teacher / key / "failure.json").exists()


def test_a_failed_teacher_blocks_its_students_and_only_them(tmp_path, shared_runs, monkeypatch):
    shutil.copytree(shared_runs / "data", tmp_path / "data")
    original = TrainingRun.restore

    def restore(self, report):
        if self.spec.network == "resnet18":
            raise RuntimeError("bad day")
        original(self, report)

    monkeypatch.setattr(TrainingRun, "restore", restore)
    plan, outcome = tiny_grid.run(tmp_path, "pdrd")
    teacher, (plain, student) = plan.cohorts[0][0], plan.cohorts[1]
    assert outcome.done == [plain.key]
    assert "bad day" in outcome.failed[teacher.key]
    assert outcome.failed[student.key] == f"blocked: its teacher {teacher.key} failed"


def test_a_disk_that_fills_up_fails_the_run_and_keeps_the_last_checkpoint(
    with_teacher, monkeypatch
):
    saved = TrainingRun.save

    def save(self):
        if self.spec.method == "pdrd" and self.step == 3:
            raise OSError(28, "No space left on device")
        saved(self)

    monkeypatch.setattr(TrainingRun, "save", save)
    plan, outcome = tiny_grid.run(with_teacher, *OTHERS, interval=0)
    (key,) = outcome.unusable
    assert "/pdrd/" in key
    assert "No space left on device" in outcome.unusable[key]
    assert (with_teacher / key / "checkpoint.pt").exists()
    monkeypatch.undo()
    monkeypatch.setitem(METHODS, "faulty", Faulty)
    assert not tiny_grid.run(with_teacher, *OTHERS)[1].failed


def test_a_failure_is_on_disk_while_the_cohort_still_trains(with_teacher, monkeypatch):
    files = []
    update = loop._update

    def watched(run, *others):
        if run.spec.method == "fitnet" and run.step == 5:
            files.extend(with_teacher.glob("synthetic/faulty/*/*/failure.json"))
        return update(run, *others)

    monkeypatch.setattr(loop, "_update", watched)
    _, outcome = tiny_grid.run(with_teacher, "faulty", "fitnet")
    assert len(files) == len(outcome.failed) == 1
    assert json.loads(files[0].read_text())["attempt"] == 1  # it is not counted twice

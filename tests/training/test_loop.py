"""The training loop on random batches: steps, callbacks, failures and requests to stop."""

from dataclasses import replace

import pytest
import torch

from harness.core.errors import RunInterrupted
from harness.core.signals import StopRequest
from harness.models import build_network
from harness.training import loop
from harness.training.loop import LoopContext, compute_outputs, ignore_failure, train
from harness.training.state import TrainingRun
from methods import METHODS
from tests.support.training_runs import CPU, RECIPE, STEPS, Stream, spec, training_run


def context(**changes):
    defaults = {
        "stream": Stream(),
        "recipe": RECIPE,
        "device": CPU,
        "stop": StopRequest(),
        "workers": 0,
    }
    return LoopContext(**defaults | changes)


def weights(run):
    return {name: value.clone() for name, value in run.network.state_dict().items()}


def test_every_run_is_trained_to_the_last_step(tmp_path):
    runs = [training_run(tmp_path, seed=seed) for seed in (0, 1)]
    reports = []
    on_step = lambda done, total, note: reports.append((done, total, note))  # noqa: E731
    assert train(runs, None, context(on_step=on_step)) == {}
    assert [run.step for run in runs] == [STEPS, STEPS]
    assert [(done, total) for done, total, _ in reports] == [(n, STEPS) for n in (1, 2, 3, 4)]
    assert all(note.startswith("loss ") for _, _, note in reports)
    assert all(run.seconds > 0 for run in runs)
    assert [row["step"] for row in runs[0].curve] == [1, 2, 3, 4]
    assert {"lr", "loss", "cross_entropy", "triplet"} == runs[0].curve[0].keys() - {"step"}


def test_the_recorded_loss_is_the_sum_of_its_parts(tmp_path):
    run, teacher = training_run(tmp_path, "sp"), build_network("cnn5", "bnneck", 2, seed=9)
    train([run], teacher, context())
    for row in run.curve:
        parts = row["cross_entropy"] + row["triplet"] + row["distillation"]
        assert row["loss"] == pytest.approx(parts, rel=1e-5)


def test_the_teacher_is_frozen_and_runs_once_for_all_students(tmp_path, monkeypatch):
    runs = [training_run(tmp_path, method) for method in ("none", "sp", "pkt")]
    teacher = build_network("cnn5", "bnneck", 2, seed=9)
    before, calls = {n: value.clone() for n, value in teacher.state_dict().items()}, []
    forward = teacher.forward
    monkeypatch.setattr(teacher, "forward", lambda images: (calls.append(1), forward(images))[1])
    seen, original = [], METHODS["sp"].forward

    def spy(self, student, teacher, labels):
        seen.append((student.pooled.requires_grad, teacher.pooled.requires_grad))
        return original(self, student, teacher, labels)

    monkeypatch.setattr(METHODS["sp"], "forward", spy)
    train(runs, teacher, context())
    assert seen == [(True, False)] * STEPS
    assert len(calls) == STEPS and not teacher.training
    assert all(torch.equal(value, before[name]) for name, value in teacher.state_dict().items())


def test_without_a_distilled_run_the_teacher_does_not_run(tmp_path, monkeypatch):
    teacher = build_network("cnn5", "bnneck", 2, seed=9)
    monkeypatch.setattr(teacher, "forward", lambda _: pytest.fail("the teacher ran"))
    assert train([training_run(tmp_path)], teacher, context()) == {}


def test_runs_at_different_steps_end_with_the_bits_of_runs_side_by_side(tmp_path):
    """As after a kill between two checkpoints of a cohort: the run ahead waits for the other."""
    together = [training_run(tmp_path / "a", seed=seed) for seed in (0, 1)]
    train(together, None, context())
    apart = [training_run(tmp_path / "b", seed=seed) for seed in (0, 1)]
    stop = StopRequest()
    halfway = lambda done, total, note: setattr(stop, "requested", done >= 2)  # noqa: E731
    with pytest.raises(RunInterrupted):
        train(apart[:1], None, context(on_step=halfway, stop=stop))
    assert [run.step for run in apart] == [3, 0]
    train(apart, None, context())
    for one, other in zip(together, apart, strict=True):
        expected = weights(other)
        assert all(torch.equal(value, expected[name]) for name, value in weights(one).items())


def test_a_stop_saves_every_run_before_it_is_raised(tmp_path):
    runs = [training_run(tmp_path, seed=seed) for seed in (0, 1)]
    stop = StopRequest()
    stop.requested = True
    with pytest.raises(RunInterrupted):
        train(runs, None, context(stop=stop))
    for seed, run in enumerate(runs):
        again = training_run(tmp_path / "other", seed=seed)
        again.folder = run.folder
        again.restore(print)
        assert again.step == run.step == 1
        assert all(torch.equal(weights(again)[n], value) for n, value in weights(run).items())


@pytest.mark.parametrize(("seconds", "saves"), [(0.0, STEPS), (1e9, 0)])
def test_checkpoints_are_written_at_the_given_interval(tmp_path, monkeypatch, seconds, saves):
    count = []
    monkeypatch.setattr(TrainingRun, "save", lambda _: count.append(1))
    train([training_run(tmp_path)], None, context(checkpoint_seconds=seconds))
    assert len(count) == saves


def test_a_failure_is_reported_at_the_step_in_which_it_happened(tmp_path, monkeypatch):
    runs = [training_run(tmp_path, seed=seed) for seed in (0, 1)]
    update, events = loop._update, []

    def fail_at_the_second_step(run, *others):
        if run.spec.seed == 1 and run.step == 1:
            raise ZeroDivisionError("a bug")
        update(run, *others)

    monkeypatch.setattr(loop, "_update", fail_at_the_second_step)
    failures = train(
        runs,
        None,
        context(
            on_step=lambda done, *_: events.append(done),
            on_failure=lambda spec, failure: events.append((spec.seed, failure.kind)),
        ),
    )
    assert events == [1, (1, "error"), 2, 3, 4]
    assert list(failures) == [runs[1].spec.key]
    assert runs[0].step == STEPS and runs[1].step == 1


def test_the_loop_ends_when_every_run_has_failed(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(TrainingRun, "save", fail)
    steps = []
    context_ = context(checkpoint_seconds=0, on_step=lambda done, *_: steps.append(done))
    (failure,) = train([training_run(tmp_path)], None, context_).values()
    assert failure.kind == "disk" and steps == []


def test_an_empty_cohort_has_nothing_to_do():
    assert train([], None, context()) == {}


def test_the_learning_rate_of_each_step_reaches_the_optimiser(tmp_path):
    run = training_run(tmp_path)
    train([run], None, context())
    rates = [row["lr"] for row in run.curve]
    assert rates[:3] == pytest.approx([RECIPE.lr] * 3)  # constant for an epoch of two steps
    assert rates[3] < RECIPE.lr and run.optimiser.param_groups[0]["lr"] == rates[3]


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_outputs_are_float32_in_every_precision(precision):
    recipe = replace(RECIPE, precision=precision)
    network = build_network("cnn5", "bnneck", 2).eval()
    images = torch.randn(2, 3, 32, 16)
    outputs = compute_outputs(network, images, context(recipe=recipe))
    tensors = [*outputs.maps, outputs.pooled, outputs.embedding, outputs.logits]
    assert {tensor.dtype for tensor in tensors} == {torch.float32}


def test_ignoring_failures_takes_the_same_arguments():
    assert ignore_failure(spec(), None) is None

"""Finished runs that other code made are trained again; their results last until the new ones."""

import json
import shutil
import signal
import time
from dataclasses import replace

import pytest

from harness.execution.in_process import InProcessExecutor
from harness.runs.origin import code_digests
from tests.support import tiny_grid
from tests.support.run_folders import change

METHODS = ("kd", "ft")  # FT prepares on the teacher


@pytest.fixture(name="runs", scope="module")
def finished_runs(tmp_path_factory):
    """A teacher and students of this code; only to be copied."""
    runs = tmp_path_factory.mktemp("again")
    _, outcome = tiny_grid.run(runs, *METHODS)
    assert not outcome.failed
    return runs


@pytest.fixture(name="copy")
def a_copy_of_the_runs(runs, tmp_path):
    shutil.copytree(runs, tmp_path, dirs_exist_ok=True)
    return tmp_path


def again(runs, **context):
    plan = tiny_grid.grid(runs, *METHODS, again=True)
    executor = InProcessExecutor(replace(plan.context, **context), plan.open_data, again=True)
    return plan, executor.launch(plan.cohorts)


def spoil(runs, *specs, **code):
    """Let other code have made some runs."""
    for spec in specs:
        change(runs / spec.key / "record.json", code={**code_digests(), **code})


def code_of(runs, spec):
    return json.loads((runs / spec.key / "record.json").read_text())["code"]


def test_records_say_what_made_them_and_the_same_code_trains_nothing_again(copy):
    plan, outcome = again(copy)
    assert all(code_of(copy, spec) == code_digests() for spec in plan.specs)
    assert plan.notes == () and len(outcome.done_before) == len(plan.specs) == 4
    assert not list(copy.rglob("replaced"))


def test_runs_of_other_code_are_named_and_trained_again_on_request(copy, runs):
    specs = tiny_grid.grid(copy, *METHODS).specs
    spoil(copy, *specs, training="x")
    plan, outcome = tiny_grid.run(copy, *METHODS)
    assert plan.notes == (
        "4 runs were done before by other code (training code differs); --again trains them again",
    )
    assert len(outcome.done_before) == 4 and not outcome.done
    plan, outcome = again(copy)
    assert len(outcome.done) == 4 and not outcome.failed and not outcome.unusable
    for spec in plan.specs:
        tiny_grid.assert_same_run(spec.key, copy, runs)
        assert code_of(copy, spec) == code_digests()
        former = json.loads((copy / spec.key / "replaced" / "1" / "record.json").read_text())
        assert former["code"]["training"] == "x"
        assert not (copy / spec.key / "again").exists()
    assert len(again(copy)[1].done_before) == 4


def test_students_of_a_teacher_that_became_another_one_are_trained_again(copy):
    specs = tiny_grid.grid(copy, *METHODS).specs
    (teacher,) = specs[-1].teachers
    students = [spec for spec in specs if spec.teachers]
    for student in students:  # as if the teacher's weights had been these
        change(copy / student.key / "record.json", teachers=["other weights"])
    _, outcome = again(copy)
    assert teacher.key in outcome.done_before
    assert sorted(outcome.done) == sorted(student.key for student in students)


def test_a_kill_keeps_the_result_and_the_next_start_goes_on(copy, runs):
    specs = tiny_grid.grid(copy, *METHODS).specs
    spoil(copy, *specs, models="x")
    arguments = ["--again", "--checkpoint-every", "0"]
    process = tiny_grid.start(copy, *METHODS, arguments=arguments)
    teacher = copy / specs[0].key
    while not list(copy.glob("*/*/*/*/again/checkpoint.pt")) and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    for spec in specs:
        assert (copy / spec.key / "record.json").exists() or (
            teacher / "again/record.json"
        ).exists()
    _, outcome = again(copy)
    assert not outcome.failed
    for spec in specs:
        tiny_grid.assert_same_run(spec.key, copy, runs)
        assert code_of(copy, spec) == code_digests()


def test_a_result_that_waits_for_its_place_gets_it_without_training(copy, runs):
    specs = tiny_grid.grid(copy, *METHODS).specs
    folder = copy / specs[-1].key
    (folder / "again").mkdir()
    for name in ("model.pt", "per_query.npz", "curve.csv", "record.json"):
        (folder / name).rename(folder / "again" / name)
    _, outcome = tiny_grid.run(copy, *METHODS)
    assert len(outcome.done_before) == 4
    tiny_grid.assert_same_run(specs[-1].key, copy, runs)


def test_a_failure_leaves_the_former_result(copy, runs):
    specs = tiny_grid.grid(copy, *METHODS).specs
    student = specs[-1]
    spoil(copy, student, training="x")
    (copy / student.teachers[0].key / "model.pt").write_bytes(b"damaged")
    _, outcome = again(copy)
    assert student.key in outcome.failed | outcome.unusable
    assert not (copy / student.key / "failure.json").exists()
    tiny_grid.assert_same_run(student.key, copy, runs)

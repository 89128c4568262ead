"""A finished teacher whose network or record is damaged: named, and only its students fail."""

import json
import shutil

import pytest

from harness.core.errors import ExitCode
from harness.core.files import read_json
from harness.runs.layout import FAILURE, MODEL, RECORD
from tests.support import tiny_grid
from tests.support.command_line import invoke
from tests.support.run_folders import change

RESULTS = [None, [], {"steps": 1}, {"steps": 1, "model": 5, "evaluations": {}}]


@pytest.fixture
def damaged(with_teacher):
    """A plan of a plain and a distilled student whose teacher has one flipped bit."""
    plan = tiny_grid.grid(with_teacher, "kd")
    path = with_teacher / plan.cohorts[0][0].key / MODEL
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)
    return plan, path


def test_only_its_students_fail_until_it_is_trained_again(damaged, shared_runs):
    plan, path = damaged
    teacher, (plain, student) = plan.cohorts[0][0], plan.cohorts[1]
    outcome = tiny_grid.launch(plan)
    assert outcome.done == [plain.key]  # it shares the cohort and needs no teacher
    assert outcome.done_before == [teacher.key]
    assert list(outcome.unusable) == [student.key]
    reason = outcome.unusable[student.key]
    assert f"The teacher cannot be used: {path} is damaged" in reason
    assert f"To train the run again, remove {path.parent}" in reason
    assert outcome.exit_code == ExitCode.ENVIRONMENT
    failure = read_json(plan.runs / student.key / FAILURE)
    assert (failure["kind"], failure["message"]) == ("setup", reason)
    assert path.exists()  # only the user removes a network

    again = tiny_grid.launch(tiny_grid.grid(plan.runs, "kd"))
    assert again.unusable == outcome.unusable and not again.done  # it is named each time

    shutil.rmtree(path.parent)
    assert len(tiny_grid.launch(tiny_grid.grid(plan.runs, "kd")).done) == 2
    for spec in plan.specs:
        tiny_grid.assert_same_run(spec.key, shared_runs, plan.runs)
    assert not (plan.runs / student.key / FAILURE).exists()


def test_the_command_goes_on_names_the_file_and_exits_3(damaged):
    plan, path = damaged
    process = tiny_grid.start(plan.runs, "kd")
    output, errors = process.communicate(timeout=200)
    assert process.returncode == ExitCode.ENVIRONMENT, errors
    assert f"{path} is damaged" in errors
    assert "Traceback" not in output + errors
    assert (plan.runs / plan.cohorts[1][0].key / RECORD).exists()


@pytest.mark.parametrize("result", RESULTS)
def test_a_record_of_another_form_is_named_and_the_others_go_on(with_teacher, result):
    plan = tiny_grid.grid(with_teacher, "kd")
    teacher, (plain, student) = plan.cohorts[0][0], plan.cohorts[1]
    path = with_teacher / teacher.key / RECORD
    change(path, result=result)
    outcome = tiny_grid.launch(plan)
    assert outcome.done == [plain.key]
    assert list(outcome.unusable) == [teacher.key]
    assert f"{path} is damaged (" in outcome.unusable[teacher.key]
    assert list(outcome.failed) == [student.key] and teacher.key in outcome.failed[student.key]
    assert outcome.exit_code == ExitCode.ENVIRONMENT
    assert json.loads(path.read_text())["result"] == result


def test_a_record_that_loses_its_form_during_the_run_fails_only_its_students(
    with_teacher, monkeypatch
):
    plan = tiny_grid.grid(with_teacher, "kd")
    teacher, (plain, student) = plan.cohorts[0][0], plan.cohorts[1]
    change(with_teacher / teacher.key / RECORD, result={})
    monkeypatch.setattr(plan, "cohorts", plan.cohorts[1:])
    outcome = tiny_grid.launch(plan)
    assert outcome.done == [plain.key]
    assert "The teacher cannot be used: " in outcome.unusable[student.key]
    assert f"{RECORD} is damaged (" in outcome.unusable[student.key]


@pytest.mark.parametrize("verb", ["score", "export-embeddings", "status"])
def test_commands_on_a_record_of_another_form_name_it_and_exit_3(with_teacher, verb):
    key = tiny_grid.grid(with_teacher, "kd").cohorts[0][0].key
    path = with_teacher / key / RECORD
    change(path, result={"steps": 1})
    done = invoke(verb, key, "--runs", with_teacher)
    assert done.returncode == ExitCode.ENVIRONMENT
    assert f"{path} is damaged (its result has no model" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr

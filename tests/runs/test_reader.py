"""One run as its folder describes it, whole or damaged."""

import json
import os

import pytest

from harness.runs.reader import load_curve, load_run
from tests.support.records import done, draw, failed, record, spec, teacher_spec, write


def test_a_finished_run(tmp_path):
    teacher = teacher_spec()
    made = spec("pdrd", 1, [teacher])
    content = record(made, draw(0.5, 0.7), notes=["One."], teachers=["fe01"])
    content["result"]["evaluations"]["b"] = [draw(0.2, 0.4), draw(0.6, 0.9)]
    write(tmp_path, content)
    run = load_run(tmp_path, made["key"])
    assert run.status == "done" and run.key == made["key"] and run.notes == ["One."]
    assert run.scores()["test"] == pytest.approx({"mAP": 50, "R1": 70})
    assert run.scores()["b"] == pytest.approx({"mAP": 40, "R1": 65})
    assert run.environment == {"commit": "ab"} and run.teacher_weights == ["fe01"]
    assert [one["key"] for one in run.teachers] == [teacher["key"]]


def test_warnings_about_the_training_are_notes(tmp_path):
    made = spec("ft", 1, [teacher_spec()])
    write(tmp_path, record(made, draw(0.5, 0.7), notes=["One."], warnings=["Two."]))
    assert load_run(tmp_path, made["key"]).notes == ["One.", "Two."]


def test_runs_without_a_result(tmp_path):
    made = failed(tmp_path, spec("sp"))
    assert load_run(tmp_path, made["key"]).status == "failed"
    other = spec("at", 3, [teacher_spec()])
    folder = tmp_path / other["key"]
    folder.mkdir(parents=True)
    with pytest.raises(ValueError, match=f"{folder} cannot be read as a run: .*No such file"):
        load_run(tmp_path, other["key"])
    (folder / "spec.json").write_text(json.dumps(other))
    run = load_run(tmp_path, other["key"])
    assert run.status == "not done" and run.scores() == {} and run.spec["seed"] == 3
    assert run.teacher_weights == [None]


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"spec": 3}',
        '{"spec": {"dataset": "../x"}}',
        '{"spec": {}, "result": {"evaluations": {"test": [3]}}}',
        '{"spec": {}, "result": {"evaluations": {"test": []}}}',
    ],
)
def test_damage_is_one_sentence(tmp_path, text):
    made = done(tmp_path, spec(), 0.5)
    (tmp_path / made["key"] / "record.json").write_text(text)
    with pytest.raises(ValueError, match="cannot be read as a run: .*(it|its) "):
        load_run(tmp_path, made["key"])


def test_a_curve(tmp_path):
    (tmp_path / "curve.csv").write_text("step,lr,loss,distillation\n1,0.1,7.5,\n4,0.2,7.25,nan\n")
    found = load_curve(tmp_path)
    assert found[1] == {"lr": 0.1, "loss": 7.5}
    assert found[4]["loss"] == 7.25 and found[4]["distillation"] != found[4]["distillation"]


TEXTS = [None, "", "\0" * 9, "step,loss\n", "a,b\n1,2\n", "step,loss\nx,1\n", "step,loss\n1,2,3\n"]


@pytest.mark.parametrize("text", TEXTS)
def test_a_damaged_curve(tmp_path, text):
    if text is not None:
        (tmp_path / "curve.csv").write_text(text)
    with pytest.raises(ValueError, match=r"curve.csv is (damaged|missing)"):
        load_curve(tmp_path)


def test_a_curve_that_is_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "curve.csv")
    with pytest.raises(ValueError, match=r"curve.csv is a pipe, not a file: move it away"):
        load_curve(tmp_path)

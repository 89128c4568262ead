"""Finished runs that differ from planned ones in one field."""

import json
from dataclasses import replace

import pytest

from harness.planning.similar_runs import describe_similar_runs
from harness.runs.layout import RECORD, SPEC
from harness.runs.spec import Recipe, RunSpec

RECIPE = Recipe(epochs=4, warmup_epochs=1, hold_until=2)
TEACHER = RunSpec("d", "none", "resnet101", (), 0, RECIPE, threads=2)
PLAIN = RunSpec("d", "none", "resnet18", (), 0, RECIPE, threads=2)
SP = RunSpec("d", "sp", "resnet18", (TEACHER,), 0, RECIPE, threads=2)
PLAN = [TEACHER, PLAIN, SP]


def finish(runs, *specs, content=None):
    for spec in specs:
        folder = runs / spec.key
        folder.mkdir(parents=True)
        (folder / SPEC).write_text(json.dumps(spec.as_json() if content is None else content))
        (folder / RECORD).write_text("{}")


def changed(**fields):
    """The plan with other fields, of the teacher as well."""
    teacher = replace(TEACHER, **fields)
    return teacher, replace(PLAIN, **fields), replace(SP, teachers=(teacher,), **fields)


def test_runs_with_other_threads(tmp_path):
    finish(tmp_path, *changed(threads=1))
    (note,) = describe_similar_runs(PLAN, tmp_path)
    beginning, _, end = note.partition(": ")
    assert beginning == "3 finished runs differ from the plan in threads only (1, planned 2)"
    assert end.endswith(" and 2 more; to use them, pass --threads 1")


@pytest.mark.parametrize(
    ("fields", "advice"),
    [
        ({"head": "fc256"}, "in head only (fc256, planned bnneck): .*pass --head fc256"),
        ({"device": "cuda"}, "in device only (cuda, planned cpu): .*pass --device cuda"),
        ({"recipe": replace(RECIPE, lr=0.5)}, "in recipe.lr only (0.5, planned 0.02)"),
        (
            {"recipe": replace(RECIPE, milestones=(1.0, 2.0))},
            "pass --set recipe.milestones=1.0,2.0",
        ),
        ({"fingerprint": "ab"}, "name their images with --data-root DIR"),
        ({"source": "ab"}, "go back to the method's code as it was"),
        ({"architecture": "ab"}, "in architecture only (ab, planned )"),
    ],
)
def test_each_field_has_its_advice(tmp_path, fields, advice):
    finish(tmp_path, changed(**fields)[1])
    (note,) = describe_similar_runs(PLAN, tmp_path)
    for part in advice.split(".*"):
        assert part in note


def test_times_of_the_schedule_follow_the_epochs(tmp_path):
    finish(
        tmp_path, replace(PLAIN, recipe=replace(RECIPE, epochs=8, warmup_epochs=2, hold_until=4))
    )
    (note,) = describe_similar_runs(PLAN, tmp_path)
    assert "in recipe.epochs only (8, planned 4)" in note and "--set recipe.epochs=8" in note


def test_options_of_a_method(tmp_path):
    finish(tmp_path, replace(SP, options=(("weight", 2.0),)))
    (note,) = describe_similar_runs(PLAN, tmp_path)
    assert "in sp.weight only (2.0, planned the default)" in note
    planned = [replace(SP, options=(("weight", 3.0),))]
    finish(tmp_path / "other", SP)
    (note,) = describe_similar_runs(planned, tmp_path / "other")
    assert "leave out --set sp.weight" in note


def test_another_teacher(tmp_path):
    other = replace(TEACHER, recipe=replace(RECIPE, lr=0.1))
    finish(tmp_path, other, replace(SP, teachers=(other,)))
    of_teacher, of_student = sorted(describe_similar_runs(PLAN, tmp_path), key=len, reverse=True)
    assert "in the teacher's recipe.lr only (0.1, planned 0.02)" in of_teacher
    assert f"pass --teacher-run {other.key} or --set teacher_recipe.lr=0.1" in of_teacher
    assert "in teacher only: d/sp/" in of_student
    assert of_student.endswith(f"pass --teacher-run {other.key}")


def test_one_sentence_for_each_field(tmp_path):
    finish(tmp_path, *(replace(PLAIN, threads=threads) for threads in (3, 4, 5)))
    (note,) = describe_similar_runs(PLAN, tmp_path)
    assert note.startswith("1 finished run differs from the plan in threads only (")
    assert note.endswith("; 2 more have other values")


def test_what_is_not_worth_a_word(tmp_path):
    finish(tmp_path, replace(PLAIN, seed=1))  # another seed is no mistake
    finish(tmp_path, replace(PLAIN, head="fc256", threads=1))  # two fields
    finish(tmp_path, replace(PLAIN, network="resnet34"), replace(PLAIN, dataset="e"))
    assert describe_similar_runs(PLAN, tmp_path) == []


def test_planned_runs_that_are_done_need_no_others(tmp_path):
    finish(tmp_path, *changed(threads=1), *PLAN)
    assert describe_similar_runs(PLAN, tmp_path) == []


def test_folders_that_hold_anything_else_are_skipped(tmp_path):
    base = changed(threads=1)[1]
    for number, content in enumerate(
        [{}, [], "x", {"recipe": 1}, base.as_json() | {"head": "../x"}]
    ):
        finish(tmp_path, replace(base, threads=3 + number), content=content)
    assert describe_similar_runs(PLAN, tmp_path) == []


def test_values_of_files_cannot_become_commands(tmp_path):
    finish(tmp_path, replace(PLAIN, head="x; reboot"))
    for note in describe_similar_runs(PLAN, tmp_path):
        assert "--head 'x; reboot'" in note

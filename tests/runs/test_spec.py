"""Specifications of runs: keys, rules of the recipe, and their JSON."""

import json
from dataclasses import fields, replace

import pytest

from harness.runs import spec
from harness.runs.spec import Recipe, RunSpec
from harness.runs.stored_spec import check_spec

TEACHER = RunSpec("msmt17", "none", "resnet101", (), 0, Recipe())
STUDENT = RunSpec("msmt17", "pdrd", "resnet18", (TEACHER,), 0, Recipe())


def test_equal_specs_share_a_key():
    assert STUDENT.key == replace(STUDENT).key
    assert STUDENT.key.startswith("msmt17/pdrd/resnet101-resnet18/seed0-")
    assert TEACHER.key.startswith("msmt17/none/resnet101/seed0-")


def test_keys_of_the_first_version_stay():
    """They name the folders of all runs that exist; a change here loses every one of them."""
    stepped = Recipe(schedule="steps", milestones=(40.0, 60.5))
    four = replace(
        STUDENT,
        teachers=(TEACHER,) * 4,
        options=(("weight", 1.0), ("variant", "x")),
        recipe=stepped,
        device="cuda",
    )
    assert TEACHER.key == "msmt17/none/resnet101/seed0-452eeee2"
    assert STUDENT.key == "msmt17/pdrd/resnet101-resnet18/seed0-03b0cae8"
    assert four.key == "msmt17/pdrd/4xresnet101-resnet18/seed0-91a20885"


def test_runs_of_a_teacher_of_another_size_are_not_those_of_the_first_version():
    """Those were taught on images of the student's size, so they are other runs."""
    larger = replace(STUDENT, teachers=(replace(TEACHER, recipe=Recipe(height=320, width=160)),))
    assert larger.key != "msmt17/pdrd/resnet101-resnet18/seed0-c0176b19"
    assert larger.teacher_size == (320, 160) and STUDENT.teacher_size is None
    assert RunSpec.from_json(json.loads(json.dumps(larger.as_json()))) == larger


def test_a_later_field_is_left_out_at_its_default():
    """Runs of a version that did not know it have the same key and JSON."""
    plain = STUDENT.as_json()
    assert "erase_value" not in plain["recipe"]
    assert "erase_value" not in plain["teachers"][0]["recipe"]
    other = replace(STUDENT, recipe=Recipe(erase_value="imagenet-mean"))
    assert other.as_json()["recipe"]["erase_value"] == "imagenet-mean"
    assert "erase_value" not in other.as_json()["teachers"][0]["recipe"]
    assert RunSpec.from_json(json.loads(json.dumps(other.as_json()))) == other
    for told in (STUDENT, other):
        check_spec(json.loads(json.dumps(told.as_json())), told.key)


def test_a_changed_network_is_a_field_of_its_run_and_of_its_students():
    changed = replace(TEACHER, architecture="0123456789abcdef")
    taught = replace(STUDENT, teachers=(changed,))
    assert len({TEACHER.key, changed.key}) == len({STUDENT.key, taught.key}) == 2
    assert "architecture" not in json.dumps(STUDENT.as_json())
    for spec_ in (changed, taught, STUDENT):
        assert RunSpec.from_json(json.loads(json.dumps(spec_.as_json()))) == spec_


def test_names_are_readable_and_fit_into_a_path():
    outside = replace(STUDENT, method="my/package.module:Loss")
    assert outside.method_folder == "my-package.module-Loss"
    assert outside.key.startswith("msmt17/my-package.module-Loss/")
    assert STUDENT.name == "msmt17/pdrd/resnet101-resnet18/seed0"


CHANGES = {
    "dataset": "market1501",
    "method": "sp",
    "network": "resnet34",
    "teachers": (),
    "seed": 1,
    "recipe": Recipe(epochs=120),
    "options": (("weight", 1.0),),
    "head": "fc256",
    "fingerprint": "ab",
    "weights": "cd",
    "source": "ef",
    "device": "cuda",
    "threads": 3,
    "architecture": "0123456789abcdef",
}


@pytest.mark.parametrize("field", [field.name for field in fields(RunSpec)])
def test_every_field_changes_the_key(field):
    assert replace(STUDENT, **{field: CHANGES[field]}).key != STUDENT.key


@pytest.mark.parametrize("field", [field.name for field in fields(Recipe)])
def test_every_field_of_the_recipe_changes_the_key(field):
    value = getattr(Recipe(), field)
    words = {
        "precision": "bf16",
        "pretrained": "none",
        "schedule": "steps",
        "milestones": (60.0,),
        "sampling": "images",
        "last_stride": 2,
        "stem": "2x2",
        "distillation_batches": "separate",
        "erase_value": "imagenet-mean",
    }
    other = words[field] if field in words else value + 1 if value > 1 else value / 2
    recipe = Recipe(triplet_weight=0) if field == "sampling" else Recipe()
    before = replace(STUDENT, recipe=recipe)
    assert replace(before, recipe=replace(recipe, **{field: other})).key != before.key


def test_a_retrained_teacher_changes_the_students_key():
    retrained = replace(TEACHER, recipe=replace(Recipe(), epochs=120))
    assert replace(STUDENT, teachers=(retrained,)).key != STUDENT.key


def test_a_raised_training_version_changes_every_key(monkeypatch):
    before = STUDENT.key
    monkeypatch.setattr(spec, "TRAINING_VERSION", spec.TRAINING_VERSION + 1)
    assert STUDENT.key != before


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("epochs", 0),
        ("flip", 1.5),
        ("hold_until", 150),
        ("precision", "fp8"),
        ("images_each", 1),
        ("pretrained", "yes"),
        ("erase_value", "mean"),
        ("momentum", -1),
    ],
)
def test_an_impossible_recipe_is_refused_by_name(field, value):
    with pytest.raises(ValueError, match=rf"recipe\.{field} is {value}; it must be"):
        Recipe(**{field: value})


@pytest.mark.parametrize("field", [field.name for field in fields(RunSpec)])
def test_a_spec_comes_back_from_its_json_with_its_key(field):
    before = replace(STUDENT, **{field: CHANGES[field]})
    stepped = replace(before.recipe, schedule="steps", milestones=(40.0, 60.5))
    four = replace(before, teachers=(TEACHER,) * 4)
    for told in (before, replace(before, recipe=stepped), four):
        again = RunSpec.from_json(json.loads(json.dumps(told.as_json())))
        assert again == told
        assert again.key == told.key
        assert again.as_json() == told.as_json()


def test_the_json_of_another_version_is_refused(monkeypatch):
    told = STUDENT.as_json()
    with pytest.raises(ValueError, match="not those of this version .*'colour'"):
        RunSpec.from_json(told | {"colour": 1})
    with pytest.raises(ValueError, match="not those of this version .*'recipe'"):
        RunSpec.from_json({name: value for name, value in told.items() if name != "recipe"})
    with pytest.raises(ValueError, match="its key in this version is msmt17/pdrd/"):
        RunSpec.from_json(told | {"seed": 0, "network": "resnet34"})
    monkeypatch.setattr(spec, "TRAINING_VERSION", spec.TRAINING_VERSION + 1)
    with pytest.raises(ValueError, match="its key in this version is msmt17/"):
        RunSpec.from_json(told)

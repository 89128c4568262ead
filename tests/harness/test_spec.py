from dataclasses import fields, replace

import pytest

from harness import spec
from harness.spec import Recipe, RunSpec

TEACHER = RunSpec("msmt17", "none", "resnet101", (), 0, Recipe())
STUDENT = RunSpec("msmt17", "pdrd", "resnet18", (TEACHER,), 0, Recipe())


def test_equal_specs_share_a_key():
    assert STUDENT.key == replace(STUDENT).key
    assert STUDENT.key.startswith("msmt17/pdrd/resnet101-resnet18/seed0-")
    assert TEACHER.key.startswith("msmt17/none/resnet101/seed0-")


CHANGES = {
    "dataset": "market1501", "method": "sp", "network": "resnet34", "teachers": (), "seed": 1,
    "recipe": Recipe(epochs=120), "options": (("weight", 1.0),), "head": "fc256",
    "fingerprint": "ab", "weights": "cd", "source": "ef", "device": "cuda", "threads": 3,
}  # fmt: skip


@pytest.mark.parametrize("field", [field.name for field in fields(RunSpec)])
def test_every_field_changes_the_key(field):
    assert replace(STUDENT, **{field: CHANGES[field]}).key != STUDENT.key


@pytest.mark.parametrize("field", [field.name for field in fields(Recipe)])
def test_every_field_of_the_recipe_changes_the_key(field):
    value = getattr(Recipe(), field)
    words = {
        "precision": "bf16", "pretrained": "none", "schedule": "steps", "milestones": (60.0,),
        "sampling": "images", "last_stride": 2, "stem": "2x2", "distillation_batches": "separate",
    }  # fmt: skip
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
    [("epochs", 0), ("flip", 1.5), ("hold_until", 150), ("precision", "fp8"), ("images_each", 1),
     ("pretrained", "yes"), ("momentum", -1)],
)  # fmt: skip
def test_an_impossible_recipe_is_refused_by_name(field, value):
    with pytest.raises(ValueError, match=rf"recipe\.{field} is {value}; it must be"):
        Recipe(**{field: value})

"""`--set recipe.epochs=60` on every dataset: times that no longer fit are scaled, others stay."""

from dataclasses import replace

import pytest

from harness.core.errors import UsageError
from harness.core.yaml import config_names
from harness.planning.names import resolve_methods
from harness.planning.overrides import override_spec, resolve_settings
from harness.planning.schedule import merge_recipe
from harness.planning.schema import StudyFile, load_dataset, load_study
from harness.runs.spec import Recipe, RunSpec
from tests.support import tiny_grid

PERSONS = ("market1501", "dukemtmc", "msmt17", "msmt17-train")
SCALED_TO_60 = (
    "recipe: schedule scaled to 60 epochs: warmup_epochs 4 (was 10), hold_until 24 (was 60)"
)


def settle(dataset, *overrides, study=None):
    files = [load_dataset(dataset), *([load_study(study)] if study else [])]
    return resolve_settings(files, overrides)


def times(recipe):
    return recipe.epochs, recipe.warmup_epochs, recipe.hold_until


@pytest.mark.parametrize("dataset", config_names("dataset"))
def test_sixty_epochs_on_every_dataset(dataset):
    settings, usual = settle(dataset, "recipe.epochs=60"), settle(dataset)
    if dataset in PERSONS:
        assert times(settings.recipe) == times(settings.teacher_recipe) == (60, 4, 24)
        assert settings.notes == (SCALED_TO_60,)
    else:  # 60 epochs leave room for the times of these files
        assert settings.recipe == replace(usual.recipe, epochs=60)
        assert settings.notes == ()


@pytest.mark.parametrize("epochs", [1, 2, 3, 7, 10, 30, 59, 60, 61, 150, 500])
@pytest.mark.parametrize("dataset", config_names("dataset"))
def test_any_number_of_epochs_on_every_dataset(dataset, epochs):
    """Recipes that need no scaling have the values, hence the keys, of versions without it."""
    settings, usual = settle(dataset, f"recipe.epochs={epochs}"), settle(dataset).recipe
    if usual.hold_until < epochs:
        assert settings.recipe == replace(usual, epochs=epochs)
        assert not any(note.startswith("recipe:") for note in settings.notes)
    else:
        assert settings.recipe.warmup_epochs <= settings.recipe.hold_until < epochs
        assert settings.recipe.warmup_epochs > 0
        (note,) = (note for note in settings.notes if note.startswith("recipe:"))
        assert note.startswith(f"recipe: schedule scaled to {epochs} epoch")


@pytest.mark.parametrize(
    ("epochs", "expected"),
    [(75, (5, 40)), (50, (3, 27)), (7, (0.467, 4)), (2, (0.133, 1)), (1, (0.0667, 0.533))],
)
def test_whole_epochs_stay_whole_but_never_become_none(epochs, expected):
    file = {"epochs": 150, "warmup_epochs": 10.0, "hold_until": 80.0}
    recipe, note = merge_recipe([file, {"epochs": epochs}])
    assert (recipe["warmup_epochs"], recipe["hold_until"]) == expected
    assert note.endswith(f"hold_until {expected[1]:g} (was 80)")


@pytest.mark.parametrize("study", ["vrkd", "vrkd-temperature-and-weight"])
@pytest.mark.parametrize("dataset", ["veri776", "vehicleid", "market1501"])
def test_milestones_that_are_not_reached_are_noted_and_keep_their_key(study, dataset):
    settings = settle(dataset, "recipe.epochs=60", study=study)
    usual = settle(dataset, study=study)
    assert settings.recipe == replace(usual.recipe, epochs=60)
    assert settings.notes == (
        "recipe: milestones 60,90,110 are not reached in 60 epochs; to scale them, give "
        "milestones=30,45,55",
    )
    given = ["recipe.epochs=60", "recipe.milestones=30,45,55"]
    assert settle(dataset, *given, study=study).notes == ()
    assert settle(dataset, "recipe.epochs=200", study=study).notes == ()


@pytest.mark.parametrize("study", config_names("study"))
def test_sixty_epochs_of_every_study(study):
    file = load_study(study)
    settings = settle(file.dataset or "market1501", "recipe.epochs=60", study=study)
    assert settings.recipe.epochs == 60


def test_times_that_are_given_are_never_changed():
    assert times(settle("market1501", "recipe.epochs=60", "recipe.hold_until=50").recipe) == (
        60,
        10,
        50,
    )
    scaled = settle("market1501", "recipe.hold_until=5", "recipe.epochs=60")
    assert times(scaled.recipe) == (60, 4, 5)
    assert scaled.notes == ("recipe: schedule scaled to 60 epochs: warmup_epochs 4 (was 10)",)
    with_decay = settle("market1501", "recipe.epochs=60", "recipe.decay_start_epoch=50")
    assert times(with_decay.recipe) == (60, 10, 50)


@pytest.mark.parametrize(
    "overrides",
    [
        ["recipe.epochs=60", "recipe.warmup_epochs=30"],
        ["recipe.epochs=60", "recipe.hold_until=60"],
        ["recipe.epochs=60", "recipe.warmup_epochs=30", "recipe.hold_until=20"],
        ["recipe.warmup_epochs=70"],
        ["recipe.epochs=300", "recipe.warmup_epochs=70"],
    ],
)
def test_where_nothing_can_be_scaled_one_message_names_all_three(overrides):
    with pytest.raises(UsageError) as error:
        settle("market1501", *overrides)
    (problem,) = error.value.problems
    assert "recipe.hold_until is " in problem
    assert "must be warmup_epochs (" in problem and "and below epochs (" in problem


def test_teachers_are_scaled_by_themselves():
    settings = settle("market1501", "teacher_recipe.epochs=30")
    assert times(settings.recipe) == (150, 10, 60)
    assert times(settings.teacher_recipe) == (30, 2, 12)
    assert settings.notes == (
        "teacher_recipe: schedule scaled to 30 epochs: warmup_epochs 2 (was 10), hold_until 12 "
        "(was 60)",
    )
    both = settle("market1501", "recipe.epochs=60", "teacher_recipe.epochs=30")
    assert times(both.recipe) == (60, 4, 24) and times(both.teacher_recipe) == (30, 2, 12)
    assert [note.partition(":")[0] for note in both.notes] == ["recipe", "teacher_recipe"]


def test_a_file_that_changes_only_the_epochs_is_scaled_too():
    study = StudyFile.model_validate({"recipe": {"epochs": 30}, "sweep": {"recipe.epochs": [60]}})
    files = [load_dataset("market1501"), study]
    assert times(resolve_settings(files, []).recipe) == (30, 2, 12)
    (swept,) = study.sweep_points()
    assert times(resolve_settings(files, swept).recipe) == (60, 4, 24)
    stated = StudyFile.model_validate({"recipe": {"epochs": 30, "hold_until": 20}})
    assert times(resolve_settings([load_dataset("market1501"), stated], []).recipe) == (30, 10, 20)


def test_scaled_times_give_the_key_of_the_same_times_given():
    scaled = settle("market1501", "recipe.epochs=60").recipe
    given = ["recipe.epochs=60", "recipe.warmup_epochs=4", "recipe.hold_until=24"]
    spec = RunSpec("market1501", "none", "resnet18", (), 0, scaled)
    assert spec.key == replace(spec, recipe=settle("market1501", *given).recipe).key


def test_a_retry_with_fewer_epochs():
    spec = RunSpec("market1501", "kd", "resnet18", (), 0, settle("market1501").recipe)
    (method,) = resolve_methods(["kd"])
    changed = override_spec(spec, ["recipe.epochs=60"], method).recipe
    assert times(changed) == (60, 4, 24)
    assert changed == settle("market1501", "recipe.epochs=60").recipe


def test_the_plan_contains_the_notes(tmp_path):
    plan = tiny_grid.grid(tmp_path, "kd", overrides=["recipe.epochs=1"])
    assert plan.notes == (
        "synthetic: recipe: schedule scaled to 1 epoch: warmup_epochs 0.25 (was 0.5), hold_until "
        "0.5 (was 1)",
    )
    assert {spec.recipe.hold_until for spec in plan.specs if spec.teachers} == {0.5}


def test_the_default_recipe():
    assert merge_recipe([]) == ({}, "")
    assert Recipe(**merge_recipe([{"epochs": 30}])[0]).hold_until == 12

"""No option is ignored in silence: what describes nothing planned is refused or noted."""

import pytest

from harness.core.errors import UsageError
from harness.core.progress import Reporter
from harness.planning import plan as planning
from harness.planning.plan import make_plan
from harness.planning.request import RunRequest
from tests.support import tiny_grid


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A folder in which the images are drawn once."""
    return tmp_path_factory.mktemp("planned")


def plan(runs, *methods, **request):
    return tiny_grid.grid(runs, *methods, **request)


@pytest.mark.parametrize(
    ("methods", "request_", "message"),
    [
        ("none", {"teacher": "resnet34"}, "--teacher: no planned run has a teacher"),
        ("none", {"teacher_seed": "0"}, "--teacher-seed: no planned run has a teacher"),
        (
            "none",
            {"overrides": ["teacher_recipe.lr=1"]},
            "--set teacher_recipe.lr=1: no planned run has a teacher",
        ),
        ("kd", {"overrides": ["sp.weight=1"]}, "--set sp.weight=1: sp is not planned"),
        (
            "kd",
            {"precision": "bf16", "overrides": ["recipe.precision=fp16"]},
            "--precision bf16 and --set recipe.precision=fp16 are one setting",
        ),
        ("kd", {"seeds": ""}, "--seeds takes whole numbers such as 0,1,2; given ''"),
    ],
)
def test_what_describes_nothing_planned_is_refused(tmp_path, methods, request_, message):
    with pytest.raises(UsageError) as error:
        plan(tmp_path, methods, **request_)
    (problem,) = error.value.problems
    assert problem.startswith(message)
    assert not any(tmp_path.iterdir())


def test_settings_of_generated_images_beside_images_that_are_there(tmp_path):
    with pytest.raises(UsageError, match="--data-root names images that are there"):
        plan(tmp_path, "kd", data_root=tmp_path, overrides=["data.seed=1"])
    with pytest.raises(UsageError, match="describes generated images, but market1501 is not"):
        make_plan(
            RunRequest(methods=["kd"], datasets=["market1501"], overrides=["data.seed=1"]),
            Reporter(quiet=True),
        )


def test_threads_of_the_cpu_for_runs_on_a_gpu(runs, monkeypatch):
    monkeypatch.setattr(planning, "choose_device", lambda name: "cuda")
    with pytest.raises(UsageError, match="--threads sets the CPU threads"):
        plan(runs, "kd", threads=2)


@pytest.mark.parametrize(
    ("override", "note"),
    [
        ("recipe.milestones=1", "has no effect with recipe.schedule=cosine"),
        ("recipe.gamma=0.5", "has no effect with recipe.schedule=cosine"),
        ("recipe.batch=8", "has no effect with recipe.sampling=identities"),
        ("teacher_recipe.batch=8", "has no effect with recipe.sampling=identities"),
        ("teacher_recipe.distillation_batches=separate", "has no effect on runs without a teacher"),
    ],
)
def test_a_setting_without_effect_is_noted(runs, override, note):
    notes = [n for n in plan(runs, "kd", overrides=[override]).notes if "no effect" in n]
    assert notes == [f"synthetic: --set {override} {note}"]


def test_a_setting_of_resnets_without_any(runs):
    (note,) = plan(runs, "none", overrides=["recipe.stem=2x2"]).notes
    assert note.endswith("has no effect on cnn5: it is for ResNets and DenseNets")
    notes = plan(runs, "kd", overrides=["recipe.stem=2x2"]).notes
    assert not any("no effect" in note for note in notes)  # on the teacher it has


def test_settings_with_an_effect_are_not_noted(runs):
    overrides = ["recipe.margin=0.2", "recipe.identities=3", "teacher_recipe.lr=0.1"]
    notes = plan(runs, "kd", overrides=overrides).notes
    assert not any("no effect" in note for note in notes)

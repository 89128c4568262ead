"""What a teacher takes over from its students' settings, and that the plan says so."""

import pytest

from harness.core.progress import Reporter
from harness.planning.plan import make_plan
from harness.planning.request import RunRequest
from tests.support import tiny_grid


@pytest.fixture(scope="module")
def planned_runs(tmp_path_factory):
    """A folder in which the images are drawn once, and no teacher is finished."""
    return tmp_path_factory.mktemp("planned")


def notes(runs, *overrides, **request):
    return tiny_grid.grid(runs, "kd", overrides=overrides, **request).notes


def test_a_finished_teacher_that_would_fit_otherwise_is_named(shared_runs):
    teacher = tiny_grid.grid(shared_runs, "kd").cohorts[0][0]
    (note,) = notes(shared_runs, "recipe.margin=0.5", "recipe.num_instances=3")
    assert note == (
        f"synthetic: the teacher takes recipe.images_each=3, recipe.margin=0.5, too, although "
        f"{teacher.key} is finished; to use that one: --teacher-run {teacher.key}, or --set "
        "teacher_recipe.images_each=2 --set teacher_recipe.margin=0.3"
    )


def test_what_the_note_proposes_keeps_the_teacher(shared_runs):
    teacher = tiny_grid.grid(shared_runs, "kd").cohorts[0][0]
    proposed = tiny_grid.grid(
        shared_runs, "kd", overrides=["recipe.margin=0.5", "teacher_recipe.margin=0.3"]
    )
    assert proposed.cohorts[0] == (teacher,) and proposed.notes == ()
    named = tiny_grid.grid(
        shared_runs, "kd", teacher_run=[teacher.key], overrides=["recipe.margin=0.5"]
    )
    assert [teacher, *named.specs] == proposed.specs


def test_scaled_times_are_kept_with_the_epochs_that_caused_them(tmp_path):
    """Fewer epochs scale the times of a schedule; the teacher's own epochs scale them back."""
    asked = {"methods": ["kd"], "datasets": ["synthetic"], "runs": tmp_path}
    asked["overrides"] = ["recipe.pretrained=none"]
    usual = make_plan(RunRequest(**asked), Reporter(quiet=True)).cohorts[0][0]
    asked["overrides"] += ["recipe.epochs=2", f"teacher_recipe.epochs={usual.recipe.epochs}"]
    assert make_plan(RunRequest(**asked), Reporter(quiet=True)).cohorts[0][0] == usual


def test_without_a_finished_teacher_the_note_is_short(planned_runs):
    (note,) = notes(planned_runs, precision="bf16")
    assert note == (
        "synthetic: the teacher takes recipe.precision=bf16, too; to train it without: "
        "--set teacher_recipe.precision=fp32"
    )


@pytest.mark.parametrize(
    ("methods", "overrides"),
    [
        ("kd", ["teacher_recipe.margin=0.5"]),  # said for the teacher
        ("kd", ["recipe.epochs=5", "recipe.hold_until=2", "teacher_recipe.hold_until=1"]),
        ("none", ["recipe.margin=0.5"]),  # there is no teacher
        ("kd", ["kd.weight=2"]),
    ],
)
def test_nothing_is_said_where_nothing_is_taken_over(planned_runs, methods, overrides):
    """The tiny study states the teacher's epochs itself."""
    plan = tiny_grid.grid(planned_runs, methods, overrides=overrides)
    assert [note for note in plan.notes if "takes" in note] == []


def test_a_file_that_the_command_line_mends_is_no_problem(tmp_path, planned_runs):
    study = tmp_path / "study.yaml"
    study.write_text(tiny_grid.STUDY.read_text().replace("hold_until: 1", "hold_until: 7"))
    request = RunRequest(
        methods=["kd"],
        study=str(study),
        runs=planned_runs,
        overrides=["recipe.hold_until=1"],
    )
    assert make_plan(request, Reporter(quiet=True)).notes == ()


def test_a_sweep_of_the_recipe_says_it_too(tmp_path, planned_runs):
    study = tmp_path / "study.yaml"
    study.write_text(tiny_grid.STUDY.read_text() + "sweep: {recipe.margin: [0.5]}\n")
    request = RunRequest(methods=["kd"], study=str(study), runs=planned_runs)
    (note,) = make_plan(request, Reporter(quiet=True)).notes
    assert "the teacher takes recipe.margin=0.5, too" in note

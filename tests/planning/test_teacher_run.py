"""Finished runs that teach the students of a plan."""

import json

import pytest
from typer.testing import CliRunner

from harness.cli.app import app
from harness.core.errors import ErrorCollector, SetupError, UsageError
from harness.planning.names import resolve_request
from harness.planning.request import RunRequest
from harness.planning.schema import StudyFile
from tests.support import tiny_grid


@pytest.fixture(scope="module")
def teacher(shared_runs):
    return tiny_grid.grid(shared_runs, "kd").cohorts[0][0]


def planned(runs, *names, **request):
    return tiny_grid.grid(runs, "kd", teacher_run=names, **request)


def teachers(plan):
    """The teachers of the plan's students."""
    return {spec.teachers for spec in plan.specs if spec.teachers}


def refusal(runs, *names, error=UsageError, **request):
    with pytest.raises(error) as raised:
        planned(runs, *names, **request)
    (problem,) = raised.value.problems
    return problem


def test_a_run_teaches_whatever_the_students_recipe_is(shared_runs, teacher):
    plan = planned(shared_runs, teacher.key, overrides=["recipe.margin=0.5", "recipe.lr=0.5"])
    (kd,) = [spec for spec in plan.specs if spec.teachers]
    assert kd.teachers == (teacher,) and kd.recipe.lr == 0.5
    assert teacher not in plan.specs  # so that nothing trains or scores it again
    assert plan.notes == (f"synthetic: {teacher.key} teaches",)


@pytest.mark.parametrize("name", [lambda key: key[-8:], lambda key: key[:-4]])
def test_it_has_any_name_of_a_run(shared_runs, teacher, name):
    assert teachers(planned(shared_runs, name(teacher.key))) == {(teacher,)}


def test_the_same_teacher_gives_the_same_keys_as_planning_it(shared_runs, teacher):
    by_name = planned(shared_runs, teacher.key).specs
    assert [teacher, *by_name] == tiny_grid.grid(shared_runs, "kd").specs


def test_what_cannot_teach(shared_runs, teacher):
    runs = {spec.method: spec for spec in tiny_grid.grid(shared_runs, "kd").specs if spec.teachers}
    assert "was itself taught with kd" in refusal(shared_runs, runs["kd"].key)
    assert "No run is called 'nobody'" in refusal(shared_runs, "nobody")
    two = refusal(shared_runs, teacher.key, teacher.key[:-1] + "*")
    assert "No run is called" in two


def test_a_run_that_is_not_done_cannot_teach(with_teacher, teacher):
    (with_teacher / teacher.key / "record.json").unlink()
    assert "is not done" in refusal(with_teacher, teacher.key, error=SetupError)


def test_runs_on_other_images_cannot_teach(with_teacher, teacher):
    problem = refusal(with_teacher, teacher.key, overrides=["data.seed=9"])
    assert f"{teacher.key}, which was trained on other images of synthetic" in problem


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"teacher": "resnet34"}, "--teacher resnet34 is not the network of --teacher-run"),
        ({"teacher_seed": "0"}, "Leave out --teacher-seed"),
        ({"overrides": ["teacher_recipe.epochs=3"]}, "Leave out --set teacher_recipe.epochs"),
    ],
)
def test_options_that_describe_another_teacher(shared_runs, teacher, request_, message):
    assert message in refusal(shared_runs, teacher.key, **request_)


def test_the_teachers_own_network_may_be_said(shared_runs, teacher):
    plan = planned(shared_runs, teacher.key, teacher=teacher.network)
    assert teachers(plan) == {(teacher,)}


def test_several_runs_that_form_no_ensemble(shared_runs, teacher):
    plain = next(s for s in tiny_grid.grid(shared_runs, "kd").specs if s.network == "cnn5")
    problem = refusal(shared_runs, f"{teacher.key},{plain.key}")
    assert "form no ensemble. Name one run, or those of resnet18-directional" in problem


def test_on_the_command_line(shared_runs, teacher):
    words = ["plan", "--study", str(tiny_grid.STUDY), "--runs", str(shared_runs)]
    words += ["--methods", "kd", "--teacher-run", teacher.key[-8:], "--set", "recipe.lr=1"]
    done = CliRunner().invoke(app, [*words, "--json"])
    assert done.exit_code == 0, done.output
    rows = json.loads(done.stdout)
    assert len(rows) == 2 and teacher.key not in {row["key"] for row in rows}
    assert f"{teacher.key} teaches" in done.stderr


def test_other_problems_are_reported_with_it(tmp_path):
    errors = ErrorCollector()
    tmp_path.mkdir(exist_ok=True)
    request = RunRequest(teacher_run=["nobody"], student="resnet81", runs=tmp_path)
    resolve_request(request, StudyFile(), errors)
    with pytest.raises(UsageError, match="2 problems"):
        errors.raise_if_any()

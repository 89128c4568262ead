"""A command made from runs, typed again, plans those runs: the keys are compared, not the words."""

import json
import shlex
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from harness.cli.app import app
from harness.core.errors import UsageError
from harness.planning.commands import commands_for
from tests.support import tiny_grid


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A folder in which the images are drawn once; planning leaves nothing else there."""
    return tmp_path_factory.mktemp("planned")


def planned(command, runs):
    """The keys that the command line plans, with the images that the test has drawn."""
    (drawn,) = (runs / "data").glob("synthetic-people-????????")
    words = shlex.split(command.line)
    assert words[0] == "kdreid"
    options = ["--data-root", str(drawn), "--runs", str(runs), "--dry-run", "--json"]
    done = CliRunner().invoke(app, [*words[1:], *options])
    assert done.exit_code == 0, done.output
    return {row["key"] for row in json.loads(done.stdout)}


CASES = {
    "seeds": (["kd", "sp"], {"seeds": "0,2"}),
    "teachers of every seed": (["kd"], {"seeds": "0,1", "teacher_seed": "same"}),
    "a teacher of another seed": (["kd"], {"seeds": "0,1", "teacher_seed": "5"}),
    "plain students": (["none"], {"seeds": "0,1"}),
    "variants": (["csd", "sp"], {"overrides": ["csd.variant=original", "csd.neighbours=7"]}),
    "an option that the dataset's file sets": (["ft"], {"overrides": ["ft.steps=0"]}),
    "words and truths": (["vrkd"], {"overrides": ["vrkd.t2_scale=false"]}),
    "recipes": (
        ["pdrd"],
        {
            "overrides": [
                "recipe.schedule=steps",
                "recipe.milestones=1,1.5",
                "recipe.weight_decay=0.0003",
                "recipe.flip=0",
                "teacher_recipe.epochs=5",
                "teacher_recipe.milestones=2,3",
                "teacher_recipe.lr=1e-3",
            ],
            "precision": "bf16",
        },
    ),
    "a team": (["kd", "vrkd"], {"teacher": "resnet18-directional", "seeds": "1"}),
    "a head": (["kd"], {"head": "fc256", "student": "resnet18"}),
}


@pytest.mark.parametrize("case", CASES)
def test_the_command_plans_the_same_keys(case, runs):
    methods, asked = CASES[case]
    specs = tiny_grid.grid(runs, *methods, **asked).specs
    (command,) = commands_for(
        [spec for spec in specs if spec.teachers or methods == ["none"]], no_data
    )
    assert planned(command, runs) == {spec.key for spec in specs}
    assert command.planned == set(specs)


def test_teachers_and_students_of_several_kinds(runs):
    """Two settings of one method need two commands; what one plans no other asks for again."""
    one = tiny_grid.grid(runs, "kd", "sp", seeds="0,1").specs
    two = tiny_grid.grid(runs, "kd", overrides=["kd.weight=3"]).specs
    other = tiny_grid.grid(runs, "none", seeds="7", student="resnet34").specs
    specs = {*one, *two, *other}
    found = commands_for(specs, no_data)
    assert len(found) == 3
    assert {key for c in found for key in planned(c, runs)} == {spec.key for spec in specs}


def test_a_teacher_alone(runs):
    teacher = tiny_grid.grid(runs, "kd").cohorts[0][0]
    (command,) = commands_for([teacher], no_data)
    assert planned(command, runs) == {teacher.key}


def test_what_no_command_can_ask_for(runs):
    run = next(s for s in tiny_grid.grid(runs, "kd").specs if s.teachers)
    teacher = run.teachers[0]
    pair = replace(run, teachers=(teacher, replace(teacher, network="resnet34")))
    with pytest.raises(UsageError, match="No ensemble consists of the networks"):
        commands_for([pair], no_data)
    with pytest.raises(UsageError, match="their seeds differ"):
        commands_for([replace(run, teachers=(teacher, replace(teacher, seed=3)))], no_data)


@pytest.mark.parametrize("change", [{"head": "fc256"}, {"threads": 7}, {"device": "cuda"}])
def test_a_teacher_that_no_recipe_of_its_students_gives_is_made_first_and_named(runs, change):
    chosen = [s for s in tiny_grid.grid(runs, "kd", "sp", seeds="0,1").specs if s.teachers]
    teacher = replace(chosen[0].teachers[0], **change)
    specs = [replace(spec, teachers=(teacher,)) for spec in chosen]
    first, second = commands_for(specs, no_data)
    assert first.planned == {teacher}
    assert f"--teacher-run {teacher.key} " in second.line and "--teacher " not in second.line
    assert second.planned >= {*specs} and teacher not in second.planned


def no_data(spec):
    return []

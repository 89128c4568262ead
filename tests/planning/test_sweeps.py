"""Studies that sweep an option: one plan, a run per value, everything else once."""

from ruamel.yaml import YAML

from harness.core.progress import Reporter
from harness.planning.plan import make_plan
from harness.planning.request import RunRequest
from harness.planning.schema import load_study
from tests.support import tiny_grid


def planned(runs, study, **asked):
    """The runs of one of our studies, on images that are drawn in a second."""
    data = YAML(typ="safe").load(tiny_grid.STUDY)["data"]
    assignments = [f"data.{name}={value}" for name, value in data.items()]
    size = ("epochs=2", "height=64", "width=64", "pad=2", "identities=4", "images_each=2")
    assignments += ["recipe.pretrained=none", "recipe.batch=8", *(f"recipe.{s}" for s in size)]
    asked = RunRequest(
        study=study, datasets=["synthetic"], runs=runs, overrides=assignments, **asked
    )
    return make_plan(asked, Reporter(quiet=True))


def by_method(grid):
    found = {}
    for spec in grid.specs:
        found.setdefault(spec.method, []).append(dict(spec.options))
    return found


def test_a_run_for_every_weight_and_one_teacher_for_all(tmp_path):
    grid = planned(tmp_path, "pdrd-weight")
    found = by_method(grid)
    weights = [options.get("weight", 2.0) for options in found["pdrd"]]
    assert sorted(weights) == sorted([1.0, 1.5, 2.0, 2.5, 3.0] * 3)
    assert {} in found["pdrd"]  # the default is the run of every other study
    assert len(found["none"]) == 1 + 3  # a teacher, a plain student per seed
    assert [len(cohort) for cohort in grid.cohorts] == [1, 6, 6, 6]  # one teacher forward a seed


def test_activations_stand_beside_the_loss_without(tmp_path):
    found = by_method(planned(tmp_path, "pdrd-activation", seeds="0"))
    assert found["pdrk"] == [{}]
    activations = [options.get("activation", "mish") for options in found["pdrd"]]
    assert activations == ["sigmoid", "relu", "mish"]


def test_two_options_are_swept_one_at_a_time(tmp_path):
    grid = planned(tmp_path, "vrkd-temperature-and-weight", seeds="0")
    found = by_method(grid)["vrkd"]
    assert all(len(options) <= 1 for options in found)
    assert sorted(
        options.get("temperature", 2.0) for options in found if "weight" not in options
    ) == [1, 2, 3, 4, 6, 8]
    assert sorted(options.get("weight", 1.0) for options in found) == [0.5] + [1] * 6 + [1.5, 2, 3]
    assert len(found) == 10  # the default once
    assert len({spec.key for spec in grid.specs}) == len(grid.specs) == 4 + 1 + 10


def test_the_sweep_of_vrkd_has_the_recipe_of_vrkd():
    plain, swept = load_study("vrkd"), load_study("vrkd-temperature-and-weight")
    kept = {"description", "sweep"}
    assert plain.model_dump(exclude=kept) == swept.model_dump(exclude=kept)

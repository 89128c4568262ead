"""Settings of files and of the command line: aliases, layers, and all problems at once."""

from dataclasses import fields, replace

import pytest

from harness.core.errors import UsageError
from harness.core.override import Override, parse_override, replace_aliases
from harness.core.yaml import load_yaml
from harness.execution.cluster.profile import Profile, load_profile
from harness.planning.names import resolve_methods
from harness.planning.overrides import override_spec, resolve_settings
from harness.planning.schema import StudyFile, field_aliases, load_dataset
from harness.runs.spec import Recipe, RunSpec

ALIASES = {  # with a value to give
    "num_identities": ("identities", 12),
    "num_instances": ("images_each", 3),
    "decay_start_epoch": ("hold_until", 45.0),
    "min_lr": ("final_lr", 1e-6),
    "eta_min": ("final_lr", 1e-6),
    "gamma": ("decay", 0.2),
    "flip_prob": ("flip", 0.25),
    "random_erasing_prob": ("erase", 0.25),
    "padding": ("pad", 4),
    "triplet_margin": ("margin", 0.5),
    "batch_size": ("batch", 64),
}


def study(tmp_path, text):
    path = tmp_path / "study.yaml"
    path.write_text(text)
    return load_yaml(path, StudyFile)


def test_the_aliases_are_these():
    assert field_aliases(Recipe) == {alias: name for alias, (name, _) in ALIASES.items()}
    assert not {field.name for field in fields(Recipe)} & ALIASES.keys()


@pytest.mark.parametrize("section", ["recipe", "teacher_recipe"])
@pytest.mark.parametrize("alias", ALIASES)
def test_an_alias_is_the_field(tmp_path, section, alias):
    name, value = ALIASES[alias]
    expected = resolve_settings([], [f"{section}.{name}={value}"])
    assert resolve_settings([], [f"{section}.{alias}={value}"]) == expected
    assert resolve_settings([study(tmp_path, f"{section}: {{{alias}: {value}}}\n")], []) == expected


@pytest.mark.parametrize(
    ("alias", "proper"),
    [
        (["schedule=multistep"], ["schedule=steps"]),
        (["sampling=shuffle", "triplet_weight=0"], ["sampling=images", "triplet_weight=0"]),
    ],
)
def test_values_have_aliases_too(tmp_path, alias, proper):
    expected = resolve_settings([], [f"recipe.{word}" for word in proper])
    assert resolve_settings([], [f"recipe.{word}" for word in alias]) == expected
    content = ", ".join(word.replace("=", ": ") for word in alias)
    assert resolve_settings([study(tmp_path, f"recipe: {{{content}}}\n")], []) == expected


def test_a_sweep_over_an_alias(tmp_path):
    file = study(tmp_path, "sweep: {recipe.num_instances: [2, 3]}\n")
    points = [resolve_settings([file], point).recipe.images_each for point in file.sweep_points()]
    assert points == [2, 3]


def test_a_setting_under_two_names_is_refused(tmp_path):
    both = ["recipe.identities=8", "recipe.num_identities=4"]
    with pytest.raises(UsageError, match="^recipe: identities and num_identities are one setting"):
        resolve_settings([], both)
    with pytest.raises(UsageError, match=r"study.yaml:2: recipe: pad and padding are one setting"):
        study(tmp_path, "seeds: [0]\nrecipe: {pad: 3, padding: 4}\n")
    with pytest.raises(UsageError, match="min_lr and eta_min are one setting"):
        resolve_settings([], ["recipe.min_lr=0", "recipe.eta_min=0"])


def test_the_command_line_is_stronger_than_a_file_whatever_the_names(tmp_path):
    file = study(tmp_path, "recipe: {identities: 8}\n")
    assert resolve_settings([file], ["recipe.num_identities=4"]).recipe.identities == 4


def test_mistakes_next_to_aliases_are_named_with_their_line(tmp_path):
    with pytest.raises(UsageError, match=r"study.yaml:3: recipe.identities: .*given 'many'"):
        study(tmp_path, "recipe:\n  epochs: 3\n  num_identities: many\n")
    message = r"study.yaml:1: unknown key 'recipe.num_identites'. Did you mean 'num_identities'"
    with pytest.raises(UsageError, match=message):
        study(tmp_path, "recipe: {num_identites: 3}\n")
    with pytest.raises(UsageError, match="recipe has no 'batch_sise'. Did you mean 'batch_size'"):
        resolve_settings([], ["recipe.batch_sise=3"])


def test_profiles_have_aliases(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(
        "kind: local\nsignal_delay_s: 30\nworkers_per_gpu: 2\n"
        "datasets: {synthetic: {signal_delay_s: 40}}\n"
    )
    profile = load_profile(str(path))
    assert (profile.stop_ahead, profile.slots_per_gpu) == (30, 2)
    assert profile.resources("synthetic", "kd").stop_ahead == 40
    assert profile.resources("msmt17", "kd", ["cluster.signal_delay_s=50"]).stop_ahead == 50
    assert "signal_delay_s" not in Profile.model_fields
    path.write_text("stop_ahead: 3\nsignal_delay_s: 4\n")
    with pytest.raises(UsageError, match="stop_ahead and signal_delay_s are one setting"):
        load_profile(str(path))
    both = ["cluster.stop_ahead=3", "cluster.signal_delay_s=4"]
    with pytest.raises(UsageError, match="stop_ahead and signal_delay_s are one setting"):
        Profile().resources("msmt17", "kd", both)


def test_every_field_is_documented():
    for field in fields(Recipe):
        assert field.metadata["help"]
        assert set(field.metadata) == {"help", "unit", "aliases", "values"}
    for model in (StudyFile, Profile, type(load_dataset("synthetic"))):
        assert all(field.description for field in model.model_fields.values()), model


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("recipe.epochs=60", Override("recipe", "epochs", "60")),
        (" recipe.epochs = 60 ", Override("recipe", "epochs ", "60")),
        ("cluster.flags.a=b=c", Override("cluster", "flags.a", "b=c")),
        ("sp.variant=", Override("sp", "variant", "")),
    ],
)
def test_an_override_has_three_parts(text, expected):
    assert parse_override(text) == replace(expected, name=expected.name.strip())


@pytest.mark.parametrize("text", ["recipe.epochs", "epochs=3", ".epochs=3", "recipe.=3", ""])
def test_an_override_without_one_of_them_is_refused(text):
    with pytest.raises(UsageError, match="^--with .* is not SECTION.NAME=VALUE, as in recipe.epo"):
        parse_override(text, "--with")


def test_aliases_are_replaced_in_order():
    assert list(replace_aliases({"b": 1, "x": 2}, {"x": "a"}).items()) == [("b", 1), ("a", 2)]


def test_all_wrong_settings_are_reported_together(tmp_path):
    overrides = [
        "recipe.epoch=3",
        "recipe.flip=2",
        "recipe.lr=-1",
        "teacher_recipe.lr=fast",
        "pdrdd.weight=1",
        "pdrd.wieght=1",
        "sp.variant=pdr",
        "nothing",
        "data.kind=cats",
    ]
    with pytest.raises(UsageError) as error:
        resolve_settings([load_dataset("synthetic")], overrides)
    text = str(error.value)
    assert text.startswith("8 problems:\n- ")
    for words in (
        "recipe has no 'epoch'",
        "recipe.lr is -1.0; it must be above 0. recipe.flip is 2.0; it must be between 0 and 1",
        "teacher_recipe.lr takes a number, given 'fast'",
        "nothing is called 'pdrdd'",
        "pdrd has no option 'wieght'",
        "sp has no variant 'pdr'",
        "'nothing' is not SECTION.NAME=VALUE",
        "kind is 'cats'",
    ):
        assert sum(words in problem for problem in error.value.problems) == 1, words


def test_all_mistakes_of_a_file_are_reported_together(tmp_path):
    with pytest.raises(UsageError) as error:
        study(tmp_path, "seeds: [one]\nrecipe:\n  epochs: many\n  lrr: 3\ndatset: x\n")
    lines = [problem.split(": ")[0].rpartition(":")[2] for problem in error.value.problems]
    assert sorted(lines) == ["1", "3", "4", "5"]


def test_a_teachers_own_mistake_is_named_as_its_own():
    with pytest.raises(UsageError, match="^teacher_recipe.flip is 2.0; it must be between 0 and 1"):
        resolve_settings([], ["teacher_recipe.flip=2"])


@pytest.fixture(name="run")
def a_student():
    recipe = resolve_settings([load_dataset("synthetic")], []).recipe
    return RunSpec("synthetic", "sp", "resnet18", (), 0, recipe, (("weight", 7.0),))


def test_a_run_with_other_settings(run):
    (method,) = resolve_methods(["sp"])
    changed = override_spec(run, ["recipe.num_instances=2", "sp.variant=pdrd"], method)
    assert changed.recipe == replace(run.recipe, images_each=2)
    assert dict(changed.options) == {"variant": "pdrd", "weight": 7.0}
    assert override_spec(run, ["sp.weight=3000"], method).options == ()
    assert override_spec(run, [], method) == run


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("teacher_recipe.lr=1", "not their teacher or data. Plan such runs with kdreid run --set"),
        ("data.seed=1", "not their teacher or data"),
        ("recipe.pretrained=imagenet", "starts from random weights"),
        ("recipe.epoch=1", "recipe has no 'epoch'"),
        ("spp.weight=1", "nothing is called 'spp'"),
    ],
)
def test_a_run_that_cannot_be_changed_so(run, override, message):
    (method,) = resolve_methods(["sp"])
    with pytest.raises(UsageError, match=message):
        override_spec(run, [override], method)

"""`kdreid options`, `check-method` and `new-method`."""

import json
import sys
from dataclasses import fields

import pytest

from harness.runs.spec import Recipe
from methods import EXTRA_METHODS, METHODS, weights
from methods import options as method_options
from tests.support.command_line import invoke


def listed(name):
    done = invoke("options", name, "--json")
    assert done.returncode == 0, done.stderr
    return {row["name"]: row for row in json.loads(done.stdout)}


def test_every_field_of_a_recipe_has_default_meaning_and_papers():
    rows = listed("recipe")
    assert list(rows) == [field.name for field in fields(Recipe)]
    for field in fields(Recipe):
        row, default = rows[field.name], getattr(Recipe(), field.name)
        assert row["default"] == (list(default) if isinstance(default, tuple) else default)
        assert len(row["meaning"]) > 10
    assert rows["height"]["unit"] == "pixels" and rows["epochs"]["unit"] == "epochs"
    assert rows["epochs"]["papers"]["pdrd"] == {
        "market1501": 150,
        "dukemtmc": 150,
        "msmt17": 150,
        "veri776": 120,
    }
    assert rows["milestones"]["papers"]["vrkd"]["veri776"] == [60, 90, 110]
    assert "num_instances" in rows["images_each"]["aliases"]


@pytest.mark.parametrize("name", METHODS | EXTRA_METHODS)
def test_every_option_of_a_method_has_a_meaning_and_its_value_in_each_variant(name):
    method = (METHODS | EXTRA_METHODS)[name]
    rows = listed(name)
    assert list(rows) == list(method_options(method))
    for row in rows.values():
        assert len(row["meaning"]) > 10, row["name"]
        assert list(row["variants"]) == list(method.variants)
        assert row["default"] is not None


def test_values_of_variants():
    rows = listed("rkd")
    assert rows["angle_weight"]["variants"] == {"original": 2.0, "pdrd": 50.0}
    assert rows["angle_weight"]["default"] == 2.0
    assert listed("csd")["neighbours"] == listed("csd")["neighbours"] | {
        "default": 0,  # its default variant is pdrd
        "variants": {"pdrd": 0, "original": 96},
    }


def test_the_tables_as_text():
    text = invoke("options", "recipe").stdout
    assert text.startswith("name ") and "pdrd 150, veri776 120; vrkd 120" in text
    assert text.endswith("Change them with --set recipe.NAME=VALUE.\n")
    header, first, *_ = invoke("options", "fitnet").stdout.splitlines()
    assert header.split()[:6] == ["name", "default", "variant", "original", "variant", "pdrd"]
    assert first.split()[:4] == ["weight", "100", "100", "10"]
    header, first, *_ = invoke("options", "pdrd").stdout.splitlines()
    assert header.split()[:4] == ["name", "default", "variant", "original"]
    assert first.split()[:3] == ["weight", "2", "2"]


def test_without_a_name_the_default_weights_are_listed_with_their_sources():
    rows = json.loads(invoke("options", "--json").stdout)
    kinds = METHODS | EXTRA_METHODS
    assert [(row["name"], row["variant"]) for row in rows] == [
        (name, variant)
        for name, kind in kinds.items()
        for variant in kind.variants
        if name in weights.WEIGHT_SOURCES
    ]
    (kdpe,) = [row for row in rows if row["name"] == "kdpe"]
    assert kdpe["weight"] == 3 and kdpe["whose"] == "its authors" and "20" in kdpe["printed"]
    text = invoke("options").stdout
    assert text.split()[:5] == ["method", "variant", "weight", "whose", "printed"]
    assert "No method's weight was tuned here." in text.splitlines()[-1]


def test_the_options_of_a_method_end_with_the_sources_of_its_weights():
    *_, first, second, last = invoke("options", "fitnet").stdout.splitlines()
    assert first.startswith("Weight 100 (variant original): RepDistiller, ")
    assert second.startswith("Weight 10 (variant pdrd): PDRD's authors, ")
    assert last == "No method's weight was tuned here."
    assert "Weight" not in invoke("options", "methods.sp:SP").stdout


def test_a_method_without_a_source_of_its_weights_is_listed_without_one(monkeypatch):
    """As one is that was just added."""
    known = {name: sources for name, sources in weights.WEIGHT_SOURCES.items() if name != "sp"}
    monkeypatch.setattr(weights, "WEIGHT_SOURCES", known)
    for words in ((), ("pdrd",), ("sp",)):
        done = invoke("options", *words)
        assert done.returncode == 0, done.stderr
    assert "RepDistiller" not in done.stdout and "weight" in done.stdout


@pytest.mark.parametrize(("word", "guess"), [("recipes", "recipe"), ("pdrdd", "pdrd")])
def test_an_unknown_name_is_guessed(word, guess):
    done = invoke("options", word)
    assert done.returncode == 2
    assert f"{word!r}. Did you mean {guess!r}?" in done.stderr


def test_options_of_a_class_by_its_import_path():
    assert listed("methods.sp:SP") == listed("sp")


def test_check_method_exits_with_1_where_a_check_fails(tmp_path):
    done = invoke("check-method", "sp", "--no-train")
    assert done.returncode == 0 and done.stdout.endswith("sp: conforms\n")
    assert "FAIL" not in done.stdout
    path = tmp_path / "broken_sp.py"
    path.write_text(
        "from methods.sp import SP as Base\n\n\nclass SP(Base):\n    name = 'broken'\n"
        "    def forward(self, student, teacher, labels):\n"
        "        return student.pooled.mean() - teacher.pooled.mean()\n"
    )
    done = invoke("check-method", path, "--no-train")
    assert done.returncode == 1 and "  FAIL " in done.stdout
    assert done.stdout.splitlines()[-1].endswith("checks failed")


@pytest.fixture
def imports_as_before(monkeypatch):
    """Forget the module `my_method` after a test, and the folder that it was imported from."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield
    sys.modules.pop("my_method", None)


def test_a_new_method_conforms(tmp_path, imports_as_before):
    done = invoke("new-method", "my_method", "--folder", tmp_path)
    paths = [str(tmp_path / name) for name in ("my_method.py", "test_my_method.py")]
    assert done.returncode == 0 and done.stdout.splitlines()[:2] == paths
    assert invoke("check-method", paths[0], "--no-train").returncode == 0

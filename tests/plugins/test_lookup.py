import sys
from importlib.metadata import EntryPoint

import pytest

from harness.core.errors import UsageError
from harness.planning.names import resolve_methods
from harness.planning.overrides import resolve_settings
from harness.plugins import lookup
from harness.plugins.digest import method_digest
from harness.plugins.lookup import (
    canonical_name,
    describe_method,
    import_method_file,
    known_methods,
    option_sections,
    resolve_method,
)
from harness.testing.scaffold import METHOD
from methods import METHODS


@pytest.fixture(autouse=True)
def _forget():
    resolve_method.cache_clear()
    yield
    resolve_method.cache_clear()


@pytest.fixture(name="mine")
def a_method_in_a_package_of_its_own(tmp_path, monkeypatch):
    """`closeness:Closeness`, importable from the current folder."""
    (tmp_path / "closeness.py").write_text(
        METHOD.substitute(name="closeness", label="Closeness", module="closeness")
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield tmp_path / "closeness.py"
    sys.modules.pop("closeness", None)


def names(words):
    return [method.name for method in resolve_methods(words)]


def test_by_import_path(mine):
    assert resolve_method("closeness:Closeness").label == "Closeness"
    assert names(["sp,closeness:Closeness"]) == ["sp", "closeness:Closeness"]


def test_by_entry_point(mine, monkeypatch):
    point = EntryPoint("closeness", "closeness:Closeness", lookup.GROUP)
    monkeypatch.setattr(lookup, "entry_points", lambda group: [point])
    assert known_methods()[-1] == "closeness"
    assert canonical_name("closeness") == "closeness:Closeness" and canonical_name("sp") == "sp"
    assert names(["closeness"]) == ["closeness:Closeness"]


def test_options_are_given_under_the_methods_own_name(mine):
    methods = resolve_methods(["closeness:Closeness"])
    assert [method.section for method in methods] == ["closeness"]
    settings = resolve_settings([], ["closeness.weight=7"], methods)
    assert settings.options == {"closeness": {"weight": 7.0}}
    with pytest.raises(UsageError, match="nothing is called 'closeness'"):
        resolve_settings([], ["closeness.weight=7"])


def test_its_code_is_part_of_the_key(mine):
    before = method_digest(resolve_method("closeness:Closeness"))
    text = mine.read_text()
    mine.write_text("# a comment\n" + text)
    assert method_digest(resolve_method("closeness:Closeness")) == before
    mine.write_text(text.replace("F.mse_loss", "F.l1_loss"))
    assert method_digest(resolve_method("closeness:Closeness")) != before


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("closenes:Closeness", "cannot be imported .ModuleNotFoundError.*current folder"),
        ("closeness:Closenes", "closeness has no method 'Closenes'. Did you mean 'Closeness'"),
        ("closeness:F", "closeness has no method 'F'"),
        ("closeness", "No method is called 'closeness'"),
        (
            "torchdistill:DISTlos",
            "No torchdistill loss is declared as 'DISTlos'. Did you mean 'DISTLoss",
        ),
    ],
)
def test_what_cannot_be_found_is_said(mine, name, pattern):
    with pytest.raises(UsageError, match=pattern):
        resolve_method(name)


def test_a_broken_module_is_named_with_its_error(mine):
    mine.write_text("import no_such_library\n")
    with pytest.raises(UsageError, match="closeness:Closeness cannot be imported.*no_such_library"):
        resolve_method("closeness:Closeness")


def test_a_name_that_is_taken_is_refused(mine):
    mine.write_text(mine.read_text().replace('name = "closeness"', 'name = "sp"'))
    with pytest.raises(UsageError, match="closeness:Closeness and sp are both named 'sp'"):
        option_sections({"closeness:Closeness": describe_method("closeness:Closeness")})


def test_a_module_of_an_installed_package_is_preferred_to_one_in_the_current_folder(
    mine, monkeypatch, tmp_path
):
    """The current folder is searched last, so that nothing in it hides a library."""
    other = tmp_path / "installed"
    other.mkdir()
    (other / "closeness.py").write_text(mine.read_text().replace('"Closeness"', '"Installed"'))
    monkeypatch.syspath_prepend(str(other))
    assert resolve_method("closeness:Closeness").label == "Installed"


def test_a_method_of_a_file(mine, tmp_path):
    assert import_method_file(mine) == "closeness:Closeness"
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "nearness.py").write_text(mine.read_text() + "\n\nclass Second(Closeness): ...\n")
    with pytest.raises(UsageError, match="defines 2 methods. Name one .*: nearness:CLASS"):
        import_method_file(folder / "nearness.py")
    (folder / "broken.py").write_text("import no_such_library\n")
    with pytest.raises(UsageError, match="cannot be imported .ModuleNotFoundError: No module"):
        import_method_file(folder / "broken.py")
    with pytest.raises(UsageError, match="There is no file .*absent.py"):
        import_method_file(folder / "absent.py")
    hidden = folder / "closeness.py"
    hidden.write_text("")
    with pytest.raises(UsageError, match=f"{hidden} is hidden by {mine}, a module of the same"):
        import_method_file(hidden)


def test_a_class_without_a_label(mine):
    mine.write_text(mine.read_text().replace('    label = "Closeness"\n', ""))
    with pytest.raises(UsageError, match="lacks the class attribute `label`"):
        resolve_method("closeness:Closeness")


def test_ours_are_found_as_before():
    assert resolve_method("pdrd") is METHODS["pdrd"]
    with pytest.raises(UsageError, match="No method is called 'pdrdd'. Did you mean 'pdrd'"):
        resolve_method("pdrdd")

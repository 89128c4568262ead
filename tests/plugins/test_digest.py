from pathlib import Path

import pytest

from harness.plugins import digest
from harness.testing.scaffold import METHOD
from methods import EXTRA_METHODS, METHODS

# Part of the keys of all runs of these methods; a new method needs no entry here.
BUILT_IN = {
    "fitnet": "622ce2239a598ee1",
    "at": "4b2b0d452dfc241c",
    "ft": "84868256c7d22726",
    "cckd": "3ce317a1b46813a7",
    "sp": "34048164095f2308",
    "vid": "1587bb1bfe27055a",
    "rkd": "18fb140652643e4f",
    "pkt": "3d84846ea2f9de99",
    "kdpe": "b0d7705643469b2d",
    "csd": "fc9bc116c4eb5e0c",
    "vrkd": "233953e69f7a9944",
    "pdrd": "7118714855d2b25d",
    "none": "71b781b7ade66e43",
    "pairwise": "d88a540a51943428",
    "pdrk": "4ccf707ddfc85748",
    "kd": "ad210cd1036c25c5",
}

LOSS = '"""Doc."""\nfrom pack.base import WIDTH\n\n\ndef loss(x):\n    return x * WIDTH\n'


@pytest.fixture(name="digest_of")
def digest_of_a_package(tmp_path):
    """Write the files of a package and return the digest of its module `loss`."""

    def write(**files):
        folder = tmp_path / "pack"
        folder.mkdir(exist_ok=True)
        for name, text in files.items():
            (folder / f"{name}.py").write_text(text)
        return digest.source_digest("pack.loss", tmp_path)

    return write


def test_comments_docstrings_and_layout_do_not_count(digest_of):
    other = LOSS.replace('"""Doc."""', '"""Another."""  # why').replace("x * WIDTH", "x*WIDTH")
    assert digest_of(loss=LOSS, base="WIDTH = 3\n") == digest_of(loss=other)


def test_code_counts_here_and_in_what_is_imported_from_here(digest_of):
    before = digest_of(loss=LOSS, base="WIDTH = 3\n")
    assert digest_of(loss=LOSS.replace("*", "+")) != before
    assert digest_of(loss=LOSS, base="WIDTH = 4\n") != before


@pytest.mark.parametrize(
    "statement",
    [
        "from pack import WIDTH",
        "from . import WIDTH",
        "from .base import WIDTH",
        "from pack.base import WIDTH",
        "from pack import base\nWIDTH = base.WIDTH",
        "from . import base\nWIDTH = base.WIDTH",
        "import pack.base\nWIDTH = pack.base.WIDTH",
    ],
)
def test_a_name_leads_to_the_module_that_defines_it_and_to_no_other(digest_of, statement):
    init = "from pack.base import WIDTH\nfrom .other import OTHER\n"
    loss = LOSS.replace("from pack.base import WIDTH", statement)
    before = digest_of(__init__=init, loss=loss, base="WIDTH = 3\n", other="OTHER = 3\n")
    assert digest_of(other="OTHER = 4\n") == before
    assert digest_of(base="WIDTH = 4\n") != before


@pytest.mark.parametrize(
    "statement",
    ["from pack import LIST", "import pack\nLIST = pack.LIST", "from pack import *"],
)
def test_what_a_package_defines_itself_depends_on_all_that_it_imports(digest_of, statement):
    init = "from pack.base import WIDTH\nLIST = [WIDTH]\n"
    loss = LOSS.replace("from pack.base import WIDTH", statement).replace("WIDTH", "LIST")
    before = digest_of(__init__=init, loss=loss, base="WIDTH = 3\n")
    assert digest_of(base="WIDTH = 4\n") != before


def test_a_package_that_imports_from_itself(digest_of):
    init = "from pack import WIDTH\n"
    assert digest_of(__init__=init, loss="from pack import WIDTH\n")


@pytest.mark.parametrize("statement", ["from methods.base import", "from methods import"])
def test_a_users_method_does_not_depend_on_the_built_in_methods(tmp_path, monkeypatch, statement):
    """A new method, or a change of one, must not change the keys of users' methods."""
    text = METHOD.substitute(name="mine", label="Mine", module="mine")
    assert "from methods.base import" in text
    (tmp_path / "mine.py").write_text(text.replace("from methods.base import", statement))
    monkeypatch.setattr(digest, "ROOT", tmp_path)
    home = tmp_path / "methods"
    home.mkdir()
    for path in Path(digest.inspect.getfile(METHODS["at"])).parent.glob("*.py"):
        (home / path.name).write_text(path.read_text())
    before = digest.source_digest("mine", tmp_path)
    (home / "at.py").write_text((home / "at.py").read_text().replace("1000.0", "999.0"))
    (home / "__init__.py").write_text((home / "__init__.py").read_text() + "MORE = 1\n")
    assert digest.source_digest("mine", tmp_path) == before
    (home / "relations.py").write_text((home / "relations.py").read_text() + "MORE = 1\n")
    assert digest.source_digest("mine", tmp_path) != before


def test_the_digests_of_the_built_in_methods():
    assert {
        name: digest.method_digest(kind)
        for name, kind in (METHODS | EXTRA_METHODS).items()
        if name in BUILT_IN
    } == BUILT_IN

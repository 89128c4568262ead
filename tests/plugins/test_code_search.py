"""What the digest of a user's method covers, however its code gets there."""

import pytest

from harness.core.errors import UsageError
from harness.plugins import digest
from methods import METHODS
from tests.support.user_methods import (
    COMMENTED,
    HELPER,
    MINE,
    STRONGER,
    digest_in,
    home_of_modules,
    write,
)

__all__ = ["home_of_modules"]

IMPORTS = {
    "a file beside it": ("from helper import SCALE", "helper.py"),
    "a file beside it, as a module": ("import helper\nSCALE = helper.SCALE", "helper.py"),
    "all names": ("from helper import *", "helper.py"),
    "where it is needed": ("def late():\n    from helper import SCALE\nSCALE = 1", "helper.py"),
    "if possible": (
        "try:\n    from helper import SCALE\nexcept ImportError:\n    SCALE = 1",
        "helper.py",
    ),
    "a package": ("from pack import SCALE", "pack/__init__.py"),
    "a module of a package": ("from pack.deep.part import SCALE", "pack/deep/part.py"),
    "a folder without an __init__": (
        "import space.part\nSCALE = space.part.SCALE",
        "space/part.py",
    ),
    "a module that another imports": ("from between import SCALE", "helper.py"),
    "a literal name": (
        "import importlib\nSCALE = importlib.import_module('helper').SCALE",
        "helper.py",
    ),
    "a literal name, renamed": (
        "from importlib import import_module as load\nSCALE = load('helper').SCALE",
        "helper.py",
    ),
    "the function of the statement": ("SCALE = __import__('helper').SCALE", "helper.py"),
    "a computed name": (
        "import importlib\nname = 'help'\nSCALE = importlib.import_module(name + 'er').SCALE",
        "helper.py",
    ),
    "a computed name of a package": (
        "import importlib\nname = 'part'\nSCALE = importlib.import_module('space.' + name).SCALE",
        "space/part.py",
    ),
    "a computed name below a package": (
        "from importlib import import_module\nname = 'part'\n"
        "SCALE = import_module(f'pack.deep.{name}').SCALE",
        "pack/deep/part.py",
    ),
    "a formatted name": (
        "import importlib\nSCALE = importlib.import_module('pack.{}'.format('part')).SCALE",
        "pack/part.py",
    ),
    "a name without any literal": (
        "import importlib\nname = '.'.join(['pack', 'part'])\n"
        "SCALE = importlib.import_module(name).SCALE",
        "pack/part.py",
    ),
    "a path": (
        "import runpy\nfrom pathlib import Path\n"
        "SCALE = runpy.run_path(str(Path(__file__).with_name('helper.py')))['SCALE']",
        "helper.py",
    ),
    "a module next to the one that is named": (
        "import pack.one\nimport pack.two as _\nSCALE = pack.two.SCALE",
        "pack/two.py",
    ),
}
OTHERS = {
    "between.py": "from helper import SCALE\n",
    "pack/__init__.py": "",
    "pack/one.py": "import pack.two\n",
    "pack/deep/__init__.py": "",
}


@pytest.mark.parametrize(("statement", "place"), IMPORTS.values(), ids=IMPORTS)
def test_what_a_method_imports_from_its_users_folders_counts(home, statement, place):
    write(home, OTHERS | {place: HELPER, "unrelated.py": "SCALE = 2\n"})
    before = digest_in(home, mine=MINE.format(statement=statement))
    write(home, {place: COMMENTED})
    assert digest_in(home) == before
    write(home, {place: STRONGER})
    assert digest_in(home) != before


@pytest.mark.parametrize(
    "statement",
    [
        "from .helper import SCALE",
        "from . import helper\nSCALE = helper.SCALE",
        "from importlib import import_module\nSCALE = import_module('.helper', __package__).SCALE",
        "from importlib import import_module\nname = '.helper'\n"
        "SCALE = import_module(name, __package__).SCALE",
        "from ..top.helper import SCALE",
    ],
)
def test_relative_imports_count(home, statement):
    write(home, {"top/__init__.py": "", "top/helper.py": HELPER})
    if ".." in statement:
        write(
            home, {"over/__init__.py": "", "over/top/__init__.py": "", "over/top/helper.py": HELPER}
        )
        name, place = "over.top.mine:Mine", "over/top/"
    else:
        name, place = "top.mine:Mine", "top/"
    write(home, {f"{place}mine.py": MINE.format(statement=statement)})
    before = digest_in(home, name)
    write(home, {f"{place}helper.py": COMMENTED})
    assert digest_in(home, name) == before
    write(home, {f"{place}helper.py": STRONGER})
    assert digest_in(home, name) != before


def test_a_helper_in_another_folder_of_the_path_counts(home, monkeypatch, tmp_path_factory):
    other = tmp_path_factory.mktemp("shared")
    monkeypatch.syspath_prepend(other)
    write(other, {"far_helper.py": HELPER})
    before = digest_in(home, mine=MINE.format(statement="from far_helper import SCALE"))
    write(other, {"far_helper.py": STRONGER})
    assert digest_in(home) != before


def test_what_is_installed_or_not_imported_does_not_count(home, monkeypatch, tmp_path_factory):
    library = tmp_path_factory.mktemp("python") / "site-packages"
    write(library, {"third_party.py": HELPER})
    monkeypatch.syspath_prepend(library)
    statement = "import json\nimport numpy\nfrom third_party import SCALE"
    before = digest_in(home, mine=MINE.format(statement=statement))
    write(library, {"third_party.py": STRONGER})
    write(home, {"helper.py": HELPER, "notes.json": "{}", "json_data/a.json": "1"})
    assert digest_in(home) == before


def test_a_method_that_imports_nothing_of_the_users_keeps_its_key(home):
    """The value is that of 0.2.0: runs that are done must not be trained again."""
    mine = MINE.format(statement="SCALE = 1")
    write(home, {"helper.py": HELPER})
    assert digest_in(home, mine=mine) == "69df65333ba58499"


def test_the_module_that_a_method_is_requested_from_counts(home):
    """It may change what it imports, or make the class by a function of another module."""
    lines = MINE.split("{statement}")[1].replace("SCALE", "factor").strip().splitlines()
    body = "\n".join(f"    {line}" for line in [*lines, "return Mine"])
    factory = f"from methods.base import Method\n\n\ndef make(factor):\n{body}\n"
    before = digest_in(home, factory=factory, mine="from factory import make\nMine = make(1)\n")
    assert digest_in(home, mine="from factory import make\nMine = make(1000)\n") != before


def test_a_definition_of_the_users_does_not_stand_for_its_code(home):
    """Only that of a class that a file declares for torchdistill is all of it."""
    mine = MINE.replace("paper = None", 'paper = None\n    definition = "mine"')
    before = digest_in(home, mine=mine.format(statement="SCALE = 1"))
    assert digest_in(home, mine=mine.format(statement="SCALE = 1000")) != before


def test_a_method_made_of_a_declared_one_counts_with_it(home):
    """A loss of torchdistill whose declaration changes is another one below it, too."""
    text = "loss: DISTLoss\nlabel: Mine\nweight: {}\n"
    write(home, {"declared.yaml": text.format(1)})
    base = f"resolve_method('torchdistill:{home}/declared.yaml')"
    mine = f"from harness.plugins import resolve_method\nBase = {base}\n\n\nclass Mine(Base):\n"
    before = digest_in(home, mine=f"{mine}    name = label = 'mine'\n    factor = 1\n")
    assert digest_in(home, mine=f"{mine}    name = label = 'mine'\n    factor = 1000\n") != before


def test_a_folder_that_the_module_adds_to_the_path_is_searched(home):
    statement = (
        "import sys\nfrom pathlib import Path\n"
        "sys.path.insert(0, str(Path(__file__).parent / 'lib'))\nfrom added_helper import SCALE"
    )
    write(home, {"lib/added_helper.py": HELPER})
    before = digest_in(home, mine=MINE.format(statement=statement))
    write(home, {"lib/added_helper.py": STRONGER})
    assert digest_in(home) != before


def test_a_package_that_acts_when_it_is_imported_counts(home):
    mine = MINE.format(statement="from pack.values import VALUES\nSCALE = VALUES[0]")
    files = {"pack/values.py": "VALUES = [1]\n", "pack/other.py": "OTHER = 1\n"}
    write(home, files | {"pack/__init__.py": "from pack.other import OTHER\n"})
    before = digest_in(home, mine=mine)
    write(home, {"pack/other.py": "OTHER = 2\n"})
    assert digest_in(home) == before, "only names"
    write(home, {"pack/other.py": "from pack.values import VALUES\nVALUES[0] = 1000\n"})
    assert digest_in(home) != before
    write(home, files)
    assert digest_in(home) == before
    write(home, {"pack/__init__.py": "from pack.values import VALUES\nVALUES[0] = 1000\n"})
    assert digest_in(home) != before


def test_a_name_that_a_package_changes_is_not_looked_through(home):
    init = "from pack.values import SCALE\nSCALE = SCALE * {}\n"
    mine = MINE.format(statement="from pack import SCALE")
    write(home, {"pack/values.py": "SCALE = 1\n", "pack/__init__.py": init.format(1)})
    before = digest_in(home, mine=mine)
    write(home, {"pack/__init__.py": init.format(1000)})
    assert digest_in(home) != before


def test_a_class_without_a_file_is_refused():
    made = {"__module__": "no_such_module", "name": "mine", "label": "Mine", "paper": None}
    with pytest.raises(UsageError, match="no_such_module:Mine is in no file"):
        digest.method_digest(type("Mine", (METHODS["at"],), made))

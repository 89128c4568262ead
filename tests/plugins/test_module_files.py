"""Files of the user's that count in a digest: data, compiled modules, archives and links."""

from importlib.machinery import EXTENSION_SUFFIXES
from zipfile import ZipFile, ZipInfo

import pytest

from harness.core.errors import SetupError
from harness.plugins import digest
from harness.plugins.lookup import resolve_method
from tests.support.unprivileged import as_nobody, open_to_all
from tests.support.user_methods import (
    HELPER,
    MINE,
    STRONGER,
    digest_in,
    home_of_modules,
    write,
)

__all__ = ["home_of_modules"]

READ = "from pathlib import Path\nhere = Path(__file__).parent\n"
DATA = {
    "its name": ("SCALE = float((here / 'table.json').read_text())", "table.json"),
    "its path": ("SCALE = float((here / 'data/table.txt').read_text())", "data/table.txt"),
    "folder and name": ("SCALE = float((here / 'data' / 'table').read_text())", "data/table"),
    "a part of its name": (
        "name = 'table'\nSCALE = float((here / f'{name}.txt').read_text())",
        "table.txt",
    ),
    "its suffix": ("SCALE = sum(float(p.read_text()) for p in here.glob('*.txt'))", "one.txt"),
    "code that is executed": ("exec((here / 'code.py').read_text())\nSCALE = 1", "code.py"),
}


@pytest.mark.parametrize(("statement", "place"), DATA.values(), ids=DATA)
@pytest.mark.parametrize("package", ["", "top."])
def test_files_that_the_code_names_count_by_their_bytes(home, statement, place, package):
    folder = home / package.rstrip(".")
    write(folder, {"__init__.py": ""} if package else {})
    write(folder, {"mine.py": MINE.format(statement=READ + statement), "other.csv": "1"})
    write(folder, {place: "1"})
    before = digest_in(home, f"{package}mine:Mine")
    write(folder, {"other.csv": "2", ".hidden.txt": "2", "readme.md": "2"})
    assert digest_in(home, f"{package}mine:Mine") == before
    write(folder, {place: "1000"})
    assert digest_in(home, f"{package}mine:Mine") != before


def test_data_of_another_package_counts(home):
    statement = "from importlib.resources import files\n"
    statement += "SCALE = float(files('tables').joinpath('scale.txt').read_text())"
    write(home, {"tables/__init__.py": "", "tables/scale.txt": "1"})
    before = digest_in(home, mine=MINE.format(statement=statement))
    write(home, {"tables/scale.txt": "1000"})
    assert digest_in(home) != before


def test_a_compiled_module_counts_by_its_bytes(home):
    suffix = EXTENSION_SUFFIXES[0]
    statement = "try:\n    import fast\nexcept ImportError:\n    SCALE = 1"
    write(home, {f"fast{suffix}": b"one"})
    before = digest_in(home, mine=MINE.format(statement=statement))
    write(home, {f"fast{suffix}": b"two"})
    assert digest_in(home) != before


def test_a_file_that_does_not_parse_counts_by_its_bytes(home):
    statement = "try:\n    import old\nexcept SyntaxError:\n    SCALE = 1"
    write(home, {"old.py": "print 'one'\n"})
    before = digest_in(home, mine=MINE.format(statement=statement))
    write(home, {"old.py": "print 'two'\n"})
    assert digest_in(home) != before


def test_a_module_in_an_archive_counts(home, monkeypatch):
    def pack(text):
        with ZipFile(home / "packed.zip", "w") as archive:
            archive.writestr(ZipInfo("zipped.py"), text)

    pack(HELPER)
    monkeypatch.syspath_prepend(home / "packed.zip")
    before = digest_in(home, mine=MINE.format(statement="from zipped import SCALE"))
    pack(STRONGER)
    assert digest_in(home) != before


def test_sources_in_another_encoding_and_links_are_read(home):
    text = "# coding: latin-1\nNAME = '\u00e9'\n" + HELPER
    write(home, {"elsewhere/other_name.py": text.encode("latin-1")})
    (home / "helper.py").symlink_to(home / "elsewhere" / "other_name.py")
    before = digest_in(home, mine=MINE.format(statement="from helper import SCALE"))
    write(home, {"elsewhere/other_name.py": text.replace("1  #", "1000  #").encode("latin-1")})
    assert digest_in(home) != before


def test_a_method_behind_a_link_is_found(home):
    write(home, {"elsewhere/other_name.py": MINE.format(statement="SCALE = 1")})
    (home / "mine.py").symlink_to(home / "elsewhere" / "other_name.py")
    before = digest_in(home)
    write(home, {"elsewhere/other_name.py": MINE.format(statement="SCALE = 1000")})
    assert digest_in(home) != before


def test_a_file_that_cannot_be_read_is_named(home):
    open_to_all(home)
    write(home, {"table.txt": "1"})
    digest_in(home, mine=MINE.format(statement="TABLE = 'table.txt'\nSCALE = 1"))
    (home / "table.txt").chmod(0)
    with as_nobody(), pytest.raises(SetupError, match="table.txt cannot be read .Permission"):
        digest_in(home)


def test_what_is_copied_for_jobs_gives_the_same_digest(home, tmp_path_factory):
    statement = READ + "from helper import SCALE\nTABLE = (here / 'data/table.txt').read_text()"
    write(home, {"helper.py": HELPER, "data/table.txt": "1", "unrelated.py": ""})
    before = digest_in(home, mine=MINE.format(statement=statement))
    files = digest.method_files(resolve_method("mine:Mine"), "mine:Mine")
    assert sorted(files) == ["data/table.txt", "helper.py", "mine.py"]
    copy = tmp_path_factory.mktemp("copy")
    write(copy, {name: path.read_bytes() for name, path in files.items()})
    for path in files.values():
        path.unlink()
    assert digest.source_digest("mine", copy) == before

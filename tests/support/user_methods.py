"""A method of the user's: a constant somewhere else decides what its loss is."""

import sys

import pytest

from harness.plugins import digest
from harness.plugins.lookup import resolve_method

MINE = '''"""A method."""
from methods.base import Method
{statement}


class Mine(Method):
    name = label = "mine"
    paper = None

    def forward(self, student, teacher, labels):
        """Scaled."""
        return student.pooled.sum() * SCALE
'''
HELPER = '"""Doc."""\n\n\ndef scale():\n    """Doc."""\n    return 1  # why\n\n\nSCALE = scale()\n'
COMMENTED = HELPER.replace("Doc", "More").replace("# why", "# because").replace("\n\n\n", "\n")
STRONGER = HELPER.replace("return 1", "return 1000")


@pytest.fixture(name="home")
def home_of_modules(tmp_path, monkeypatch):
    """Import what a test writes here, and forget it afterwards."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(tmp_path)
    resolve_method.cache_clear()
    yield tmp_path
    resolve_method.cache_clear()
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


def write(home, files):
    for name, text in files.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        if isinstance(text, bytes):
            (home / name).write_bytes(text)
        else:
            (home / name).write_text(text)


def digest_in(home, name="mine:Mine", **files):
    write(home, {path.replace("__", "/") + ".py": text for path, text in files.items()})
    return digest.method_digest(resolve_method(name), name)

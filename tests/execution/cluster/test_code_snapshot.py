"""The copy of the code that jobs run: complete, by content, with a method's own imports."""

import json
import subprocess
import sys

import pytest

from harness.core.errors import SetupError, UsageError
from harness.execution.cluster.code_snapshot import COPIED_FOLDERS, ROOT, snapshot_code
from harness.plugins.digest import method_digest
from harness.plugins.lookup import resolve_method

MINE = """
from {neighbour} import factor
from methods import Method

class Mine(Method):
    name = label = "mine"
    paper = None

    def forward(self, student, teacher, labels):
        return student.pooled.sum() * factor
"""


@pytest.fixture
def foreign(tmp_path, monkeypatch):
    """A method in its own package, with a module next to the package."""
    package = tmp_path / "elsewhere" / "distilled"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "mine.py").write_text(MINE.format(neighbour="distilled_factor"))
    (package.parent / "distilled_factor.py").write_text("factor = 2\n")
    (package.parent / "unrelated.py").write_text("")
    monkeypatch.chdir(package.parent)
    monkeypatch.syspath_prepend(package.parent)
    resolve_method("distilled.mine:Mine")
    yield "distilled.mine:Mine"
    resolve_method.cache_clear()
    for name in [name for name in sys.modules if name.startswith("distilled")]:
        del sys.modules[name]


def test_the_copy_is_made_once_and_works_alone(tmp_path):
    first = snapshot_code(tmp_path, ["kd"])
    assert snapshot_code(tmp_path, ["sp"]) == first
    assert first.parent == tmp_path / "code"
    assert [path.name for path in first.parent.iterdir()] == [first.name]
    assert (first / "configs" / "dataset" / "market1501.yaml").exists()
    code = (
        "import harness.execution.worker as w, harness.runs.code_version as v\n"
        "print(w.__file__, *v.git_state())"
    )
    words = subprocess.run(
        [sys.executable, "-c", code],
        cwd=first,
        env={"PYTHONPATH": str(first)},
        text=True,
        capture_output=True,
        check=True,
    ).stdout.split()
    assert words[0] == str(first / "harness" / "execution" / "worker.py")
    assert words[1:] == [str(word) for word in json.loads((first / "commit.json").read_text())]


def test_a_method_from_elsewhere_comes_with_what_it_imports(tmp_path, foreign):
    folder = snapshot_code(tmp_path, [foreign])
    assert (folder / "distilled" / "mine.py").exists()
    assert (folder / "distilled_factor.py").read_text() == "factor = 2\n"
    assert not (folder / "unrelated.py").exists()
    assert folder != snapshot_code(tmp_path, ["kd"])


def test_what_its_key_covers_comes_with_it(tmp_path, foreign):
    """A module that is imported later, and a file that the code names."""
    home = tmp_path / "elsewhere"
    late = "\n    def late(self):\n        import distilled_late\n        return 'table.txt'\n"
    with (home / "distilled" / "mine.py").open("a") as file:
        file.write(late)
    (home / "distilled_late.py").write_text("factor = 3\n")
    (home / "distilled" / "table.txt").write_text("4")
    before = method_digest(resolve_method(foreign), foreign)
    folder = snapshot_code(tmp_path, [foreign])
    assert (folder / "distilled_late.py").exists() and (folder / "distilled/table.txt").exists()
    code = (
        "from harness.plugins import method_digest, resolve_method\n"
        f"print(method_digest(resolve_method('{foreign}'), '{foreign}'))"
    )
    command = [sys.executable, "-c", code]
    environment = {"PYTHONPATH": str(folder)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=True)
    assert done.stdout.decode().strip() == before


def test_other_content_is_another_copy(tmp_path, foreign):
    before = snapshot_code(tmp_path, [foreign])
    (tmp_path / "elsewhere" / "distilled_factor.py").write_text("factor = 3\n")
    after = snapshot_code(tmp_path, [foreign])
    assert after != before
    assert (before / "distilled_factor.py").read_text() == "factor = 2\n"


def test_a_copy_that_was_changed_is_not_used(tmp_path):
    folder = snapshot_code(tmp_path, [])
    (folder / "harness" / "training" / "loop.py").write_text("raise RuntimeError\n")
    with pytest.raises(SetupError, match="was changed after it was made"):
        snapshot_code(tmp_path, [])


def test_too_large_a_package_is_refused(tmp_path, foreign, monkeypatch):
    monkeypatch.setattr("harness.execution.cluster.code_snapshot.MAX_BYTES", 1)
    with pytest.raises(UsageError, match="more than 0 MB"):
        snapshot_code(tmp_path, [foreign])


def test_every_folder_that_jobs_need_is_copied():
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}
    assert packages | {"configs"} == set(COPIED_FOLDERS)

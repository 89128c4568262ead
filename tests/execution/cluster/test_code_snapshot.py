"""The copy of the code that jobs run: whole, by content, with what a foreign method imports."""

import json
import subprocess
import sys

import pytest

from harness.core.errors import SetupError, UsageError
from harness.execution.cluster.code_snapshot import ROOT, snapshot
from harness.plugins.lookup import resolve_method

MINE = """
from {beside} import factor
from methods import Method

class Mine(Method):
    name = label = "mine"
    paper = None

    def forward(self, student, teacher, labels):
        return student.pooled.sum() * factor
"""


@pytest.fixture
def foreign(tmp_path, monkeypatch):
    """A method in a package of its own, with a module beside the package."""
    package = tmp_path / "elsewhere" / "distilled"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "mine.py").write_text(MINE.format(beside="distilled_factor"))
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
    first = snapshot(tmp_path, ["kd"])
    assert snapshot(tmp_path, ["sp"]) == first
    assert first.parent == tmp_path / "code"
    assert [path.name for path in first.parent.iterdir()] == [first.name]
    assert (first / "configs" / "dataset" / "market1501.yaml").exists()
    code = (
        "import harness.execution.worker as w, harness.training.environment as e\n"
        "print(w.__file__, *e.commit())"
    )
    said = subprocess.run(
        [sys.executable, "-c", code],
        cwd=first,
        env={"PYTHONPATH": str(first)},
        text=True,
        capture_output=True,
        check=True,
    ).stdout.split()
    assert said[0] == str(first / "harness" / "execution" / "worker.py")
    assert said[1:] == [str(word) for word in json.loads((first / "commit.json").read_text())]


def test_a_method_from_elsewhere_comes_with_what_it_imports(tmp_path, foreign):
    folder = snapshot(tmp_path, [foreign])
    assert (folder / "distilled" / "mine.py").exists()
    assert (folder / "distilled_factor.py").read_text() == "factor = 2\n"
    assert not (folder / "unrelated.py").exists()
    assert folder != snapshot(tmp_path, ["kd"])


def test_other_content_is_another_copy(tmp_path, foreign):
    before = snapshot(tmp_path, [foreign])
    (tmp_path / "elsewhere" / "distilled_factor.py").write_text("factor = 3\n")
    after = snapshot(tmp_path, [foreign])
    assert after != before
    assert (before / "distilled_factor.py").read_text() == "factor = 2\n"


def test_a_copy_that_was_changed_is_not_used(tmp_path):
    folder = snapshot(tmp_path, [])
    (folder / "harness" / "training" / "loop.py").write_text("raise RuntimeError\n")
    with pytest.raises(SetupError, match="was changed after it was made"):
        snapshot(tmp_path, [])


def test_too_large_a_package_is_refused(tmp_path, foreign, monkeypatch):
    monkeypatch.setattr("harness.execution.cluster.code_snapshot.LARGEST", 1)
    with pytest.raises(UsageError, match="more than 0 MB"):
        snapshot(tmp_path, [foreign])


def test_every_folder_that_jobs_need_is_copied():
    from harness.execution.cluster.code_snapshot import OURS

    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}
    assert packages | {"configs"} == set(OURS)

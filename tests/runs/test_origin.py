"""What made a run's numbers: digests of code by subject, and versions."""

import ast
import shutil

import pytest

from harness.runs import origin
from harness.runs.origin import (
    NOT_COUNTED,
    ROOT,
    SUBJECTS,
    code_digests,
    differences_from_present,
    join_names,
    present_origin,
    record_origin,
)


@pytest.fixture(name="copy")
def a_copy_of_the_code(tmp_path, monkeypatch):
    """Let the digests be those of a copy that a test may edit."""
    for name in ("harness", "methods"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("*.pyc"))
    monkeypatch.setattr(origin, "ROOT", tmp_path)
    code_digests.cache_clear()
    yield tmp_path
    code_digests.cache_clear()


def changed(copy, name, old, new):
    """The subjects whose digests differ after an edit of a file."""
    before = dict(code_digests())
    text = (copy / name).read_text()
    assert old in text
    (copy / name).write_text(text.replace(old, new))
    code_digests.cache_clear()
    return [subject for subject, digest in code_digests().items() if digest != before[subject]]


@pytest.mark.parametrize(
    ("name", "subjects"),
    [
        ("harness/training/loop.py", ["training"]),
        ("harness/core/seeding.py", ["training"]),
        ("harness/models/reid.py", ["models"]),
        ("harness/data/augmentation.py", ["data"]),
        ("harness/data/datasets/msmt17.py", ["data"]),
        ("harness/evaluation/metrics.py", ["evaluation"]),
        ("methods/options.py", ["methods"]),
        ("methods/at.py", []),  # part of the keys of its runs
        ("harness/training/recording.py", []),
        ("harness/data/synthetic/generator.py", []),
        ("harness/cli/run.py", []),
    ],
)
def test_an_edit_changes_the_digest_of_its_subject(copy, name, subjects):
    line = "from __future__ import annotations\n"
    assert changed(copy, name, line, f"{line}\n# A comment.\n") == []
    assert changed(copy, name, line, f"{line}\nMORE = 1\n") == subjects


def test_a_new_module_counts(copy):
    before = dict(code_digests())
    (copy / "harness" / "models" / "new.py").write_text("WIDTH = 3\n")
    code_digests.cache_clear()
    assert [s for s, d in code_digests().items() if d != before[s]] == ["models"]


def test_the_parts_that_do_not_count_exist():
    assert all((ROOT / name).exists() for name in NOT_COUNTED)
    assert all((ROOT / place).exists() for places in SUBJECTS.values() for place in places)


def test_the_modules_that_all_methods_share_count():
    """The others are part of the keys of their methods' runs, or only say what there is."""
    says = ("__init__.py", "registry.py", "description.py", "weights.py")
    shared = []
    for path in (ROOT / "methods").glob("*.py"):
        classes = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.ClassDef)]
        bases = {ast.unparse(base) for one in classes for base in one.bases}
        if path.name not in says and not bases & {"Method", "KD", "PDRD"}:
            shared.append(f"methods/{path.name}")
    assert sorted(shared) == sorted(SUBJECTS["methods"])


def test_a_record_has_what_it_says_and_no_more():
    assert record_origin({}) == record_origin({"code": None, "environment": 3, "spec": []}) == {}
    record = {
        "code": {"training": "ab", "unknown": "x"},
        "environment": {"torch": "2.15.0", "python": "3.11.7", "device_name": "H100"},
        "spec": {"device": "cuda"},
    }
    expected = {"training code": "ab", "torch": "2.15.0", "Python": "3.11", "device": "H100"}
    assert record_origin(record) == expected
    assert record_origin(record | {"spec": {"device": "cpu"}})["device"] == "cpu"


def test_differences_from_this_process():
    present = present_origin()
    code = {name: present[f"{name} code"] for name in SUBJECTS}
    environment = {"torch": present["torch"], "python": f"{present['Python']}.99"}
    assert differences_from_present({"code": code, "environment": environment}) == ()
    other = {"code": code | {"data": "x"}, "environment": environment | {"torch": "1.13.0"}}
    assert differences_from_present(other) == ("data code", "torch")
    assert differences_from_present(other | {"code": {}}) == (), "an older record"


def test_names_are_joined_as_in_a_sentence():
    assert join_names(("training code",)) == "training code"
    assert join_names(("a code", "b code", "c code", "torch")) == "a, b and c code, torch"
    assert join_names(("torch", "Python")) == "torch, Python"

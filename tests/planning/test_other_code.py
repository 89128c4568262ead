"""Finished runs that other code or versions made are found, named and counted."""

import json
import platform
from importlib.metadata import version

import pytest

from harness.core.errors import DamagedFileError
from harness.planning.other_code import find_other_code, is_outdated
from harness.runs.origin import code_digests
from harness.runs.record import write_record
from tests.support.run_folders import RESULT, TEACHER, spec

NOW = {name: version(name) for name in ("torch", "torchvision", "pillow")}
NOW["python"] = platform.python_version()


def put(runs, run=None, model="w", teachers=(), code=None, **versions):
    """A finished run, made by the present code except for what is given."""
    run = run or spec(0)
    content = {
        "result": RESULT | {"model": model},
        "teachers": list(teachers),
        "code": {**code_digests(), **(code or {})},
        "environment": NOW | versions,
    }
    write_record(runs, run, content)
    return run


def described(runs, *specs, again=False):
    found = find_other_code(specs, runs)
    return found and found.describe(again=again)


def test_runs_of_the_present_code_and_older_records_are_not_named(tmp_path):
    assert described(tmp_path, put(tmp_path), spec(1)) is None
    old = spec(2)
    write_record(tmp_path, old, {"result": RESULT, "environment": {"torch": "1.13.0"}})
    assert described(tmp_path, old) is None


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"code": {"training": "x"}}, "by other code (training code differs)"),
        (
            {"code": {"training": "x", "models": "y"}},
            "by other code (training and models code differ)",
        ),
        ({"torch": "1.13.0"}, "by other versions (torch differs)"),
        (
            {"code": {"data": "x"}, "python": "2.7.1", "pillow": "1"},
            "by other code and versions (data code, Pillow, Python differ)",
        ),
    ],
)
def test_what_differs_is_named_in_one_sentence(tmp_path, changes, expected):
    run = put(tmp_path, **changes)
    said = described(tmp_path, run, put(tmp_path, spec(1)))
    assert said == f"1 run was done before {expected}; --again trains it again"


def test_runs_are_counted_and_their_differences_joined(tmp_path):
    one = put(tmp_path, code={"models": "x"})
    other = put(tmp_path, spec(1), torch="1.13.0", python=NOW["python"] + ".9")
    assert described(tmp_path, one, other, again=True) == (
        "2 runs were done before by other code and versions (models code, torch differ); this "
        "command trains them again"
    )


def test_an_unreadable_record_is_left_to_others(tmp_path):
    run = put(tmp_path)
    (tmp_path / run.key / "record.json").write_text("{")
    assert described(tmp_path, run) is None


def test_a_student_of_a_teacher_that_was_trained_again_is_outdated(tmp_path):
    put(tmp_path, TEACHER, model="one")
    student = spec(0, method="kd", teachers=(TEACHER,))
    put(tmp_path, student, teachers=["one"])
    assert not is_outdated(student, record(tmp_path, student), tmp_path)
    put(tmp_path, TEACHER, model="two")
    assert is_outdated(student, record(tmp_path, student), tmp_path)
    put(tmp_path, student, teachers=["two"], torch="1.13.0")
    assert is_outdated(student, record(tmp_path, student), tmp_path)


def record(runs, run):
    return json.loads((runs / run.key / "record.json").read_text())


def test_a_teacher_whose_record_has_another_form_is_named(tmp_path):
    student = put(tmp_path, spec(0, method="kd", teachers=(TEACHER,)), teachers=["w"])
    put(tmp_path, TEACHER, model=None)
    with pytest.raises(
        DamagedFileError, match=r"record\.json is damaged \(its result has no valid"
    ):
        is_outdated(student, record(tmp_path, student), tmp_path)

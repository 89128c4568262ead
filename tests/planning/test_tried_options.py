"""Options that a run of the same code has are not tried again."""

import pytest

from harness.core.errors import UsageError
from harness.planning import tried_options
from harness.planning.names import resolve_methods
from harness.planning.tried_options import TriedOptions, accept_options, try_options
from methods import METHODS
from methods.description import describe_class
from tests.support import records

FT = METHODS.describe("ft")
SOURCE = resolve_methods(["ft"])[0].digest


@pytest.fixture
def tried(monkeypatch):
    """The options that are tried."""
    values = []
    monkeypatch.setattr(tried_options, "try_options", lambda method, given: values.append(given))
    return values


def store(runs, method="ft", **fields):
    records.write(runs, records.spec(method, **{"source": SOURCE} | fields), "spec.json")


def test_options_of_a_stored_run_are_not_tried(tmp_path, tried):
    store(tmp_path, options={"steps": 3})
    TriedOptions(tmp_path).check(FT, {"steps": 3})
    TriedOptions(tmp_path).check(FT, {})
    assert tried == []


@pytest.mark.parametrize(
    ("stored", "given"),
    [
        ({"options": {"steps": 3}}, {"steps": 4}),
        ({"options": {"steps": 3, "rate": 0.5}}, {"steps": 3}),
        ({"options": {"steps": 3}, "source": "other code"}, {"steps": 3}),
        ({"options": {"steps": 3}, "method": "at"}, {"steps": 3}),
    ],
    ids=["other values", "more values", "other code", "another method"],
)
def test_options_that_no_run_of_the_same_code_has_are_tried(tmp_path, tried, stored, given):
    store(tmp_path, **stored)
    TriedOptions(tmp_path).check(FT, given)
    assert tried == [given]


def test_a_file_that_cannot_be_read_shows_nothing(tmp_path, tried):
    store(tmp_path, options={"steps": 3})
    (path,) = tmp_path.rglob("spec.json")
    path.write_text("{")
    TriedOptions(tmp_path).check(FT, {"steps": 3})
    assert tried == [{"steps": 3}]


def test_methods_of_others_are_always_tried(tmp_path, tried):
    class Mine(METHODS["ft"]):
        name, label = "mine", "Mine"

    TriedOptions(tmp_path).check(describe_class(Mine), {})
    assert tried == [{}]


def test_refused_options_are_named():
    with pytest.raises(UsageError, match="cckd's variant pdrd compares embeddings"):
        try_options(METHODS.describe("cckd"), {"variant": "pdrd", "teacher_embedding": "none"})
    with pytest.raises(UsageError, match="cckd cannot be made with dimension=-1"):
        try_options(METHODS.describe("cckd"), {"dimension": -1})
    accept_options(METHODS.describe("cckd"), {"dimension": -1})

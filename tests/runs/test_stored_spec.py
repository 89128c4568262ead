"""Specs that were read from files: those of this program pass, all others are named."""

import json
from dataclasses import asdict, replace

import pytest

from harness.runs.spec import Recipe, RunSpec
from harness.runs.stored_spec import check_spec, recorded_keys
from tests.support.random_values import generators, paths, put, random_json

TEACHER = RunSpec("msmt17", "none", "resnet101", (), 0, Recipe(), weights="3f", source="aa")
STUDENT = RunSpec(
    "msmt17",
    "pdrd",
    "resnet18",
    (TEACHER,),
    3,
    Recipe(epochs=80, milestones=(40.0, 60.5), schedule="steps"),
    options=(("variant", "original"), ("weight", 0.5)),
    fingerprint="ab",
    device="cuda",
)


def stored(spec):
    """A spec as a file holds it."""
    return json.loads(json.dumps(spec.as_json()))


@pytest.mark.parametrize(
    "spec",
    [
        TEACHER,
        STUDENT,
        replace(STUDENT, teachers=(TEACHER,) * 4),
        replace(STUDENT, method="my.package:Mine"),
        replace(STUDENT, method="torchdistill:../losses/mine.yaml"),
        replace(STUDENT, recipe=Recipe(height=128)),
        replace(TEACHER, head="own", threads=2, device="cpu", weights="none"),
    ],
)
def test_what_this_program_writes_passes(spec):
    check_spec(stored(spec), spec.key)
    assert spec.key in recorded_keys(stored(spec))


def test_the_keys_are_those_of_the_runs():
    """A student of a teacher of another input size had another key in 0.2.0."""
    assert recorded_keys(stored(STUDENT)) == [STUDENT.key]
    other = replace(STUDENT, recipe=Recipe(height=128))
    assert other.key in recorded_keys(stored(other))


def test_fields_of_another_version_count_for_the_key():
    content = stored(STUDENT)
    content["recipe"]["brightness"] = 0.5
    content["curriculum"] = "none"
    (key,) = recorded_keys(content)
    assert key != STUDENT.key
    check_spec(content | {"key": key}, key)
    with pytest.raises(ValueError, match="was changed"):
        check_spec(content, STUDENT.key)


@pytest.mark.parametrize("place", list(paths(stored(STUDENT))), ids=str)
def test_no_value_can_be_changed(place):
    """One after the other, of the run and of its teacher."""
    for value in ("x", 9, None, [], {}, True, 0.25, "../x", "a\nb"):
        content = stored(STUDENT)
        if json.dumps(put(content, place, value)) == json.dumps(value):
            continue
        with pytest.raises(ValueError, match="it|spec"):
            check_spec(content, STUDENT.key)


NAMES = [
    "../../../../thesis/main",
    "..",
    ".",
    "a/b",
    "a\\b",
    "a\nb",
    "a\x1b]52;c;\x07",
    "",
    "a" * 101,
    "\u202eabc",
    "a..b",
    "/etc",
    "~",
]


@pytest.mark.parametrize("field", ["dataset", "network", "head", "device"])
@pytest.mark.parametrize("name", NAMES)
def test_names_that_could_leave_a_folder(field, name):
    """Also where the key was made to fit."""
    content = stored(STUDENT) | {field: name}
    key = recorded_keys(content)[0]
    with pytest.raises(ValueError, match=f"the {field} in its spec cannot be one"):
        check_spec(content | {"key": key}, key)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("lr", float("nan"), "lr"),
        ("lr", float("inf"), "lr"),
        ("lr", -1, "above 0"),
        ("epochs", 2.5, "epochs"),
        ("epochs", 10**30, "epochs"),
        ("epochs", True, "epochs"),
        ("flip", 1.5, "between 0 and 1"),
        ("milestones", [1e999], "milestones"),
        ("milestones", 3, "milestones"),
        ("schedule", "none", "cosine or steps"),
        ("a b", 1, "name of a field"),
    ],
)
def test_numbers_out_of_their_ranges(field, value, message):
    content = stored(STUDENT)
    content["recipe"] = asdict(Recipe(epochs=80, hold_until=60)) | {"milestones": [], field: value}
    with pytest.raises(ValueError, match=message):
        check_spec(content, STUDENT.key)


@pytest.mark.parametrize("threads", [-1, 4097, 2**40, True])
def test_threads_that_no_machine_has(threads):
    content = stored(STUDENT) | {"threads": threads}
    with pytest.raises(ValueError, match="threads in its spec"):
        check_spec(content, STUDENT.key)


def test_any_json_is_refused_in_a_sentence():
    places = [*paths(stored(STUDENT))]
    for source in generators(400):
        value, content = random_json(source), stored(STUDENT)
        if source.random() < 0.1:
            content = value
        elif put(content, source.choice(places), value) == value:
            continue
        with pytest.raises(ValueError, match="spec|which is not its folder") as raised:
            check_spec(content, STUDENT.key)
        assert str(raised.value).isprintable() and len(str(raised.value)) < 1000

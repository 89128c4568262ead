"""Numbers and words that no setting can have: refused in one sentence, before any planning."""

import json

import pytest

from harness.core.errors import ErrorCollector, UsageError
from harness.planning.names import resolve_methods, resolve_request
from harness.planning.overrides import resolve_settings
from harness.planning.request import RunRequest
from harness.planning.schema import StudyFile
from harness.runs.spec import Recipe, RunSpec

LONG = "9" * 5000  # more digits than Python converts
ARABIC = "\u0661\u0662"  # 12, in digits that str.isdigit accepts


@pytest.mark.parametrize(
    "value", ["nan", "inf", "-Infinity", "1e999", "1e300", ARABIC, "", "\x1b", LONG]
)
@pytest.mark.parametrize(
    "name", ["recipe.lr", "kd.weight", "teacher_recipe.erase", "data.difficulty"]
)
def test_numbers(name, value):
    with pytest.raises(UsageError) as caught:
        resolve_settings([], [f"{name}={value}"])
    (problem,) = caught.value.problems
    assert problem.startswith(name) and len(problem) < 250 and problem.isprintable()


@pytest.mark.parametrize(
    "value", ["1e3", "2.5", "-1", "0", "1000001", "9223372036854775808", ARABIC, LONG, "True"]
)
@pytest.mark.parametrize("name", ["recipe.epochs", "recipe.height", "recipe.batch"])
def test_whole_numbers(name, value):
    with pytest.raises(UsageError) as caught:
        resolve_settings([], [f"{name}={value}"])
    (problem,) = caught.value.problems
    assert problem.startswith(name) and len(problem) < 250 and problem.isprintable()


def test_reasons():
    with pytest.raises(
        UsageError, match=r"recipe.height is 5000; it must be at most 4,096: no device"
    ):
        resolve_settings([], ["recipe.height=5000"])
    with pytest.raises(UsageError, match=r"kd.weight takes a number, between -3.4e38 and 3.4e38;"):
        resolve_settings([], ["kd.weight=1e39"])
    with pytest.raises(
        UsageError, match=r"cckd.order takes a whole number, between -1,000,000,000 and 1,0"
    ):
        resolve_settings([], ["cckd.order=10000000000"], resolve_methods(["cckd"]))


def test_words_and_lists():
    for text in ("recipe.schedule=a\x07b", f"cckd.variant={'x' * 300}", "recipe.milestones=1,nan"):
        with pytest.raises(UsageError, match=text.partition("=")[0]):
            resolve_settings([], [text])
    with pytest.raises(UsageError, match="at most 1000 of them"):
        resolve_settings([], [f"recipe.milestones={','.join(map(str, range(1001)))}"])


@pytest.mark.parametrize(
    "text", ["", " ", ",", "-1", "1.5", ARABIC, "\u00b2", str(2**63), LONG, "0x1", "1_0"]
)
@pytest.mark.parametrize("name", ["seeds", "teacher_seed"])
def test_seeds(name, text):
    errors = ErrorCollector()
    resolve_request(RunRequest(methods=("kd",), **{name: text}), StudyFile(), errors)
    with pytest.raises(UsageError, match="The largest seed is 9223372036854775807"):
        errors.raise_if_any()


def test_the_largest_seed():
    errors = ErrorCollector()
    resolved = resolve_request(
        RunRequest(methods=("kd",), seeds=str(2**63 - 1)), StudyFile(), errors
    )
    errors.raise_if_any()
    assert resolved.seeds == (2**63 - 1,)


def test_a_spec_is_json():
    with pytest.raises(ValueError, match="finite"):
        Recipe(lr=float("nan"))
    with pytest.raises(ValueError, match="a finite number"):
        Recipe(weight_decay=float("inf"))
    spec = RunSpec("d", "kd", "cnn5", (), 0, Recipe(), options=(("weight", float("inf")),))
    with pytest.raises(ValueError, match="JSON"):
        spec.as_json()
    assert json.loads(json.dumps(RunSpec("d", "kd", "cnn5", (), 0, Recipe()).as_json()))


@pytest.mark.parametrize(
    "text", ["cckd.dimension=0", "kdpe.power=-1", "kd.temperature=0", "kdpe.temperature=-1"]
)
def test_options_that_a_method_cannot_have(text):
    with pytest.raises(UsageError, match=r"takes a (whole )?number above 0, given"):
        resolve_settings([], [text])

"""`kdreid diff` on runs that were really trained."""

import json
import shutil
from contextlib import redirect_stdout
from io import StringIO

import pytest

from harness.cli.results import print_diff, print_trace
from harness.core.errors import SetupError, UsageError
from harness.runs.lookup import short_id
from tests.support import tiny_grid
from tests.support.records import done, spec


@pytest.fixture(scope="module")
def two(shared_runs, tmp_path_factory):
    """A folder with the plain student's twin under another weight: two students that differ so."""
    runs = tmp_path_factory.mktemp("two")
    shutil.copytree(shared_runs, runs, dirs_exist_ok=True)
    plan, outcome = tiny_grid.run(runs, "kd", overrides=["kd.weight=3"])
    assert not outcome.failed
    usual = tiny_grid.grid(runs, "kd").specs
    first, second = (next(s for s in specs if s.teachers) for specs in (usual, plan.specs))
    return runs, first.key, second.key


def shown(words, runs, other=None, as_json=False):
    with redirect_stdout(StringIO()) as output:
        print_diff(words, runs, other, as_json=as_json)
    return output.getvalue().rstrip()


def test_one_option_and_what_it_leads_to(two):
    runs, first, second = two
    said = shown((short_id(first), second), runs)
    assert said.startswith(f"A  {first}\nB  {second}\nconfig\n  options.weight  not set  3.0\n")
    for section in ("code", "data", "teacher", "environment"):
        assert f"\n{section}: the same\n" in said
    assert "distillation differs from step 1: " in said
    assert "lr differs" not in said
    assert (
        "test: the mAP of A is " in said and "6 queries of 6 identities): within the noise" in said
    )
    assert "do not show the variation between seeds" in said


def test_the_same_as_json(two):
    runs, first, second = two
    found = json.loads(shown((first, second), runs, as_json=True))
    assert found["sections"]["config"] == [{"name": "options.weight", "first": None, "second": 3.0}]
    parting = {part["column"]: part for part in found["courses"]["partings"]}
    assert parting["distillation"]["second"] == pytest.approx(3 * parting["distillation"]["first"])
    assert parting["cross_entropy"]["step"] > 1 and found["courses"]["last_equal"] is None
    (verdict,) = found["verdicts"]
    scores = [json.loads((runs / key / "record.json").read_text()) for key in (first, second)]
    one, other = (s["result"]["evaluations"]["test"][0]["mAP"] for s in scores)
    assert verdict["mean"] == pytest.approx(100 * (one - other))
    assert verdict["more_than_noise"] is False and verdict["p"] > 0.05


def test_a_repetition_in_another_folder_is_equal(two, tmp_path):
    runs, first, _ = two
    again = shutil.copytree(runs / first, tmp_path / first)
    said = shown((first, "1"), runs, tmp_path)
    assert "result: the same" in said and "equal at all 8 steps" in said
    assert "the mAP of A is that of B" in said
    (again / "curve.csv").unlink()
    assert "not compared: " in shown((first, first), runs, tmp_path)


def test_what_cannot_be_compared_is_one_sentence(two, tmp_path):
    runs, first, _ = two
    with pytest.raises(UsageError, match=f"Both are {first}"):
        shown((first, short_id(first)), runs)
    with pytest.raises(UsageError, match="No run is called 'zzz'"):
        shown((first, "zzz"), runs)
    broken = tmp_path / first
    broken.mkdir(parents=True)
    (broken / "spec.json").write_text("{}")
    (broken / "record.json").write_text("{")
    with pytest.raises(SetupError, match="cannot be read as a run: it is not JSON"):
        shown((first, first), runs, tmp_path)


def test_an_installation_is_said_not_to_be_a_checkout(tmp_path):
    """Git's commit there would be that of whatever repository the environment lies in."""
    facts = {"checkout": False, "commit": None, "kd-reid-bench": "0.2.0"}
    done(tmp_path, spec(), 0.5, environment=facts)
    with redirect_stdout(StringIO()) as output:
        print_trace("comparison-synthetic:Student:mAP", tmp_path, as_json=False)
    assert "\n  code: kd-reid-bench 0.2.0, not from a checkout; method " in output.getvalue()
    assert "note: For the code as it was: install kd-reid-bench 0.2.0." in output.getvalue()

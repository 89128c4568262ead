"""A runs folder of others: what its files say is shown, never run, and never leaves the folder."""

import json
import sys
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from harness.cli.app import app
from harness.core.errors import KDReIDError
from harness.plugins import lookup
from harness.plugins.digest import method_digest
from harness.runs.layout import JOB
from harness.runs.spec import Recipe, RunSpec
from methods import METHODS
from tests.support.records import done, failed

RECIPE = Recipe(epochs=3, warmup_epochs=0, hold_until=2, height=64, width=32)
TEACHER = RunSpec("msmt17", "none", "resnet101", (), 0, RECIPE, source="aa")
EVIL = RunSpec(
    "msmt17", "runs.foreign.code.helper:Evil", "resnet18", (TEACHER,), 0, RECIPE, source="bb"
)
BLINKING = "\x1b]52;c;cm0gLXJmIH4=\x07\x1b[5m\rok\u202e"


def stored(spec):
    return json.loads(json.dumps(spec.as_json()))


def write_spec(runs, spec):
    (runs / spec.key).mkdir(parents=True, exist_ok=True)
    (runs / spec.key / "spec.json").write_text(json.dumps(spec.as_json()))


def call(*words):
    """The exit code of a command, and all that it prints; a traceback fails the test."""
    done = CliRunner().invoke(app, [str(word) for word in words])
    if isinstance(done.exception, KDReIDError):
        return done.exception.exit_code, f"{done.output}{done.exception}"
    assert done.exception is None or isinstance(done.exception, SystemExit), done.output
    return done.exit_code, done.output


@pytest.fixture(name="runs")
def runs_with_a_method_of_another_origin(tmp_path, monkeypatch):
    """A finished run and a failed one of a method whose module, below the folder, leaves a mark."""
    runs = tmp_path / "runs"
    code = runs / "foreign" / "code"
    code.mkdir(parents=True)
    (code / "helper.py").write_text(
        f"import pathlib\npathlib.Path({str(tmp_path / 'imported')!r}).touch()\n"
    )
    for spec, accuracy in ((TEACHER, 0.6), (replace(EVIL, seed=1), 0.5), (EVIL, 0.5)):
        write_spec(runs, spec)
        done(runs, stored(spec), accuracy, label="Kindly" if spec.teachers else "Teacher")
    write_spec(runs, replace(EVIL, seed=2))
    failed(runs, stored(replace(EVIL, seed=2)), message="The loss is not finite.")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setattr(lookup, "_named", set())
    yield runs
    for name in [name for name in sys.modules if name.partition(".")[0] == "runs"]:
        del sys.modules[name]


KEY, FAILED = EVIL.key, replace(EVIL, seed=2).key
READING = [
    ("report", "--no-figures"),
    ("report",),
    ("trace", "comparison-msmt17:Kindly:mAP"),
    ("trace", "comparison-msmt17:Kindly:mAP", "--json"),
    ("status",),
    ("status", "--json"),
    ("failures",),
    ("diff", KEY, replace(EVIL, seed=1).key),
    ("list", "methods"),
    ("logs", KEY),
    ("cancel", "--all"),
    ("score", KEY),
    ("embed", KEY),
    ("ranked", KEY, replace(EVIL, seed=1).key),
    ("consistency", KEY),
    ("bench", "cost", KEY),
]


@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_reading_imports_nothing_that_a_file_names(runs, words):
    where = () if words[0] == "list" else ("--runs", runs)
    call(*words, *where)
    assert not (runs.parent / "imported").exists()


def test_the_label_is_the_records_and_the_origin_is_said(runs):
    code, said = call("report", "--no-figures", "--runs", runs)
    assert code == 0 and "Kindly" in said
    _, said = call("trace", "comparison-msmt17:Kindly:mAP", "--runs", runs)
    message = (
        "runs.foreign.code.helper:Evil is a method of another origin: name it with --methods to "
        "check its code."
    )
    assert message in said and message in (runs / "report" / "index.html").read_text()


def test_a_method_that_the_user_names_is_imported(runs):
    cell = "comparison-msmt17:Kindly:mAP"
    code, said = call("trace", cell, "--runs", runs, "--methods", EVIL.method)
    assert (runs.parent / "imported").exists()
    assert code == 2 and "has no method 'Evil'" in said


@pytest.mark.parametrize("given", [(), ("--cluster", "inline"), ("--set", "evil.weight=2")])
def test_training_such_a_run_again_needs_its_name(runs, given):
    code, said = call("retry", FAILED, "--runs", runs, *given)
    assert code == 2 and not (runs.parent / "imported").exists()
    assert "method of another origin: name it with --methods" in said
    call("retry", FAILED, "--runs", runs, "--methods", EVIL.method, *given)
    assert (runs.parent / "imported").exists()


def test_a_profile_in_the_runs_folder_is_not_followed(runs, tmp_path):
    """Its `setup` lines would be run by every job that `retry` submits."""
    spec = replace(EVIL, method="pdrd", seed=3, source=method_digest(METHODS["pdrd"]))
    write_spec(runs, spec)
    failed(runs, stored(spec))
    profile = runs / "helpful.yaml"
    profile.write_text(f"kind: local\nsetup: [touch {tmp_path / 'run'}]\n")
    for name in (str(profile), "runs/helpful.yaml", "../helpful.yml", "x\x1b[5m"):
        job = {"group": "g", "number": 1, "job": None, "cluster": name, "submitted": 0}
        (runs / spec.key / JOB).write_text(json.dumps(job))
        code, said = call("retry", spec.key, "--runs", runs)
        assert code == 2 and "name the profile with --cluster" in said and "\x1b" not in said
    assert not (tmp_path / "run").exists()


def test_a_changed_spec_is_not_trained(runs):
    path = runs / FAILED / "spec.json"
    for field, value in (("threads", 3), ("dataset", "../../x"), ("source", "cc")):
        path.write_text(json.dumps(stored(replace(EVIL, seed=2)) | {field: value}))
        code, said = call("retry", FAILED, "--runs", runs, "--methods", "sp")
        assert code == 2 and ("cannot be trained from its spec" in said or "its key in" in said)
    assert not (runs.parent / "imported").exists()

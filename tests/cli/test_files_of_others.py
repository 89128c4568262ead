"""A runs folder of others: what its files say is shown, never run, and never leaves the folder."""

import json
import sys
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from harness.cli.app import app
from harness.core.errors import KDReIDError
from harness.core.files import write_json
from harness.core.text import printable, printable_lines
from harness.plugins import lookup
from harness.plugins.digest import method_digest
from harness.runs.layout import GROUP, GROUPS, JOB, LOGS
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


@pytest.fixture(name="loud")
def runs_whose_files_hold_control_characters(tmp_path):
    """They stand in every text that a command prints: labels, notes, messages, hosts, logs."""
    runs = tmp_path / "loud"
    loud = replace(EVIL, method="pdrd")
    facts = dict.fromkeys(
        ("commit", "host", "device_name", "finished", "command", "data", "torch"), BLINKING
    )
    shared = {"notes": [BLINKING], "environment": facts | {"dirty": True, "patch": BLINKING}}
    for spec in (TEACHER, loud, replace(loud, seed=1)):
        write_spec(runs, spec)
        paper = {"year": 2020, "venue": BLINKING}
        done(runs, stored(spec), 0.5, label=f"A{BLINKING}", paper=paper, **shared)
    lost = replace(loud, seed=2)
    write_spec(runs, lost)
    failed(runs, stored(lost), kind="error", message=f"{BLINKING}\nsecond{BLINKING}")
    job = {"number": 1, "runs": [lost.key], "job": None}
    write_json(runs / GROUPS / "20260101-000000-ab" / GROUP, {"jobs": [job]})
    logs = runs / GROUPS / "20260101-000000-ab" / LOGS
    logs.mkdir()
    (logs / "1_log.err").write_text(f"RuntimeError: {BLINKING}\n")
    submission = {"group": "20260101-000000-ab", "number": 1, "job": None, "cluster": BLINKING}
    write_json(runs / lost.key / JOB, submission)
    for name in ("spec.json", "record.json"):  # a copy whose folder's name is loud, too
        copy = runs / "msmt17" / "pdrd" / "pair" / f"seed0{BLINKING}"
        copy.mkdir(parents=True, exist_ok=True)
        (copy / name).write_text((runs / loud.key / name).read_text())
    return runs, lost.key


def test_control_characters_reach_no_terminal(loud):
    runs, lost = loud
    for words in (
        ("report", "--no-figures"),
        ("trace", "comparison-msmt17:Student:mAP"),
        ("trace", "comparison-msmt17:pdrd"),
        ("status",),
        ("status", "--json"),
        ("failures",),
        ("failures", "--json"),
        ("logs", lost),
        ("diff", replace(EVIL, method="pdrd").key, replace(EVIL, method="pdrd", seed=1).key),
        ("diff", replace(EVIL, method="pdrd").key, TEACHER.key, "--json"),
        ("retry", lost),
        ("cancel", "--all"),
        ("score", TEACHER.key),
    ):
        _, said = call(*words, "--runs", runs)
        assert printable_lines(said) == said, words
    _, said = call("logs", lost, "--runs", runs)
    assert rf"RuntimeError: {printable(BLINKING)[:10]}" in said


def test_raw_logs_are_the_exception_and_warn(loud):
    runs, lost = loud
    _, said = call("logs", lost, "--raw", "--runs", runs)
    assert BLINKING[:14] in said and "note: --raw prints control characters" in said


def test_no_file_of_a_report_holds_control_characters(loud):
    runs, _ = loud
    call("report", "--no-figures", "--runs", runs)
    for path in (runs / "report").iterdir():
        text = path.read_text()
        assert printable_lines(text) == text, path

"""The commands and snippets of the README and the documentation work as shown."""

import os
import re
import shlex
import shutil
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from harness.cli.app import app
from harness.core.errors import ExitCode, KDReIDError
from harness.plugins.lookup import resolve_method
from harness.runs.lookup import short_id
from harness.testing import assert_loss_conforms
from tests.support import tiny_grid
from tests.support.pages import PAGES, ROOT, TEXT, arguments, command_named, shown_commands

COMMANDS = shown_commands()
OURS = [line for line in COMMANDS if line.startswith(("kdreid", "python -m harness.run"))]
ON_RUNS = [line for line in OURS if "runs/demo" in line]
ON_DATA = [line for line in OURS if "/data" in line]
OF_METHOD = [line for line in OURS if "my_method" in line or "my_loss" in line]
ON_IMAGES = [line for line in OURS if "--dataset synthetic" in line and line not in OF_METHOD]
ALONE = [line for line in OURS if line not in {*ON_RUNS, *ON_DATA, *OF_METHOD, *ON_IMAGES}]
SNIPPETS = re.findall(
    r"<!-- run by tests/test_docs.py(.*?) -->\n```python\n(.*?)```", TEXT, re.DOTALL
)
METHODS = [code for kind, code in SNIPPETS if kind == ": a method"]
SMALL_DATA = ("--set", "data.train_identities=16", "--set", "data.test_identities=2")
ANSWERS = {  # of commands that have nothing to do on finished runs
    "logs": (ExitCode.USAGE, "was not submitted"),
    "retry": (ExitCode.USAGE, "No run in runs/demo failed by gpu-memory"),
    "cancel": (ExitCode.DONE, "None of these runs is queued or running"),
    "failures": (ExitCode.DONE, "No run in runs/demo has failed"),
}
DEMO_RUNS = {"403476ec": "pdrd", "0a42e79b": "rkd", "0f8b4d8e": "none"}  # ids in the pages


def process(*words, cwd=ROOT, **environment):
    """A finished process."""
    return subprocess.run(
        list(map(str, words)),
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
    )


def invoke(*words):
    """Exit code and output of `kdreid`, in this process."""
    result = CliRunner().invoke(app, list(map(str, words)))
    if isinstance(result.exception, KDReIDError):
        return result.exception.exit_code, str(result.exception)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """A folder with finished runs in `runs/demo`, and the ids of the methods' runs."""
    home = tmp_path_factory.mktemp("demo")
    plan, outcome = tiny_grid.run(home / "runs/demo", "pdrd", "rkd", "sp")
    assert not outcome.failed
    shutil.copytree(home / "runs/demo", home / "runs/demo-again")
    return home, {spec.method: short_id(spec.key) for spec in reversed(plan.specs)}


def test_every_command_is_tried():
    assert all((ON_RUNS, ON_DATA, OF_METHOD, ON_IMAGES, ALONE))
    others = [line for line in COMMANDS if line not in OURS and not line.startswith("make ")]
    assert sorted(others) == [
        "cd kd-reid-bench",
        "chgrp GROUP DIR && chmod 2775 DIR",
        "git clone REPOSITORY kd-reid-bench",
        "mkdocs serve",
        "python docs/hooks/picture.py runs/demo docs/assets/demo.png",
        "source .venv/bin/activate",
        "umask 002",
    ]


def test_a_clone_has_what_the_first_commands_need(tmp_path):
    done = process("git", "clone", "-q", "--depth=1", ROOT.as_uri(), "kd-reid-bench", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    names = {path.name for path in (tmp_path / "kd-reid-bench").iterdir()}
    assert {"Makefile", "constraints.txt", "pyproject.toml", "harness"} <= names


def test_make_commands_exist_and_use_the_named_environment():
    targets = [line.removeprefix("make ") for line in COMMANDS if line.startswith("make ")]
    assert {"demo", "test", "check", "docs"} <= set(targets)
    done = process("make", "-n", *targets)
    assert done.returncode == 0, done.stderr
    assert ".venv/bin/python -m harness.run --study demo --runs runs/demo" in done.stdout


def test_an_old_python_is_refused_by_one_sentence(tmp_path):
    old = tmp_path / "python3.10"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.10.13 && exit\nexit 1\n')
    old.chmod(0o755)
    done = process("make", "demo", f"PYTHON={old}", f"VENV={tmp_path / 'venv'}")
    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == (
        f"Python 3.11, 3.12 or 3.13 is needed; {old} --version prints: Python 3.10.13. "
        "Name another one, for example: make demo PYTHON=python3.12"
    )
    assert not (tmp_path / "venv").exists()


@pytest.mark.parametrize("line", OURS)
def test_a_shown_command_is_parsed(line):
    command, words = command_named(arguments(line))
    assert command.make_context("kdreid", words).command is command


@pytest.mark.parametrize("line", ON_RUNS)
def test_a_command_on_finished_runs_works(line, demo, monkeypatch):
    home, ids = demo
    monkeypatch.chdir(home)
    for shown, method in DEMO_RUNS.items():
        line = line.replace(shown, ids[method])
    code, output = invoke(*arguments(line))
    expected, words = ANSWERS.get(arguments(line)[0], (ExitCode.DONE, ""))
    assert code == expected, output
    assert words in output and output.strip()


@pytest.mark.parametrize("line", ON_DATA)
def test_a_command_on_a_real_dataset_lacks_only_what_is_not_here(line, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    more, missing = (("--wait", 0), "slurm") if "doctor" in line else ((), "/data")
    code, output = invoke(*arguments(line), *more)
    assert code == ExitCode.ENVIRONMENT, output
    assert missing in output.lower()


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """A folder in which the images are drawn once."""
    return tmp_path_factory.mktemp("images")


@pytest.mark.parametrize("line", ON_IMAGES)
def test_a_command_on_generated_images_works(line, images, monkeypatch):
    monkeypatch.chdir(images)
    code, output = invoke(*arguments(line), *SMALL_DATA)
    assert code == 0, output
    assert "pdrd" in output


@pytest.mark.parametrize("line", ALONE)
def test_a_command_that_needs_nothing_works(line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small = ("--set", "train_identities=2", "--set", "test_identities=2", "--set", "distractors=0")
    more = ("--images", 12) if "--like" in line else small if "data make" in line else ()
    code, output = invoke(*arguments(line), *more)
    assert code == 0, output
    assert output.strip()


def test_the_commands_for_a_new_method_work_one_after_the_other(images, monkeypatch):
    """Those that train do not train here: `test_a_shown_method_conforms_and_trains` does."""
    monkeypatch.chdir(images)
    monkeypatch.setattr(sys, "path", [*sys.path, str(images)])
    for name in ("my_method", "my_loss"):
        sys.modules.pop(name, None)
    (code,) = (code for code in METHODS if "class MyMethod" in code)
    (images / "my_method.py").write_text(code)
    more = {"new-method": (), "check-method": ("--no-train",), "run": SMALL_DATA}
    lines = {verb: [one for one in OF_METHOD if arguments(one)[0] == verb] for verb in more}
    assert sum(map(len, lines.values())) == len(OF_METHOD)
    for line in (one for several in lines.values() for one in several):
        words = arguments(line)
        code, output = invoke(*words, *more[words[0]])
        assert code == 0, output


def test_readmes_main_commands_work_in_processes_of_their_own(demo, tmp_path):
    lines = re.findall(r"^(?:python -m harness.run|kdreid report) .*", PAGES["README.md"], re.M)
    lines = [line for line in lines if "--cluster" not in line]
    assert len(lines) == 3
    for line in lines:
        words = shlex.split(line.partition("#")[0])
        program = ["-m", "harness"] if words[0] == "kdreid" else words[1:3]
        rest = [*words[1:], "--no-figures"] if words[0] == "kdreid" else words[3:]
        done = process(sys.executable, *program, *rest, cwd=demo[0], TORCH_HOME=str(tmp_path))
        if "/data" in line:
            assert done.returncode == ExitCode.ENVIRONMENT
            assert "/data" in done.stderr
        else:
            assert done.returncode == 0, done.stderr
            assert "PDRD" in done.stdout


@pytest.mark.parametrize(
    ("kind", "code"), [s for s in SNIPPETS if s[1] not in METHODS], ids=lambda text: text[:30]
)
def test_a_snippet_runs_and_prints_numbers(kind, code, demo, monkeypatch, capsys):
    assert kind in ("", ": on finished runs")
    monkeypatch.chdir(demo[0])
    exec(compile(code, "snippet", "exec"), {"__name__": "snippet"})
    assert re.search(r"\d\.\d", capsys.readouterr().out)


@pytest.mark.parametrize("code", METHODS, ids=lambda code: re.search(r"class (\w+)", code)[1])
def test_a_shown_method_conforms_and_trains(code, demo, tmp_path, monkeypatch):
    """It trains from a file in the current folder, under its import path."""
    name = re.search(r"class (\w+)", code)[1]
    (tmp_path / f"shown_{name.lower()}.py").write_text(code)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    path = f"shown_{name.lower()}:{name}"
    method = resolve_method(path)
    assert_loss_conforms(method)
    change = {"overrides": [f"{method.name}.power=2"]} if "power" in code else {}
    plan, outcome = tiny_grid.run(demo[0] / "runs/demo-again", path, **change)  # has its teacher
    assert not outcome.failed
    assert plan.cohorts[-1][-1].options == ((("power", 2.0),) if change else ())


@pytest.mark.chromium
def test_the_picture_is_made_as_shown(demo):
    if not (shutil.which("chromium") or shutil.which("chromium-browser")):
        pytest.skip("No Chromium here: apt-get install --no-install-recommends chromium")
    invoke("report", "--runs", demo[0] / "runs/demo", "--no-figures")
    script = ROOT / "docs/hooks/picture.py"
    done = process(sys.executable, script, "runs/demo", "picture.png", cwd=demo[0])
    assert done.returncode == 0, done.stderr
    assert (demo[0] / "picture.png").read_bytes().startswith(b"\x89PNG")

"""What the README shows works as shown."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from harness.plugins.lookup import resolve_method
from harness.testing import run_checks
from harness.testing.loss_checks import checks
from tests.support import tiny_grid

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
SNIPPETS = re.findall(r"<!-- run by tests/test_docs.py -->\n```python\n(.*?)```", README, re.S)
LINES = [
    line.partition("#")[0].strip()
    for block in re.findall(r"```bash\n(.*?)```", README, re.S)
    for line in block.splitlines()
    if line.strip()
]
COMMANDS = [line for line in LINES if not line.startswith("make")]


def call(line, *more):
    program, *words = shlex.split(line)
    if program == "kdreid":
        command = [sys.executable, "-c", "from harness.cli.app import main; main()", *words]
    else:
        assert words[:2] == ["-m", "harness.run"]
        command = [sys.executable, *words]
    return subprocess.run(
        [*command, *map(str, more)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )


def test_both_make_commands_exist():
    assert [line for line in LINES if line.startswith("make")] == ["make demo", "make test"]
    for line in ("demo", "test", "check"):
        done = subprocess.run(
            ["make", "-n", line], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("line", COMMANDS)
def test_a_shown_command_is_understood(line, tmp_path, monkeypatch):
    """On generated images it works; elsewhere it asks for what this machine lacks, no more."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    if "--runs" in line:
        done = call(line.replace("runs/demo", str(tmp_path / "absent")))
        assert done.returncode == 3
        assert "There is no runs folder" in done.stderr
    elif line.startswith("kdreid data make"):
        small_data = ("train_identities=2", "test_identities=2", "distractors=1", "junk=1")
        settings = (word for name in small_data for word in ("--set", name))
        done = call(line.replace(" made ", f" {tmp_path / 'made'} "), *settings)
        assert done.returncode == 0, done.stderr
    elif line.startswith("kdreid data"):
        done = call(line)
        assert done.returncode == 3
        assert "/data" in done.stderr
    elif "synthetic" in line:
        data = [f"data.{name}" for name in ("train_identities=16", "test_identities=2")]
        done = call(line, "--runs", tmp_path, *(w for d in data for w in ("--set", d)))
        assert done.returncode == 0, done.stderr
        assert "pdrd" in done.stdout
    elif "--data-root" in line:
        done = call(line, "--runs", tmp_path)
        assert done.returncode == 3
        assert "No ImageNet weights for resnet" in done.stderr
        done = call(line, "--runs", tmp_path, "--set", "recipe.pretrained=none")
        assert done.returncode == 3
        assert "/data" in done.stderr
    else:
        assert call(line).returncode == 0


def test_the_loss_snippet_runs():
    done = subprocess.run(
        [sys.executable, "-c", SNIPPETS[0]], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "tensor(" in done.stdout


def test_the_shown_method_is_a_method(tmp_path, monkeypatch):
    """It conforms, and trains from a file in the current folder under its own name."""
    (tmp_path / "centre.py").write_text(SNIPPETS[1])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    centre = resolve_method("centre:Centre")
    assert [f for f in run_checks(checks(centre, "original")) if f.problem] == []
    plan, outcome = tiny_grid.run(tmp_path, "centre:Centre", overrides=["centre.power=2"])
    assert not outcome.failed
    assert plan.cohorts[-1][-1].options == (("power", 2.0),)

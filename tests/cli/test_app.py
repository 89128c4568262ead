"""The command `kdreid`: its help, its version, its old names and its start."""

import os
import re
import subprocess
import sys
import time
from importlib.metadata import version
from subprocess import DEVNULL

import pytest

from harness.cli import app as kdreid
from harness.core.installation import DISTRIBUTION
from tests.support import tiny_grid
from tests.support.command_line import COMMANDS, invoke

PANELS = {
    "Experiments": ["run", "plan", "retry", "cancel"],
    "Runs": ["status", "logs", "failures", "clean"],
    "Results": ["report", "trace", "diff"],
    "Evaluation": ["score", "measure-consistency", "export-embeddings", "compare-rankings"],
    "Data": ["data"],
    "Methods": ["check-method", "new-method", "options"],
    "Setup": ["doctor", "fetch-weights", "list"],
}
OLD_NAMES = {
    "consistency": "measure-consistency",
    "embed": "export-embeddings",
    "ranked": "compare-rankings",
    "networks": "list networks",
}
BENCHMARKS = ("consistency", "evaluate", "npdrk", "loader", "gather", "tests", "extract", "cost")


def panels(text):
    """The first words of the lines of each panel of a help text."""
    found = {}
    for line in text.splitlines():
        if title := re.match(r"╭─ (.+?) ─", line):
            found[title[1]] = []
        elif entry := re.match(r"│ [* ] {4}(\S+)|│ {3}(\S+)|│ (\S+)", line):
            found[list(found)[-1]].append(entry[1] or entry[2] or entry[3])
    return found


def test_help_does_not_import_torch_and_is_quick():
    code = "import sys, harness.cli.app; sys.exit('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=tiny_grid.ROOT, check=False)
    assert done.returncode == 0
    began = time.monotonic()
    subprocess.run([sys.executable, *COMMANDS["kdreid"], "--help"], check=True, stdout=DEVNULL)
    helped = time.monotonic() - began
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", "import torch"], check=True)
    assert helped < time.monotonic() - began


@pytest.mark.parametrize("words", [["status", "--runs", "absent"], ["run", "--help"]])
def test_commands_that_need_no_torch_do_not_import_it(words, tmp_path):
    code = (
        "import sys\nfrom harness.cli.app import app\n"
        "try: app()\nexcept BaseException: sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words], cwd=tiny_grid.ROOT, capture_output=True, check=False
    )
    assert done.returncode == 0


def test_help_lists_the_commands_by_panel():
    found = panels(invoke("--help").stdout)
    assert found.pop("Options") == [
        "--version",
        "--install-completion",
        "--show-completion",
        "--help",
    ]
    assert found == PANELS
    assert list(found) == list(PANELS)


@pytest.mark.parametrize(
    "name", [*OLD_NAMES, *(name for names in PANELS.values() for name in names)]
)
def test_every_command_has_help_without_gaps(name):
    done = invoke(name, "--help")
    assert done.returncode == 0
    assert re.search(r"Usage: kdreid \S+ .*\n\s*\n \S", done.stdout)
    for panel, entries in panels(done.stdout).items():
        assert entries, panel


@pytest.mark.parametrize("old", OLD_NAMES)
def test_an_old_name_is_the_same_command(old):
    new = OLD_NAMES[old]
    helps = [invoke(*name.split(), "--help").stdout.split() for name in (old, new)]
    assert helps[0] == " ".join(helps[1]).replace(new, old).split()


def test_benchmarks_are_hidden_and_callable():
    assert "bench" not in invoke("--help").stdout
    assert set(panels(invoke("bench", "--help").stdout)["Commands"]) == set(BENCHMARKS)
    for name in BENCHMARKS:
        assert invoke("bench", name, "--help").returncode == 0


def test_the_version_is_that_of_the_distribution():
    done = invoke("--version")
    assert done.returncode == 0
    assert done.stdout == f"kdreid {version(DISTRIBUTION)}\n"
    assert re.fullmatch(r"kdreid \d+\.\d+\.\d+\n", done.stdout)


def test_a_copy_that_is_not_installed_says_so(monkeypatch):
    monkeypatch.setattr(kdreid, "installed_version", lambda: None)
    done = invoke("--version")
    assert done.returncode == 0
    assert done.stdout == "kdreid (a copy of the source that is not installed)\n"


def test_python_m_harness_is_kdreid():
    done = subprocess.run(
        [sys.executable, "-m", "harness", "--version"],
        cwd=tiny_grid.ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == invoke("--version").stdout


@pytest.mark.parametrize("package", ["results", "methods"])
def test_a_folder_that_hides_a_package_of_ours_ends_the_start(package, tmp_path):
    (tmp_path / package).mkdir()
    (tmp_path / package / "__init__.py").write_text("")
    done = subprocess.run(
        [sys.executable, "-m", "harness", "list"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(tiny_grid.ROOT)},
    )
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1
    assert str(tmp_path / package) in done.stderr and "hides" in done.stderr

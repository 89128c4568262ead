"""The pages of the documentation agree with the code, and their site is built."""

import importlib
import re
import subprocess
import sys
import tomllib

import pytest
import typer
from ruamel.yaml import YAML

from harness.cli.app import app
from harness.core.errors import ExitCode
from harness.runs import layout
from harness.runs.states import FailureKind, RunState
from tests.support.pages import PAGES, ROOT, TEXT, arguments, command_named, option_names

PROSE = re.sub(r"```.*?```", "", TEXT, flags=re.DOTALL)
CODE = sorted(set(re.findall(r"`([^`\n]+)`", PROSE)))  # between single backticks


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files(page):
    targets = re.findall(
        r"\]\(([^)#\s]+)[^)]*\)", re.sub(r"```.*?```", "", PAGES[page], flags=re.S)
    )
    for target in targets:
        if not target.startswith(("http", "methods.")):
            assert (ROOT / page).parent.joinpath(target).exists(), target


def test_names_in_backticks_exist():
    names = [one for one in CODE if re.fullmatch(r"(harness|methods|results|slurm)(\.\w+)+", one)]
    names = [one for one in names if not one.endswith((".csv", ".json"))]  # files of a report
    assert len(names) > 10
    for name in names:
        module, _, rest = name.partition(".")
        value = importlib.import_module(module)
        for part in rest.split("."):
            if not hasattr(value, part):
                importlib.import_module(f"{value.__name__}.{part}")
            value = getattr(value, part)


def test_paths_in_backticks_exist():
    folders = ("configs", "docs", "harness", "methods", "results", "slurm", "tests")
    paths = [one for one in CODE if one.startswith(tuple(f"{folder}/" for folder in folders))]
    real = [path for path in paths if not re.search(r"\bx\.|_x\.|NAME", path)]
    assert len(real) > 30
    assert [path for path in real if not (ROOT / path).exists()] == []


def test_commands_and_options_in_backticks_exist():
    for code in (one for one in CODE if one.startswith("kdreid ")):
        words = arguments(code.replace("RUN RUN", "1 2"))
        command, rest = command_named(words)
        assert command is not typer.main.get_command(app), code
        known = {name for one in command.params for name in (*one.opts, *one.secondary_opts)}
        assert {word for word in rest if word.startswith("-")} <= {*known, "--help"}, code
    every = option_names(typer.main.get_command(app))
    options = {word for one in CODE if one.startswith("--") for word in one.split()}
    assert {word for word in options if word.startswith("--")} <= every


def test_values_of_the_architecture_are_where_it_says():
    rows = re.findall(r"^\| (`\w+`.*?) \| `(\S+\.py)` \|", TEXT, re.MULTILINE)
    assert len(rows) > 30
    for names, path in rows:
        source = (ROOT / path).read_text()
        for name in re.findall(r"`(\w+)`", names):
            assert re.search(rf"^(class |def )?{name}\b", source, re.MULTILINE), (name, path)


def test_the_layers_are_those_of_the_contract():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = next(one for one in contracts["contracts"] if one["id"] == "layers")["layers"]
    packages = [set(layer.split(" | ")) for layer in layers if layer != "harness.run"]
    rows = re.findall(r"^\| (\d) \| (.*) \|$", PAGES["docs/explanation/architecture.md"], re.M)
    assert [int(number) for number, _ in rows] == list(range(len(packages), 0, -1))
    assert [set(re.findall(r"`([a-z.]+)`", row)) for _, row in rows] == packages


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("docs/guides/inspect-and-retry.md", [state.value for state in RunState]),
        ("docs/reference/run-folder.md", [kind.value for kind in FailureKind]),
        ("docs/reference/exit-codes.md", [code.name for code in ExitCode]),
    ],
)
def test_a_page_lists_every_member(page, words):
    for word in words:
        assert re.search(rf"^\|(?: \d+ \|)? `{word}` \|", PAGES[page], re.MULTILINE), word


def test_the_page_of_the_run_folder_names_every_file():
    names = [value for key, value in vars(layout).items() if key.isupper() and type(value) is str]
    assert len(names) > 10
    assert [name for name in names if name not in PAGES["docs/reference/run-folder.md"]] == []


def test_the_version_is_the_same_everywhere():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    citation = YAML(typ="safe").load(ROOT / "CITATION.cff")
    newest = re.search(r"^## (\S+) - (\S+)$", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert newest.groups() == (version, str(citation["date-released"]))
    assert citation["version"] == version
    assert f"version = {{{version}}}" in PAGES["docs/citing.md"]
    assert {one["doi"] for one in citation["references"]} == set(
        re.findall(r"doi +=\s+\{(.+?)\}", PAGES["docs/citing.md"])
    )


def test_the_site_is_built_strictly_and_requests_nothing_from_elsewhere(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", tmp_path / "site"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    pages = {path: path.read_text() for path in (tmp_path / "site").rglob("*.html")}
    assert len(pages) > 25
    for path, text in pages.items():
        outside = r'<(?:script|img|iframe|source)[^>]*src="https?:|<link[^>]*href="https?:'
        assert not re.search(outside, text), path
        assert "generated:" not in text
    shown = (tmp_path / "site/reference/cli.html").read_text()
    for name, command in typer.main.get_command(app).commands.items():
        assert command.hidden or f"kdreid {name}" in shown

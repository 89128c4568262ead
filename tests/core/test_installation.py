"""Packages in the user's folder that have the names of ours: processes are started there."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness.core import installation
from harness.core.errors import SetupError
from harness.core.installation import (
    HOME,
    PACKAGES,
    add_import_folder,
    ensure_own_packages,
    installed_version,
)
from harness.testing.scaffold import METHOD

SCRIPT = """import sys
from harness.cli.app import main
if __name__ == "__main__":
    sys.exit(main())
"""
COMMANDS = {
    "python -m harness.run": ["-m", "harness.run", "--dataset", "synthetic"],
    "python -m harness": ["-m", "harness", "run", "--dataset", "synthetic"],
    "a worker": ["-m", "harness.execution.worker", "job.json", "--runs", "runs"],
}


@pytest.fixture(name="site", scope="module")
def a_copy_as_a_wheel_installs_it(tmp_path_factory):
    """A folder of packages and a script, which is how pip lays out a wheel."""
    site = tmp_path_factory.mktemp("site")
    for name in (*PACKAGES, "configs"):
        shutil.copytree(HOME / name, site / name, ignore=shutil.ignore_patterns("__pycache__"))
    (site / "bin").mkdir()
    (site / "bin" / "kdreid").write_text(SCRIPT)
    return site


@pytest.fixture(name="folder")
def a_folder_of_the_user(tmp_path):
    (tmp_path / "mine.py").write_text(METHOD.substitute(name="mine", label="Mine", module="mine"))
    return tmp_path


def run(folder, *words, site=None):
    """Run Python in a folder: with the wheel's layout, or as this project is installed here."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {"PYTHONPATH": str(site)} if site else {}
    return subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def add_package(folder, name):
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text("")
    return folder / name


@pytest.mark.parametrize("is_wheel", [True, False], ids=["wheel", "installed"])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_start_from_a_folder_that_hides_ours_ends_at_once(folder, site, command, is_wheel):
    home = site if is_wheel else HOME
    theirs = [add_package(folder, name) for name in ("methods", "results")]
    ended = run(folder, *COMMANDS[command], site=site if is_wheel else None)
    assert ended.returncode == 3, ended.stderr
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"kdreid: {theirs[0]} and {theirs[1]} would be imported in place of ")
    assert f"{home}/methods and {home}/results" in line and "use the command kdreid" in line
    assert not (folder / "runs").exists()


def test_a_module_hides_ours_as_well(folder, site):
    (folder / "slurm.py").write_text("")
    ended = run(folder, *COMMANDS["python -m harness.run"], site=site)
    assert ended.returncode == 3
    assert (
        f"{folder}/slurm.py would be imported in place of this program's {site}/slurm"
        in ended.stderr
    )


def test_a_folder_of_data_hides_nothing_of_a_wheel(folder, site):
    """Python prefers a package anywhere on its path to a folder without __init__.py."""
    (folder / "results").mkdir()
    ended = run(folder, "-m", "harness.run", "--dataset", "nowhere", site=site)
    assert ended.returncode == 2 and "No dataset is called 'nowhere'" in ended.stderr


def test_the_command_uses_our_packages_next_to_the_users(folder, site):
    """The user's method is found in the current folder, and our report is imported after it."""
    for name in PACKAGES[1:]:
        add_package(folder, name)
    words = ["plan", "--methods", "mine:Mine", "--study", "conformance", "--workers", "1"]
    code = (
        "import runpy, sys\n"
        f"sys.argv = ['kdreid', *{words!r}]\n"
        "try:\n"
        f"    runpy.run_path({str(site / 'bin' / 'kdreid')!r}, run_name='__main__')\n"
        "except SystemExit as ended:\n"
        "    assert not ended.code, ended.code\n"
        "import mine, results.report\n"
        "print(mine.__file__, results.report.__file__)\n"
    )
    ended = run(folder, "-P", "-c", code, site=site)
    assert ended.returncode == 0, ended.stderr
    assert "synthetic/mine-Mine/resnet18-cnn5/seed0-" in ended.stdout
    assert ended.stdout.endswith(f"{folder}/mine.py {site}/results/report.py\n")


def test_training_and_report_next_to_the_users_packages(folder):
    """The whole command: the tables at its end need `results.report`."""
    script = Path(sys.executable).with_name("kdreid")
    for name in PACKAGES[1:]:
        add_package(folder, name)
    words = ["run", "--study", "conformance", "--methods", "mine:Mine", "--quiet"]
    ended = run(folder, script, *words, "--device", "cpu", "--set", "recipe.epochs=2")
    assert ended.returncode == 0, ended.stderr
    assert "Mine" in ended.stdout


def test_a_method_in_a_package_with_a_name_of_ours_is_explained(folder, site):
    add_package(folder, "methods")
    shutil.copy(folder / "mine.py", folder / "methods" / "mine.py")
    ended = run(folder, site / "bin" / "kdreid", "check-method", "methods.mine:Mine", site=site)
    assert ended.returncode == 2
    assert "methods is a package of this program: give yours another name" in ended.stderr


def test_a_hidden_package_elsewhere_on_the_path(tmp_path, monkeypatch):
    theirs = add_package(tmp_path, "slurm")
    locations = {name: HOME / name for name in PACKAGES} | {"slurm": theirs}
    monkeypatch.setattr(installation, "_location", locations.get)
    with pytest.raises(
        SetupError, match=f"^{theirs} would be .* remove their folder from Python's"
    ):
        ensure_own_packages()
    with pytest.raises(SetupError, match="would be imported in place of"):
        add_import_folder(tmp_path)


def test_a_missing_package(monkeypatch):
    monkeypatch.setattr(installation, "_location", lambda name: None)
    with pytest.raises(SetupError, match="harness cannot be imported. Install this program again"):
        ensure_own_packages()


def test_a_folder_of_plug_ins_goes_behind_everything(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    before = [*sys.path]
    add_import_folder(tmp_path)
    add_import_folder(tmp_path)
    assert sys.path[: len(before)] == before and sys.path[-1] == str(tmp_path)
    assert sys.path.count(str(tmp_path)) == 1
    assert sys.path.index(str(HOME)) < sys.path.index(str(tmp_path))


@pytest.mark.parametrize("kind", ["wheel", "editable"])
def test_the_installed_version_is_that_of_this_code(tmp_path, monkeypatch, kind):
    """Another version may be installed next to a copy that is started from its folder."""
    site, ours = tmp_path / "site", tmp_path / "my code"
    folder = site / "kd_reid_bench-9.9.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: kd-reid-bench\nVersion: 9.9\n")
    if kind == "editable":
        (folder / "direct_url.json").write_text(json.dumps({"url": ours.as_uri()}))
    monkeypatch.syspath_prepend(site)
    monkeypatch.setattr(installation, "HOME", ours if kind == "editable" else site)
    assert installed_version() == "9.9"
    monkeypatch.setattr(installation, "HOME", tmp_path / "a copy")
    assert installed_version() is None

"""Runs folders that are named oddly, or that are none: decided before anything is trained."""

import os
import shutil
import socket

import pytest

from tests.support import tiny_grid
from tests.support.command_line import invoke

COMMANDS = [
    ("run", "--study", tiny_grid.STUDY, "--methods", "kd"),
    ("plan", "--study", tiny_grid.STUDY, "--methods", "kd"),
    ("report", "--no-figures"),
    ("trace", "comparison-synthetic:KD:mAP"),
    ("status",),
]


@pytest.fixture
def runs(shared_runs, tmp_path):
    return shutil.copytree(shared_runs, tmp_path / "runs")


@pytest.mark.parametrize("words", COMMANDS, ids=[words[0] for words in COMMANDS])
@pytest.mark.parametrize("place", [".", "./", "../runs", "report/..", "report/../.."])
def test_a_runs_folder_is_named_from_within(runs, monkeypatch, words, place):
    (runs / "report").mkdir(exist_ok=True)
    inside = runs / "report" if place == "report/../.." else runs
    monkeypatch.chdir(inside)
    place = ".." if place == "report/../.." else place
    done = invoke(*words, "--runs", place)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "3 done" in done.stdout + done.stderr or words[0] in ("run", "report", "trace")


def _make_file(path):
    path.write_text("")


def _make_socket(path):
    os.chdir(path.parent)  # the name of a socket is short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path.name)


ODD = {
    "a file": _make_file,
    "a pipe": os.mkfifo,
    "a socket": _make_socket,
    "a link to nothing": lambda path: path.symlink_to("/not/mounted/runs"),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "/dev/null": lambda path: path.symlink_to("/dev/null"),
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("make", ODD.values(), ids=ODD)
@pytest.mark.parametrize("below", ["", "deeper"])
def test_what_is_no_folder_is_refused_before_training(tmp_path, monkeypatch, make, below):
    monkeypatch.chdir(tmp_path)
    make(tmp_path / "odd")
    place = tmp_path / "odd" / below
    assert_refused(monkeypatch, place)


@pytest.mark.parametrize("name", ["a\nb", "a\x1b[31m", "a\x85b"])
def test_a_name_with_control_characters_is_refused_as_a_word(tmp_path, name):
    done = invoke("run", "--study", tiny_grid.STUDY, "--methods", "kd", "--runs", tmp_path / name)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("kdreid: The value of '--runs' contains a control character: ")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", ["a" * 300, "/".join(["a" * 200] * 25)])
def test_a_name_that_no_folder_should_have_is_refused_before_training(tmp_path, monkeypatch, name):
    assert_refused(monkeypatch, tmp_path / name)
    assert os.listdir(tmp_path) == []


def assert_refused(monkeypatch, place):
    def train(*_):
        raise AssertionError("planned although the runs folder is none")

    monkeypatch.setattr("harness.planning.plan.make_plan", train)
    done = invoke("run", "--study", tiny_grid.STUDY, "--methods", "kd", "--runs", place)
    assert done.returncode == 3, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("kdreid: The ") and line.endswith("Choose another with --runs DIR.")

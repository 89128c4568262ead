"""Versions, code and machine in a record."""

import shlex
import socket
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import torch

from harness.runs.code_version import GitState
from harness.training import environment
from harness.training.environment import PACKAGES, capture_environment

CPU = torch.device("cpu")


def test_the_time_the_data_and_the_machine_are_recorded():
    before = datetime.now(UTC).replace(microsecond=0)
    content = capture_environment(CPU, Path("images"))
    assert before <= datetime.fromisoformat(content["finished"]) <= datetime.now(UTC)
    assert content["data"] == str(Path.cwd() / "images")
    assert content["host"] == socket.gethostname()
    assert content["command"] == shlex.join(sys.argv)
    assert content["threads"] == torch.get_num_threads()
    assert content["cuda"] is None and content["cudnn"] is None
    assert capture_environment(CPU)["data"] is None


def test_versions_are_those_of_the_installed_packages(monkeypatch):
    content = capture_environment(CPU)
    assert {name: content[name] for name in PACKAGES} == {name: version(name) for name in PACKAGES}
    monkeypatch.setattr(environment, "PACKAGES", ("no-such-package",))
    assert capture_environment(CPU)["no-such-package"] is None


def test_the_code_is_that_of_the_process(monkeypatch):
    state = GitState("c0ffee", dirty=True, patch="12ab")
    monkeypatch.setattr(environment, "git_state", lambda: state)
    content = capture_environment(CPU)
    assert {name: content[name] for name in state._fields} == state._asdict()


def test_an_installation_is_recorded_as_such(monkeypatch):
    monkeypatch.setattr(environment, "git_state", lambda: GitState(checkout=False))
    monkeypatch.setattr(environment, "installed_version", lambda: "9.9")
    content = capture_environment(CPU)
    assert content["checkout"] is False and content["commit"] is None
    assert content["kd-reid-bench"] == "9.9"

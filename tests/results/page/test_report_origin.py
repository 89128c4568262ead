import re
import sys
from pathlib import Path

import pytest

from harness.runs.code_version import GitState
from results.page import report_origin as module
from results.page.report_origin import report_origin


def test_a_call_from_python_names_the_command_that_does_the_same(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/usr/bin/pytest", "-q"])
    origin = report_origin(Path("my runs"), Path("out"))
    assert origin.command == "kdreid report --runs 'my runs' --out out"
    assert origin.runs_option == "--runs 'my runs'"
    assert re.fullmatch(r"20\d\d-\d\d-\d\d \d\d:\d\d UTC", origin.time)
    assert report_origin(Path("x")).command == "kdreid report --runs x"


def test_the_command_line_is_named_as_it_can_be_typed(monkeypatch):
    monkeypatch.setattr(
        sys, "argv", ["/opt/env/bin/kdreid", "report", "--runs", "a b", "--no-figures"]
    )
    assert report_origin(Path("a b")).command == "kdreid report --runs 'a b' --no-figures"


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (GitState("4f5e6d7c8b9a0123", False, None, True), "commit 4f5e6d7c8b9a"),
        (
            GitState("4f5e6d7c8b9a0123", True, "77", True),
            "commit 4f5e6d7c8b9a, with uncommitted changes",
        ),
        (GitState(checkout=False), "kd-reid-bench, not from a checkout"),
    ],
)
def test_the_code_is_named(monkeypatch, state, code):
    monkeypatch.setattr(module, "git_state", lambda: state)
    assert report_origin(Path("runs")).code == code

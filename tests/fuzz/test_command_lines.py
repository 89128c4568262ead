"""Command lines at random: an exit code from 0 to 4 and a sentence, never a traceback."""

import os
import random
import sys

import pytest

from tests.fuzz.command_lines import commands, draw
from tests.fuzz.mutate import run_command
from tests.fuzz.verdicts import HANG
from tests.support import records, run_folders

pytestmark = pytest.mark.timeout(1200, method="thread")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working directory with runs, files that are none, and nothing that could be trained."""
    records.study(tmp_path / "runs", dataset="msmt17")
    run_folders.failed(tmp_path / "runs", 7)
    (tmp_path / "empty").mkdir()
    (tmp_path / "file.py").write_text("import nosuch")
    (tmp_path / "x.yaml").write_text("a: [")
    os.mkfifo(tmp_path / "pipe.yaml")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KDREID_DATA", raising=False)
    return tmp_path


def test_no_traceback(folder, cases, seed):
    found, problems = commands(), []
    for number in range(max(300, cases)):
        line = draw(random.Random(f"{seed}-{number}"), found)
        called = run_command(*line)
        text = f"{called.output}\n{called.errors}"
        is_told = called.code in (0, 1, 4) or called.errors
        if called.failure or "Traceback (" in text or called.code not in range(5) or not is_told:
            kind = "hang" if called.failure == HANG else called.failure
            problems.append(f"{line}: {called.code} {kind} {called.errors[-300:]}")
            sys.stdout.write(f"{problems[-1]}\n")
        if "\x1b" in text.replace("\x1b[", ""):
            problems.append(f"{line}: control characters reach the terminal")
    assert not problems, "\n".join([f"{len(problems)} command lines", *problems])

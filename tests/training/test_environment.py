"""Which code and machine a record speaks of."""

import importlib.util
import shutil
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import pytest
import torch

from harness.training import environment

NOBODYS = ["-c", "user.name=A", "-c", "user.email=a@example.org"]


@pytest.fixture
def checkout(tmp_path):
    """A repository of its own that holds this module."""
    (tmp_path / "harness" / "training").mkdir(parents=True)
    shutil.copy(environment.__file__, tmp_path / "harness" / "training" / "environment.py")
    (tmp_path / "loss.py").write_text("weight = 1\n")
    for words in (["init", "-q"], ["add", "-A"], [*NOBODYS, "commit", "-qm", "First"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    return tmp_path


def commit_of(root):
    """What this module says where it lies in `root`."""
    path = root / "harness" / "training" / "environment.py"
    spec = importlib.util.spec_from_file_location("environment_elsewhere", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.commit()


def test_equal_edits_have_an_equal_digest_and_others_another(checkout):
    name, dirty, patch = commit_of(checkout)
    assert len(name) == 40 and dirty is False and patch is None
    (checkout / "notes.txt").write_text("not part of the code")
    assert commit_of(checkout) == (name, False, None)
    found = []
    for weight in (2, 3, 2, 1):
        (checkout / "loss.py").write_text(f"weight = {weight}\n")
        found.append(commit_of(checkout))
    assert found[0] == found[2] and found[0] != found[1] and found[3] == (name, False, None)
    assert found[0][:2] == found[1][:2] == (name, True)


def test_code_outside_a_repository(checkout):
    shutil.rmtree(checkout / ".git")
    assert commit_of(checkout) == (None, None, None)


def test_the_time_and_the_data_are_told():
    before = datetime.now(UTC).replace(microsecond=0)
    told = environment.capture_environment(torch.device("cpu"), Path("images"))
    assert before <= datetime.fromisoformat(told["finished"]) <= datetime.now(UTC)
    assert told["data"] == str(Path.cwd() / "images")
    assert told["torch"] == version("torch")
    assert told["cuda"] is None and told["cudnn"] is None

"""The version of the code: of a clone, of a copy for jobs and of an installation."""

import json
import subprocess

import pytest

from harness.runs import code_version
from harness.runs.code_version import COMMIT_FILE, GitState, git_state


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """Take a small repository for the one that the code lies in."""
    monkeypatch.setattr(code_version, "__file__", str(tmp_path / "harness" / "runs" / "module.py"))
    git_state.cache_clear()
    yield tmp_path
    git_state.cache_clear()


def git(folder, *arguments):
    options = ("-c", "user.name=n", "-c", "user.email=e", "-c", "commit.gpgsign=false")
    command = ["git", "-C", str(folder), *options, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def committed(clone):
    git(clone, "init", "-q")
    (clone / "file.py").write_text("a = 1\n")
    git(clone, "add", "file.py")
    git(clone, "commit", "-q", "-m", "c")
    return clone


def test_a_clean_clone_has_a_commit_and_no_patch(committed):
    (committed / "untracked").write_text("")
    assert git_state() == GitState(git(committed, "rev-parse", "HEAD"), dirty=False, patch=None)


def test_local_changes_have_a_digest_of_their_own(committed):
    patches = []
    for text in ("a = 2\n", "a = 3\n", "a = 2\n"):
        (committed / "file.py").write_text(text)
        git_state.cache_clear()
        assert git_state().dirty
        patches.append(git_state().patch)
    assert patches[0] == patches[2] != patches[1]


def test_the_state_is_kept_while_files_are_edited(committed):
    before = git_state()
    (committed / "file.py").write_text("a = 2\n")
    assert git_state() == before


def test_outside_a_clone_nothing_is_known(clone):
    assert git_state() == GitState(None, None, None)


def test_a_copy_for_jobs_has_the_state_in_a_file(committed):
    state = GitState("c0ffee", dirty=True, patch="12ab")
    (committed / COMMIT_FILE).write_text(json.dumps(state))
    assert (committed / COMMIT_FILE).read_text() == '["c0ffee", true, "12ab"]'
    assert git_state() == state

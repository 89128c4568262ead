"""The version of the code: of a clone, of a copy for jobs and of an installation."""

import json
import subprocess

import pytest

from harness.runs import code_version
from harness.runs.code_version import COMMIT_FILE, GitState, git_state


def take_for_ours(folder, monkeypatch):
    """Let the code lie in a folder."""
    file = folder / "harness" / "runs" / "module.py"
    file.parent.mkdir(parents=True)
    file.write_text("")
    monkeypatch.setattr(code_version, "__file__", str(file))
    git_state.cache_clear()


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """Take a small repository for the one that the code lies in."""
    take_for_ours(tmp_path, monkeypatch)
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
    git(clone, "add", "file.py", "harness")
    git(clone, "commit", "-q", "-m", "c")
    return clone


def test_a_clean_clone_has_a_commit_and_no_patch(committed):
    (committed / "untracked").write_text("")
    head = git(committed, "rev-parse", "HEAD")
    assert git_state() == GitState(head, dirty=False, patch=None, checkout=True)


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
    assert git_state() == GitState(None, None, None, checkout=False)


@pytest.mark.parametrize("ignored", [True, False])
def test_a_repository_that_the_code_is_installed_in_is_not_its_own(committed, monkeypatch, ignored):
    """Such as one whose `.venv` the package is in: its commit says nothing about the code."""
    (committed / ".gitignore").write_text(".venv\n" if ignored else "")
    take_for_ours(committed / ".venv" / "lib" / "site-packages", monkeypatch)
    assert git_state() == GitState(None, None, None, checkout=False)


def test_a_repository_that_a_variable_names_is_not_asked(committed, tmp_path_factory, monkeypatch):
    other = tmp_path_factory.mktemp("other")
    git(other, "init", "-q")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    state = git_state()
    monkeypatch.undo()
    assert state.commit == git(committed, "rev-parse", "HEAD")


def test_a_folder_of_another_repository_counts_alone(clone, monkeypatch):
    """The code may be a part of a larger repository, whose other files do not matter."""
    git(clone, "init", "-q")
    take_for_ours(clone / "third_party" / "bench", monkeypatch)
    (clone / "notes.txt").write_text("a")
    git(clone, "add", "-A")
    git(clone, "commit", "-q", "-m", "c")
    (clone / "notes.txt").write_text("b")
    assert git_state() == GitState(git(clone, "rev-parse", "HEAD"), False, None, True)


def test_without_git_nothing_is_known(committed, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert git_state() == GitState(None, None, None, None)


def test_a_copy_for_jobs_has_the_state_in_a_file(committed):
    state = GitState("c0ffee", dirty=True, patch="12ab", checkout=True)
    (committed / COMMIT_FILE).write_text(json.dumps(state))
    assert (committed / COMMIT_FILE).read_text() == '["c0ffee", true, "12ab", true]'
    assert git_state() == state


def test_a_copy_of_0_2_0_is_read(committed):
    (committed / COMMIT_FILE).write_text('["c0ffee", true, "12ab"]')
    assert git_state() == GitState("c0ffee", dirty=True, patch="12ab", checkout=None)

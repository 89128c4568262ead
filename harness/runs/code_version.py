"""Identify the code that is running: its commit, and a digest of local changes."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

COMMIT_FILE = "commit.json"  # of a copy of the code: a GitState as a JSON list
# Variables that make git read another repository than the one that a folder lies in.
REPOSITORY_VARIABLES = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_COMMON_DIR",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
)


class GitState(NamedTuple):
    """Commit of the running code and its local changes; these are None outside a checkout."""

    commit: str | None = None
    dirty: bool | None = None  # whether tracked files differ from the commit
    patch: str | None = None  # digest of `git diff HEAD`; None without local changes
    checkout: bool | None = None  # whether git tracks this code; None: git does not answer


@lru_cache
def git_state() -> GitState:
    """Return the state of the code that this process runs.

    Two runs with the same commit and patch ran the same code. The state is read once and kept,
    because files may be edited while a process runs. A copy made for jobs has it in `COMMIT_FILE`:
    the repository that the copy lies in may have changed since.

    A repository counts only if it tracks this file: an installation may lie in the folder of any
    other.
    """
    file = Path(__file__)
    root = file.parents[2]
    if (root / COMMIT_FILE).exists():
        return GitState(*json.loads((root / COMMIT_FILE).read_text()))

    def git(*arguments: str) -> bytes:
        command = ["git", "-C", str(root), *arguments]
        kept = {k: v for k, v in os.environ.items() if k not in REPOSITORY_VARIABLES}
        variables = kept | {"LC_ALL": "C"}  # its messages in English
        done = subprocess.run(command, capture_output=True, check=True, env=variables)
        return done.stdout.strip()

    try:
        git("rev-parse", "--git-dir")
    except OSError:
        return GitState()  # there is no git
    except subprocess.CalledProcessError as error:
        is_outside = b"not a git repository" in error.stderr
        return GitState(checkout=False if is_outside else None)
    try:
        git("ls-files", "--error-unmatch", "--", str(file.relative_to(root)))
    except subprocess.CalledProcessError:
        return GitState(checkout=False)
    try:
        commit = git("rev-parse", "HEAD").decode()
        options = ("--binary", "--no-ext-diff", "--no-textconv", "--no-color", "--relative")
        diff = git("diff", "HEAD", *options)
    except subprocess.CalledProcessError:
        return GitState()
    patch = hashlib.sha256(diff).hexdigest()[:16] if diff else None
    return GitState(commit, bool(diff), patch, checkout=True)

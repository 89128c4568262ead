"""Identify the code that is running: its commit, and a digest of local changes."""

from __future__ import annotations

import hashlib
import json
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

COMMIT_FILE = "commit.json"  # of a copy of the code: a GitState as a JSON list


class GitState(NamedTuple):
    """Commit of the running code and its local changes; every field is None outside a clone."""

    commit: str | None = None
    dirty: bool | None = None  # whether tracked files differ from the commit
    patch: str | None = None  # digest of `git diff HEAD`; None without local changes


@lru_cache
def git_state() -> GitState:
    """Return the state of the code that this process runs.

    Two runs with the same commit and patch ran the same code. The state is read once and kept,
    because files may be edited while a process runs. A copy made for jobs has it in `COMMIT_FILE`:
    the repository that the copy lies in may have changed since.
    """
    root = Path(__file__).parents[2]
    if (root / COMMIT_FILE).exists():
        return GitState(*json.loads((root / COMMIT_FILE).read_text()))

    def git(*arguments: str) -> bytes:
        command = ["git", "-C", str(root), *arguments]
        return subprocess.run(command, capture_output=True, check=True).stdout.strip()

    try:
        commit = git("rev-parse", "HEAD").decode()
        diff = git("diff", "HEAD", "--binary", "--no-ext-diff", "--no-textconv", "--no-color")
    except (OSError, subprocess.CalledProcessError):
        return GitState()
    patch = hashlib.sha256(diff).hexdigest()[:16] if diff else None
    return GitState(commit, bool(diff), patch)

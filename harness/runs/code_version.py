"""Identify the code that is running: commit, local changes and their digest."""

from __future__ import annotations

import hashlib
import json
import subprocess
from functools import lru_cache
from pathlib import Path

COMMIT_FILE = "commit.json"


@lru_cache
def git_state() -> tuple[str | None, bool | None, str | None]:
    """The commit this code was checked out from, whether tracked files differ from it, and how.

    The last is a digest of `git diff HEAD`: two runs that have the same ran the same code. Asked
    when the program starts to work and kept, since files may be edited meanwhile. A copy made for
    jobs has it in a file: the repository around it may have moved on.
    """
    root = Path(__file__).parents[2]
    if (root / COMMIT_FILE).exists():
        name, dirty, patch = json.loads((root / COMMIT_FILE).read_text())
        return name, dirty, patch

    def git(*arguments: str) -> bytes:
        command = ["git", "-C", str(root), *arguments]
        return subprocess.run(command, capture_output=True, check=True).stdout.strip()

    try:
        name = git("rev-parse", "HEAD").decode()
        changes = git("diff", "HEAD", "--binary", "--no-ext-diff", "--no-textconv", "--no-color")
    except (OSError, subprocess.CalledProcessError):
        return None, None, None
    return name, bool(changes), hashlib.sha256(changes).hexdigest()[:16] if changes else None

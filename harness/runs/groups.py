"""One submission on disk: `groups/<name>/group.json`, and in each run's folder its last job.

It is written before the first job is submitted and again after each array, so that a submitter
killed at any moment leaves the truth, or jobs whose names tell where they belong.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.core.files import read_json
from harness.runs.layout import GROUP, GROUPS, JOB


def job_name_prefix(group: str) -> str:
    """How the names of all jobs of a group begin."""
    return f"kdreid-{group}-"


def read_run_submission(runs: Path, key: str) -> dict[str, Any] | None:
    """What the last submission of a run wrote; None if it was never submitted."""
    return read_json(runs / key / JOB)


def read_submission(runs: Path, name: str) -> dict[str, Any] | None:
    """A group as it was written last."""
    return read_json(runs / GROUPS / name / GROUP)

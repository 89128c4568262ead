"""Read submissions: `groups/<name>/group.json`, and in each run's folder its last job.

`harness.execution.cluster.submission` writes both before the first job is submitted and again after
each array. If a submitter is killed in between, the names of the jobs still show which submission
and run they belong to.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.core.files import read_json
from harness.runs.layout import GROUP, GROUPS, JOB


def job_name_prefix(submission: str) -> str:
    """Return the beginning of the names of all jobs of a submission, given its name."""
    return f"kdreid-{submission}-"


def read_run_submission(runs: Path, key: str) -> dict[str, Any] | None:
    """Return the content of a run's `job.json`; None if the run was never submitted."""
    return read_json(runs / key / JOB)


def read_submission(runs: Path, name: str) -> dict[str, Any] | None:
    """Return the content of a submission's `group.json`; None if there is no such submission."""
    return read_json(runs / GROUPS / name / GROUP)

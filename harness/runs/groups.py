"""Read submissions: `groups/<name>/group.json`, and in each run's folder its last job.

`harness.execution.cluster.submission` writes both before the first job is submitted and again after
each array. If a submitter is killed in between, the names of the jobs still show which submission
and run they belong to.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from harness.core.file_errors import damaged_file
from harness.core.files import read_json
from harness.runs.layout import GROUP, GROUPS, JOB

_SUBMISSION = re.compile(r"\w[\w.-]{0,99}")  # the name of a folder below the runs folder
_MAX_COUNT, _MAX_TIME = 10**9, 1e12


def job_name_prefix(submission: str) -> str:
    """Return the beginning of the names of all jobs of a submission, given its name."""
    return f"kdreid-{submission}-"


def read_run_submission(runs: Path, key: str) -> dict[str, Any] | None:
    """Return the content of a run's `job.json`; None if the run was never submitted.

    Raises:
        UnreadableFileError: It cannot be read.
        DamagedFileError: It does not have the form that `Submission.write` gives it.
    """
    path = runs / key / JOB
    content = read_json(path)
    if content is not None and not _is_run_submission(content):
        raise damaged_file(path, "it does not name a job of a submission")
    return content


def read_submission(runs: Path, name: str) -> dict[str, Any] | None:
    """Return the content of a submission's `group.json`; None if there is no such submission.

    Raises:
        UnreadableFileError: It cannot be read.
        DamagedFileError: It does not have the form that `Submission.write` gives it.
    """
    path = runs / GROUPS / name / GROUP
    content = read_json(path)
    if content is not None and not _is_submission(content):
        raise damaged_file(path, "it does not list jobs")
    return content


def _is_run_submission(content: dict[str, Any]) -> bool:
    return (
        isinstance(content.get("group"), str)
        and _SUBMISSION.fullmatch(content["group"]) is not None
        and _is_count(content.get("number"))
        and isinstance(content.get("job"), str | None)
        and isinstance(content.get("cluster", ""), str)
        and is_time(content.get("submitted", 0))
    )


def _is_submission(content: dict[str, Any]) -> bool:
    jobs = content.get("jobs")
    return isinstance(jobs, list) and all(
        isinstance(job, dict)
        and _is_count(job.get("number"))
        and _is_count(job.get("index", 0))
        and isinstance(job.get("job"), str | None)
        and isinstance(job.get("array", ""), str)
        and isinstance(job.get("runs"), list)
        and all(isinstance(key, str) for key in job["runs"])
        for job in jobs
    )


def _is_count(value: object) -> bool:
    return isinstance(value, int) and 0 <= value < _MAX_COUNT


def is_time(value: object) -> bool:
    """Return whether a value that a file holds can be a Unix time."""
    return isinstance(value, int | float) and abs(value) < _MAX_TIME  # false for NaN

"""Write why a worker ended into the folders of its runs, whatever kept it from starting.

This module does without torch, and without the job file if that is damaged: then the runs are those
that their own `job.json` or the submission assigns to the job.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.core.errors import FileError, KDReIDError
from harness.core.files import file_exists, read_json
from harness.core.lease import try_acquire
from harness.core.text import printable
from harness.runs.groups import read_run_submission, read_submission
from harness.runs.layout import RECORD, SPEC
from harness.runs.lookup import list_run_keys
from harness.runs.record import write_failure_of
from harness.runs.states import FailureKind
from harness.runs.submissions import submitted_jobs


def runs_of_job(job_file: Path, runs: Path) -> list[str]:
    """Return the keys of a job's runs, from whichever file names them.

    Args:
        job_file: `groups/<submission>/<number>.json`, which may be missing or damaged.
        runs: The runs folder.
    """
    try:
        known = list_run_keys(runs)
    except (KDReIDError, OSError):
        return []
    group, number = job_file.parent.name, job_file.stem
    named: set[str] = set()
    for content in (_read(job_file), *_jobs_of_group(runs, group, number)):
        keys = content.get("runs")
        named |= {key for key in keys if isinstance(key, str)} if isinstance(keys, list) else set()
    if not named & {*known}:
        named = {key for key in known if _was_submitted(runs, key, group, number)}
    return [key for key in known if key in named]


def record_failures(
    runs: Path, keys: Sequence[str], kind: FailureKind, message: str, trace: str = ""
) -> None:
    """Write a failure for each run that is neither done nor held by another process.

    It is written under the run's lease, so that it never lies beside the record of a process that
    took the run over. What cannot be written is printed.
    """
    for key in keys:
        folder = runs / key
        try:
            lease = try_acquire(folder)
            if lease is None:
                continue
            with lease:
                if not file_exists(folder / RECORD):
                    write_failure_of(runs, key, _read(folder / SPEC), kind, message, trace)
        except (OSError, KDReIDError) as error:
            sys.stderr.write(f"kdreid: the failure of {key} cannot be written ({error}).\n")


def describe_error(error: Exception) -> tuple[FailureKind, str, str]:
    """Return the kind of failure that an error is, one sentence, and the traceback if it helps."""
    if isinstance(error, KDReIDError):
        return FailureKind.SETUP, str(error), ""
    try:
        from harness.training.failures import describe_failure
    except Exception:  # it may be torch that cannot be imported
        message = printable(f"{type(error).__name__}: {error}")
        return FailureKind.ERROR, message, "".join(traceback.format_exception(error))
    failure = describe_failure(error)
    return failure.kind, failure.message, failure.trace


def _jobs_of_group(runs: Path, group: str, number: str) -> list[dict[str, Any]]:
    try:
        content = read_submission(runs, group) or {}
    except FileError:
        return []
    return [job for job in submitted_jobs(content) if str(job.get("number")) == number]


def _was_submitted(runs: Path, key: str, group: str, number: str) -> bool:
    """Return whether a run's last submission is this job."""
    try:
        content = read_run_submission(runs, key) or {}
    except FileError:
        return False
    return (content.get("group"), str(content.get("number"))) == (group, number)


def _read(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file; empty if it is missing, damaged or unreadable."""
    try:
        return read_json(path) or {}
    except FileError:
        return {}

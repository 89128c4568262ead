"""Read the submissions of runs: the last one of a run, all of a runs folder, and their logs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.core.errors import FileError
from harness.core.lease import inspect_lease
from harness.runs.groups import read_run_submission, read_submission
from harness.runs.layout import GROUPS, LOGS

LOCAL_PREFIX = "local-"  # of the ids of jobs that a pool of processes on one machine started


def local_id(process: int) -> str:
    """Return the id of a job that a process of this machine runs."""
    return f"{LOCAL_PREFIX}{process}"


@dataclass(frozen=True, slots=True)
class RunSubmission:
    """Last submission of a run.

    Attributes:
        group: Name of the submission.
        number: Number of the run's job within the submission, from 1.
        job: Slurm's id, `local-<process>`, or None if the job was not handed over.
        cluster: Name of the profile.
        submitted: Unix time.
    """

    group: str
    number: int
    job: str | None
    cluster: str
    submitted: float

    @property
    def slurm_id(self) -> str | None:
        """Slurm's id of the job, as `12` or `12_3`; None if Slurm does not have it."""
        return self.job if self.job and re.fullmatch(r"\d+(_\d+)?", self.job) else None

    @property
    def is_local(self) -> bool:
        """True if a pool of processes on one machine started the job."""
        return (self.job or "").startswith(LOCAL_PREFIX)

    def is_pool_alive(self, runs: Path) -> bool:
        """Return whether the process of a local submission is alive; writes nothing."""
        lease = inspect_lease(runs / GROUPS / self.group)
        return lease is not None and lease.is_alive


def last_submission(runs: Path, key: str) -> RunSubmission | None:
    """Return the last submission of a run; None if the run was never submitted."""
    content = read_run_submission(runs, key)
    if content is None:
        return None
    return RunSubmission(
        group=content["group"],
        number=content["number"],
        job=content.get("job"),
        cluster=content.get("cluster", ""),
        submitted=float(content.get("submitted", 0)),
    )


def iter_submissions(
    runs: Path, problems: list[str] | None = None
) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield the folder and content of every submission, oldest first: names begin with the date.

    Args:
        runs: The runs folder.
        problems: Gets a sentence for each that is skipped: it is damaged, or cannot be read.
    """
    for folder in sorted((runs / GROUPS).glob("*/")):
        try:
            content = read_submission(runs, folder.name)
        except FileError as error:
            if problems is not None:
                problems.append(str(error))
            continue
        if content is not None:
            yield folder, content


def submitted_jobs(content: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the jobs of a submission, as `read_submission` returned it."""
    jobs: list[dict[str, Any]] = content.get("jobs", [])
    return jobs


@dataclass(frozen=True, slots=True)
class LogFiles:
    """Log files of one job of a submission.

    Attributes:
        group: Name of the submission.
        number: Number of the job within the submission.
        job: The job's id; empty if it was not handed over.
        files: Paths of all attempts, standard output before standard error.
    """

    group: str
    number: int
    job: str
    files: tuple[Path, ...]


def log_files(runs: Path, key: str, problems: list[str] | None = None) -> list[LogFiles]:
    """Return the log files of every submission of a run, oldest first.

    Args:
        runs: The runs folder.
        key: The run.
        problems: See `iter_submissions`.
    """
    logs = []
    for folder, content in iter_submissions(runs, problems):
        for job in submitted_jobs(content):
            if key in job["runs"]:
                number, job_id = job["number"], job.get("job") or ""
                paths = _log_paths(folder / LOGS, number, job_id)
                logs.append(LogFiles(folder.name, number, job_id, paths))
    return logs


def _log_paths(folder: Path, number: int, job_id: str) -> tuple[Path, ...]:
    """Find a job's logs by its id, as `12_3_0_log.out`, or by its number, as `4.out`."""
    by_id = rf"{re.escape(job_id)}_\d+_log" if job_id else "(?!)"  # which matches nothing
    pattern = re.compile(rf"({by_id}|{number}|{number}_log|{number}\.log)\.(out|err|log)")
    paths = [path for path in folder.glob("*") if pattern.fullmatch(path.name) and path.is_file()]
    return tuple(sorted(paths, key=lambda path: (path.suffix == ".err", path.name)))

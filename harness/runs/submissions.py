"""The jobs of runs as a look at the disk finds them: the last submission, all logs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.core.files import read_json
from harness.core.lease import inspect_lease
from harness.runs.groups import read_run_submission
from harness.runs.layout import GROUP, GROUPS, LOGS


@dataclass(frozen=True, slots=True)
class RunSubmission:
    """The last submission of a run."""

    group: str
    number: int  # of the job within the group
    job: str | None  # Slurm's id, `local-<pid>`, or None: it was never handed over
    cluster: str
    submitted: float  # Unix time

    @property
    def slurm(self) -> str | None:
        """The id to ask Slurm about, if this is a job of Slurm."""
        return self.job if self.job and re.fullmatch(r"\d+(_\d+)?", self.job) else None

    @property
    def local(self) -> bool:
        """Whether it was given to a pool of processes of one machine."""
        return (self.job or "").startswith("local-")

    def is_pool_alive(self, runs: Path) -> bool:
        """Whether the process that works through its group is at it; leaves no trace."""
        lease = inspect_lease(runs / GROUPS / self.group)
        return lease is not None and lease.is_alive


def last_submission(runs: Path, key: str) -> RunSubmission | None:
    """How a run was last submitted; None if it never was."""
    told = read_run_submission(runs, key)
    if told is None:
        return None
    job = told.get("job")
    try:
        return RunSubmission(
            str(told["group"]),
            int(told["number"]),
            None if job is None else str(job),
            str(told.get("cluster", "")),
            float(told.get("submitted", 0)),
        )
    except (KeyError, TypeError, ValueError):
        return None


def iter_submissions(runs: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Every submission's folder and content, oldest first: their names begin with the date."""
    for path in sorted((runs / GROUPS).glob(f"*/{GROUP}")):
        if (content := read_json(path)) is not None:
            yield path.parent, content


def submitted_jobs(content: dict[str, Any]) -> list[dict[str, Any]]:
    """The jobs of a group, without what is not of the agreed form."""
    jobs = content.get("jobs")
    return [job for job in jobs if isinstance(job, dict)] if isinstance(jobs, list) else []


@dataclass(frozen=True, slots=True)
class LogFiles:
    """The files that one job of one group wrote for all its attempts; out before err."""

    group: str
    number: int
    job: str
    files: tuple[Path, ...]


def log_files(runs: Path, key: str) -> list[LogFiles]:
    """What every submission of a run wrote, oldest first."""
    found = []
    for folder, content in iter_submissions(runs):
        for job in submitted_jobs(content):
            if key in (job.get("runs") or []):
                number, name = int(job.get("number", 0)), str(job.get("job") or "")
                found.append(
                    LogFiles(folder.name, number, name, _files(folder / LOGS, number, name))
                )
    return found


def _files(folder: Path, number: int, job: str) -> tuple[Path, ...]:
    """By Slurm's id, as `12_3_0_log.out`, or by the job's number in the group, as `4.out`."""
    named = rf"{re.escape(job)}_\d+_log" if job else "(?!)"
    pattern = re.compile(rf"({named}|{number}|{number}_log|{number}\.log)\.(out|err|log)")
    files = [path for path in folder.glob("*") if pattern.fullmatch(path.name)]
    return tuple(sorted(files, key=lambda path: (path.suffix == ".err", path.name)))

"""What submissions leave on disk: `groups/<name>/` with jobs and logs, `job.json` in each run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.files import read_json

GROUPS, GROUP, JOB, LOGS = "groups", "group.json", "job.json", "logs"


@dataclass(frozen=True, slots=True)
class Submission:
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
    def process(self) -> int | None:
        """The process on this machine that takes care of it, if it was given to one."""
        found = re.fullmatch(r"local-(\d+)", self.job or "")
        return int(found[1]) if found else None

    def looked_after(self) -> bool:
        """Whether that process lives and is one of ours: numbers are used again."""
        if self.process is None:
            return False
        try:
            command = Path(f"/proc/{self.process}/cmdline").read_bytes()
        except OSError:
            return False
        return b"harness" in command or b"kdreid" in command


def submission_of(folder: Path) -> Submission | None:
    """How a run was last submitted; None if it never was."""
    told = read_json(folder / JOB)
    if told is None:
        return None
    job = told.get("job")
    try:
        return Submission(
            str(told["group"]), int(told["number"]), None if job is None else str(job),
            str(told.get("cluster", "")), float(told.get("submitted", 0)),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError):
        return None


def groups(runs: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Every submission's folder and content, oldest first: their names begin with the date."""
    for path in sorted((runs / GROUPS).glob(f"*/{GROUP}")):
        if (content := read_json(path)) is not None:
            yield path.parent, content


def jobs_of(content: dict[str, Any]) -> list[dict[str, Any]]:
    """The jobs of a group, without what is not of the agreed form."""
    jobs = content.get("jobs")
    return [job for job in jobs if isinstance(job, dict)] if isinstance(jobs, list) else []


@dataclass(frozen=True, slots=True)
class Logs:
    """The files that one job of one group wrote for all its attempts; out before err."""

    group: str
    number: int
    job: str
    files: tuple[Path, ...]


def logs_of(runs: Path, key: str) -> list[Logs]:
    """What every submission of a run wrote, oldest first."""
    found = []
    for folder, content in groups(runs):
        for job in jobs_of(content):
            if key in (job.get("runs") or []):
                number, name = int(job.get("number", 0)), str(job.get("job") or "")
                found.append(Logs(folder.name, number, name, _files(folder / LOGS, number, name)))
    return found


def _files(folder: Path, number: int, job: str) -> tuple[Path, ...]:
    """By Slurm's id, as `12_3_0_log.out`, or by the job's number in the group, as `4.out`."""
    named = rf"{re.escape(job)}_\d+_log" if job else "(?!)"
    pattern = re.compile(rf"({named}|{number}|{number}_log|{number}\.log)\.(out|err|log)")
    files = [path for path in folder.glob("*") if pattern.fullmatch(path.name)]
    return tuple(sorted(files, key=lambda path: (path.suffix == ".err", path.name)))

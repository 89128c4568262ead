"""A submission and its jobs, written below the runs folder so that any later command finds them.

    groups/<name>/group.json      the submission with all its jobs
    groups/<name>/<number>.json   the job file (`JobSpec`) of each job
    groups/<name>/logs/           the jobs' logs
    <run's key>/job.json          the last job of each run

This module writes them. `harness.runs.layout` names them, and `harness.runs.groups` and
`harness.runs.submissions` read them for all code that does without Slurm. `kdreid run --cluster`
prints the name of a submission, and every command that takes runs accepts it for all its runs.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from harness.core.files import write_json
from harness.runs.groups import job_name_prefix
from harness.runs.layout import GROUP, GROUPS, JOB, LOGS
from slurm.resources import Resources


@dataclass
class ClusterJob:
    """A job: runs that train side by side on one allocation."""

    number: int  # within the submission, from 1
    runs: tuple[str, ...]  # keys
    resources: Resources
    after: tuple[int | str, ...] = ()  # jobs of its teachers: a number here, or another's id
    job: str | None = None  # Slurm's id or `local-<process>`; None: not handed over yet
    array: str = ""  # Slurm's name of its array
    index: int = 0  # within the array


@dataclass
class Submission:
    """The jobs that one command submitted: the runs of its plan that were not done."""

    name: str
    cluster: str  # profile
    kind: str  # slurm or local
    command: str  # as typed
    snapshot: str  # folder of the code
    jobs: list[ClusterJob] = field(default_factory=list)
    created: float = field(default_factory=time.time)

    def describe(self) -> str:
        """Return the submission in words: `submission 20260131-120000-1f2e: 7 runs in 3 jobs`."""
        runs = sum(len(job.runs) for job in self.jobs)
        return f"submission {self.name}: {runs} runs in {len(self.jobs)} jobs"

    def folder(self, runs: Path) -> Path:
        """Return the submission's folder."""
        return runs / GROUPS / self.name

    def job_file(self, runs: Path, job: ClusterJob) -> Path:
        """Return the path of the `JobSpec` that the worker of a job reads."""
        return self.folder(runs) / f"{job.number}.json"

    def logs(self, runs: Path) -> Path:
        """Return the folder of the jobs' logs."""
        return self.folder(runs) / LOGS

    def write(self, runs: Path, jobs: Iterable[ClusterJob] = ()) -> None:
        """Write the submission and, into the folder of each run of `jobs`, which job it has now.

        It is written before the first job is handed over and again after each array. A submitter
        that is killed leaves a correct file, or jobs that `recovery` finds by their names.
        """
        write_json(self.folder(runs) / GROUP, asdict(self))
        for job in jobs:
            content = {
                "group": self.name,
                "number": job.number,
                "job": job.job,
                "cluster": self.cluster,
                "submitted": self.created,
            }
            for key in job.runs:
                write_json(runs / key / JOB, content)


def new_submission_name() -> str:
    """Return a name that begins with the time, so that names sort by age, and is unique."""
    return f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"


def array_name(submission: str, first_job: int) -> str:
    """Return Slurm's name for an array, from its submission's name and its first job's number."""
    return f"{job_name_prefix(submission)}{first_job}"

"""A submission and its jobs, as written to `groups/<name>/group.json`."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from harness.core.files import write_json
from harness.runs.groups import GROUP, GROUPS, JOB, job_name_prefix
from slurm.resources import Resources


@dataclass
class ClusterJob:
    """One cohort on one allocation, or waiting for it."""

    number: int  # from 1
    runs: tuple[str, ...]  # keys
    resources: Resources
    after: tuple[int | str, ...] = ()  # numbers of this group's jobs, ids of others
    job: str | None = None  # Slurm's id, or local-<process>
    array: str = ""  # the name under which Slurm shows it, and its index there
    index: int = 0


@dataclass
class Submission:
    """One submission: everything that was asked for and not done yet."""

    name: str
    cluster: str  # profile
    kind: str  # slurm or local
    command: str  # as typed
    snapshot: str  # folder of the code
    jobs: list[ClusterJob] = field(default_factory=list)
    created: float = field(default_factory=time.time)

    def folder(self, runs: Path) -> Path:
        """Where the group is told of."""
        return runs / GROUPS / self.name

    def order(self, runs: Path, job: ClusterJob) -> Path:
        """The file that tells the worker of a job what to do."""
        return self.folder(runs) / f"{job.number}.json"

    def write(self, runs: Path, jobs: Iterable[ClusterJob] = ()) -> None:
        """Write the group and, for each run of the given jobs, which job has it now."""
        write_json(self.folder(runs) / GROUP, asdict(self))
        for job in jobs:
            told = {
                "group": self.name,
                "number": job.number,
                "job": job.job,
                "cluster": self.cluster,
                "submitted": self.created,
            }
            for key in job.runs:
                write_json(runs / key / JOB, told)


def new_name() -> str:
    """A group's name: when it was made, and something that no other made then has."""
    return f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"


def array_name(group: str, first: int) -> str:
    """The name under which Slurm shows an array, after the number of its first job."""
    return f"{job_name_prefix(group)}{first}"

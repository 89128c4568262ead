"""One submission on disk: `groups/<name>/group.json`, and in each run's folder its last job.

It is written before the first job is submitted and again after each array, so that a submitter
killed at any moment leaves the truth, or jobs whose names tell where they belong.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from harness.core.files import read_json, write_json
from harness.core.lease import holder_of
from slurm.resources import Resources

GROUPS, GROUP, JOB, LOGS = "groups", "group.json", "job.json", "logs"


@dataclass
class Job:
    """One cohort on one allocation, or waiting for it."""

    number: int  # from 1
    runs: tuple[str, ...]  # keys
    resources: Resources
    after: tuple[int | str, ...] = ()  # numbers of this group's jobs, ids of others
    job: str | None = None  # Slurm's id, or local-<process>
    array: str = ""  # the name under which Slurm shows it, and its index there
    index: int = 0


@dataclass
class Group:
    """One submission: everything that was asked for and not done yet."""

    name: str
    cluster: str  # profile
    kind: str  # slurm or local
    command: str  # as typed
    snapshot: str  # folder of the code
    jobs: list[Job] = field(default_factory=list)
    created: float = field(default_factory=time.time)

    def folder(self, runs: Path) -> Path:
        """Where the group is told of."""
        return runs / GROUPS / self.name

    def order(self, runs: Path, job: Job) -> Path:
        """The file that tells the worker of a job what to do."""
        return self.folder(runs) / f"{job.number}.json"

    def write(self, runs: Path, jobs: Iterable[Job] = ()) -> None:
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
    return f"{title_of(group)}{first}"


def title_of(group: str) -> str:
    """How the names of all jobs of a group begin."""
    return f"kdreid-{group}-"


def job_of(runs: Path, key: str) -> dict[str, Any] | None:
    """What the last submission of a run wrote; None if it was never submitted."""
    return read_json(runs / key / JOB)


def group_of(runs: Path, name: str) -> dict[str, Any] | None:
    """A group as it was written last."""
    return read_json(runs / GROUPS / name / GROUP)


def recover(runs: Path, name: str, ids: Sequence[tuple[str, str]]) -> None:
    """Enter the ids that a killed submitter did not; `ids` are pairs of name and id."""
    path = runs / GROUPS / name / GROUP
    content = read_json(path)
    if content is None:
        return
    found = {(title, int(job.partition("_")[2] or 0)): job for title, job in ids}
    for told in content["jobs"]:
        known = found.get((told["array"], told["index"]))
        if told["job"] is None and known is not None:
            told["job"] = known
            for key in told["runs"]:
                if (last := job_of(runs, key)) and last["group"] == name:
                    write_json(runs / key / JOB, last | {"job": known})
    write_json(path, content)


def pool_lives(runs: Path, name: str) -> bool:
    """Whether the process that works through a local group is at it."""
    return holder_of(runs / GROUPS / name) is not None


def local_id(process: int | None = None) -> str:
    """How a job of the local pool is called."""
    return f"local-{process or os.getpid()}"

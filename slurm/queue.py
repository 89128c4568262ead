"""Query jobs by id, in as few calls as possible: squeue, then scontrol, then sacct.

squeue lists finished jobs for MinJobAge seconds, scontrol keeps some of them longer, and sacct has
all of them where the cluster has accounting. submitit's own states are not used: without
accounting, a killed job stays unfinished for ever there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice

from harness.core.errors import SlurmError
from slurm.commands import check_command, run_command
from slurm.job import SlurmJob
from slurm.limits import batched
from slurm.queue_output import (
    SACCT_COLUMNS,
    SQUEUE_COLUMNS,
    read_sacct,
    read_scontrol,
    read_squeue,
)

IDS_PER_CALL = 400  # job ids on one command line
SCONTROL_CALLS = 32  # one for each job, so not for hundreds of forgotten ones


@dataclass(frozen=True, slots=True)
class QueueSnapshot:
    """The jobs that Slurm knows, by the ids that were queried."""

    jobs: dict[str, SlurmJob] = field(default_factory=dict)
    complete: bool = True  # squeue answered: an absent job is not in the queue
    accounting: bool = False  # sacct answered: an absent job never existed
    problems: tuple[str, ...] = ()


def query_jobs(ids: Iterable[str], name_prefixes: Mapping[str, str] | None = None) -> QueueSnapshot:
    """Query jobs by id; a failing command becomes one of the snapshot's problems, not an error.

    Args:
        ids: Ids of jobs, as `12`, or of elements of arrays, as `12_3`.
        name_prefixes: By id, how the job's name must begin. A job of another name is absent from
            the snapshot: other clusters give the same ids to other jobs, and so does this one when
            its counter starts over.
    """
    ids = list(dict.fromkeys(ids))
    if not ids:
        return QueueSnapshot()
    jobs: dict[str, SlurmJob] = {}
    problems: list[str] = []
    complete = accounting = False
    try:
        jobs |= _query_squeue(ids)
        complete = True
    except SlurmError as error:
        problems.append(str(error))
    if complete:  # otherwise each further command may wait for its own timeout
        for array_id in islice(dict.fromkeys(map(_array_id, _missing(ids, jobs))), SCONTROL_CALLS):
            with suppress(SlurmError):
                jobs |= {job.id: job for job in _query_scontrol(array_id)}
        if missing := _missing(ids, jobs):
            with suppress(SlurmError):  # many clusters have no accounting
                jobs = _query_sacct(missing) | jobs
                accounting = True
    prefixes = name_prefixes or {}
    by_id = {job_id: job for job_id in ids if (job := _find(jobs, job_id)) is not None}
    ours = {
        job_id: job
        for job_id, job in by_id.items()
        if job.name.startswith(prefixes.get(job_id, ""))
    }
    return QueueSnapshot(ours, complete, accounting, tuple(problems))


def jobs_with_prefix(prefix: str) -> list[tuple[str, str]]:
    """Return (name, id) of each of this user's queued jobs whose name begins with `prefix`.

    Each element of an array is listed by itself.

    Raises:
        SlurmError: squeue is not installed here, does not answer or fails.
    """
    output = check_command("squeue", "--me", "--noheader", "--array", "--format=%i|%j")
    lines = [line.strip().partition("|") for line in output.splitlines()]
    return [(name, job_id) for job_id, _, name in lines if name.startswith(prefix)]


def _missing(ids: Iterable[str], jobs: Mapping[str, SlurmJob]) -> list[str]:
    return [job_id for job_id in ids if _find(jobs, job_id) is None]


def _find(jobs: Mapping[str, SlurmJob], job_id: str) -> SlurmJob | None:
    """Return a job; an array of one element is a plain job, so `12_0` may be listed as `12`."""
    if job_id in jobs:
        return jobs[job_id]
    array_id, _, index = job_id.partition("_")
    if not index:
        return jobs.get(f"{job_id}_0")
    return jobs.get(array_id) if index == "0" else None


def _array_id(job_id: str) -> str:
    return job_id.partition("_")[0]


def _query_squeue(ids: Sequence[str]) -> dict[str, SlurmJob]:
    """Query the jobs that the controller still lists.

    Raises:
        SlurmError: squeue is not installed here, does not answer or fails.
    """
    jobs: dict[str, SlurmJob] = {}
    for array_ids in batched(list(dict.fromkeys(map(_array_id, ids))), IDS_PER_CALL):
        result = run_command(
            "squeue",
            "--noheader",
            "--array",
            "--states=all",
            f"--jobs={','.join(array_ids)}",
            "--Format=" + ",".join(f"{name}:|" for name in SQUEUE_COLUMNS),
        )
        # For a single id that it has forgotten, squeue fails instead of printing nothing.
        if result.returncode != 0 and "invalid job id" not in result.stderr.lower():
            raise SlurmError(f"squeue failed: {result.message}")
        jobs |= {job.id: job for job in read_squeue(result.stdout)}
    return jobs


def _query_scontrol(array_id: str) -> list[SlurmJob]:
    return list(read_scontrol(check_command("scontrol", "show", "job", "--oneliner", array_id)))


def _query_sacct(ids: Sequence[str]) -> dict[str, SlurmJob]:
    """Query the jobs that the accounting remembers.

    Raises:
        SlurmError: The cluster has no accounting, or sacct does not answer.
    """
    jobs: dict[str, SlurmJob] = {}
    for array_ids in batched(list(dict.fromkeys(map(_array_id, ids))), IDS_PER_CALL):
        output = check_command(
            "sacct",
            "--noheader",
            "--parsable2",
            "--allocations",
            f"--jobs={','.join(array_ids)}",
            f"--format={','.join(SACCT_COLUMNS)}",
        )
        for job in read_sacct(output):
            jobs.setdefault(job.id, job)
    return jobs

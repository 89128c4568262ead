"""Find the jobs of a submitter that was killed after sbatch had answered.

The submission on disk has no ids for them, but it has the name and index under which Slurm shows
each job.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from harness.core.errors import SlurmError
from harness.core.files import write_json
from harness.runs.groups import job_name_prefix, read_run_submission, read_submission
from harness.runs.layout import GROUP, GROUPS, JOB
from harness.runs.submissions import RunSubmission, submitted_jobs
from slurm.queue import jobs_with_prefix


def find_unrecorded_jobs(runs: Path, submissions: Mapping[str, RunSubmission]) -> dict[str, str]:
    """Return the ids of jobs that are not on disk, by the runs' keys, without writing them.

    Args:
        runs: The runs folder.
        submissions: Last submission of each run, by key.
    """
    unrecorded = {key: last for key, last in submissions.items() if last.job is None}
    ids: dict[str, str] = {}
    for name in {last.group for last in unrecorded.values()}:
        content = read_submission(runs, name) or {}
        if content.get("kind") != "slurm":
            continue
        with suppress(SlurmError):  # a queue that does not answer leaves them as they are
            for job, job_id in _match_queue(name, content):
                ids |= {key: job_id for key in job.get("runs") or [] if key in unrecorded}
    return ids


def record_job_ids(runs: Path, name: str) -> None:
    """Write the missing ids of a submission's queued jobs; for the holder of `submission_lock`.

    Raises:
        SlurmError: The queue does not answer.
    """
    content = read_submission(runs, name)
    if content is None or content.get("kind") != "slurm":
        return
    for job, job_id in _match_queue(name, content):
        if job["job"] is None:
            job["job"] = job_id
            for key in job["runs"]:
                if (last := read_run_submission(runs, key)) and last["group"] == name:
                    write_json(runs / key / JOB, last | {"job": job_id})
    write_json(runs / GROUPS / name / GROUP, content)


def _match_queue(name: str, content: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield each of a submission's jobs that is in the queue, with its id.

    Raises:
        SlurmError: The queue does not answer.
    """
    ids = {
        (array, int(job_id.partition("_")[2] or 0)): job_id
        for array, job_id in jobs_with_prefix(job_name_prefix(name))
    }
    for job in submitted_jobs(content):
        if job_id := ids.get((str(job.get("array")), int(job.get("index", 0)))):
            yield job, job_id

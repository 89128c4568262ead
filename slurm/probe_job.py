"""Run a short job that starts exactly as a training job does, to inspect a compute node."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from harness.core.errors import SlurmError
from slurm.commands import run_command
from slurm.job import SlurmJob
from slurm.queue import query_jobs
from slurm.submit import JobArray, submission_script

POLL_SECONDS = 1.0
LOG_CHARACTERS = 400


def probe_script(array: JobArray, module: str, arguments: Sequence[str]) -> str:
    """Return the script of a job like `array`'s that runs `python -m module arguments` instead.

    Raises:
        SlurmError: Slurm is not installed here, or this version of submitit starts its jobs in
            another way.
    """
    command = " ".join(map(shlex.quote, (module, *arguments)))
    script, count = re.subn(
        r"-m submitit\.core\._submit .*", lambda _: f"-m {command}", submission_script(array)
    )
    if count != 1:
        raise SlurmError("This version of submitit starts its jobs in an unknown way.")
    return script


def wait_until_finished(job_id: str, timeout_seconds: float) -> SlurmJob | None:
    """Wait until a job is finished; return it in its last known state, None if it has none."""
    deadline = time.monotonic() + timeout_seconds
    job = None
    while time.monotonic() < deadline:
        job = query_jobs([job_id]).jobs.get(job_id, job)
        if job is not None and job.is_finished:
            return job
        time.sleep(POLL_SECONDS)
    return job


def cancel_quietly(job_id: str) -> None:
    """Cancel a job; a job that is finished or unknown is not an error."""
    with suppress(SlurmError):
        run_command("scancel", job_id)


def read_log(folder: Path) -> str:
    """Return the end of what the job wrote to stderr, on one line."""
    texts = [path.read_text(errors="replace") for path in sorted(folder.glob("*.err"))]
    return " ".join(" ".join(texts).split())[-LOG_CHARACTERS:]

"""A short job in the very words of a training job, to see what the compute nodes see."""

from __future__ import annotations

import re
import shlex
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from harness.core.errors import SlurmError
from slurm.commands import check_command, run_command
from slurm.queue import SlurmJob, query_jobs
from slurm.submit import JobArray, clean_slurm_environment, submission_script

POLL = 1.0  # seconds


def probe_script(array: JobArray, module: str, arguments: Sequence[str]) -> str:
    """The file of a job like `array`'s that runs `python -m module arguments` instead.

    Raises:
        SlurmError: there is no Slurm here.
    """
    said = " ".join(map(shlex.quote, (module, *arguments)))
    text, count = re.subn(
        r"-m submitit\.core\._submit .*", lambda _: f"-m {said}", submission_script(array)
    )
    if count != 1:
        raise SlurmError("This version of submitit starts its jobs in another way than known.")
    return text


def submit_script(text: str) -> str:
    """Submit a file; the job's id.

    Raises:
        SlurmError: the cluster refused it.
    """
    with (
        tempfile.NamedTemporaryFile("w", prefix="kdreid-", suffix=".sh") as file,
        clean_slurm_environment(),
    ):
        file.write(text)
        file.flush()
        return check_command("sbatch", "--parsable", file.name).strip().partition(";")[0]


def wait_until_finished(job: str, seconds: float) -> SlurmJob | None:
    """Wait until a job is over; how it stands then, or after `seconds`. Cancelled if it waits."""
    limit = time.monotonic() + seconds
    last = None
    while time.monotonic() < limit:
        last = query_jobs([job]).jobs.get(job, last)
        if last is not None and last.is_finished:
            return last
        time.sleep(POLL)
    return last


def cancel_quietly(job: str) -> None:
    """Cancel a job, whether it is there or not."""
    with suppress(SlurmError):
        run_command("scancel", job)


def read_log(folder: Path) -> str:
    """What the probe's job wrote, shortened to its end."""
    texts = [path.read_text(errors="replace") for path in sorted(folder.glob("*.err"))]
    return " ".join(" ".join(texts).split())[-400:]

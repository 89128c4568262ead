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
from slurm.commands import ask, tell
from slurm.queue import Job, look
from slurm.submit import Array, outside_a_job, script

POLL = 1.0  # seconds


def probe_script(array: Array, module: str, arguments: Sequence[str]) -> str:
    """The file of a job like `array`'s that runs `python -m module arguments` instead.

    Raises:
        SlurmError: there is no Slurm here.
    """
    said = " ".join(map(shlex.quote, (module, *arguments)))
    text, count = re.subn(r"-m submitit\.core\._submit .*", lambda _: f"-m {said}", script(array))
    if count != 1:
        raise SlurmError("This version of submitit starts its jobs in another way than known.")
    return text


def send(text: str) -> str:
    """Submit a file; the job's id.

    Raises:
        SlurmError: the cluster refused it.
    """
    with tempfile.NamedTemporaryFile("w", prefix="kdreid-", suffix=".sh") as file, outside_a_job():
        file.write(text)
        file.flush()
        return tell("sbatch", "--parsable", file.name).strip().partition(";")[0]


def wait_for_end(job: str, seconds: float) -> Job | None:
    """Wait until a job is over; how it stands then, or after `seconds`. Cancelled if it waits."""
    limit = time.monotonic() + seconds
    last = None
    while time.monotonic() < limit:
        last = look([job]).jobs.get(job, last)
        if last is not None and last.over:
            return last
        time.sleep(POLL)
    return last


def withdraw(job: str) -> None:
    """Cancel a job, whether it is there or not."""
    with suppress(SlurmError):
        ask("scancel", job)


def read_log(folder: Path) -> str:
    """What the probe's job wrote, shortened to its end."""
    texts = [path.read_text(errors="replace") for path in sorted(folder.glob("*.err"))]
    return " ".join(" ".join(texts).split())[-400:]

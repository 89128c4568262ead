"""Resources that a job requests, and the command that starts Python in it."""

from __future__ import annotations

import re
import shlex
import sys
from dataclasses import dataclass

from harness.core.errors import SlurmError

MAX_MINUTES = 365 * 24 * 60


@dataclass(frozen=True, slots=True)
class Resources:
    """A job's request for a share of one node; None leaves the choice to the cluster.

    Written to `group.json` with each job.
    """

    minutes: int = 60  # wall time
    gpus: int = 0
    gres: str | None = None  # in place of `gpus`, as the cluster names it: gpu:a100:1
    cpus: int = 4
    memory: str | None = None  # 16G, 8000M
    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    constraint: str | None = None
    exclude: str | None = None  # nodes
    flags: tuple[tuple[str, str | bool], ...] = ()  # further #SBATCH lines, without the dashes
    setup: tuple[str, ...] = ()  # shell lines that run before the job
    container: str | None = None  # a prefix of the Python command, as `singularity exec x.sif`
    python: str | None = None  # the Python command; None: the interpreter that submits
    stop_ahead: int = 90  # seconds between the signal to save and the end of the wall time

    @property
    def wants_gpu(self) -> bool:
        """True if the job gets a GPU, by `gpus` or by `gres`."""
        return self.gpus > 0 or "gpu" in (self.gres or "")

    @property
    def python_command(self) -> str:
        """Shell command that starts Python, in its container if there is one."""
        default = "python" if self.container else shlex.quote(sys.executable)
        return " ".join(filter(None, (self.container, self.python or default)))


def parse_wall_time(text: str | int) -> int:
    """Convert a wall time to whole minutes, rounded up.

    Args:
        text: A number of minutes or one of Slurm's forms: `MM:SS`, `HH:MM:SS`, `D-HH`, `D-HH:MM`,
            `D-HH:MM:SS`.

    Raises:
        SlurmError: The text has none of these forms, is 0 or is more than a year.
    """
    match = _DAYS.fullmatch(str(text)) or _CLOCK.fullmatch(str(text))
    if match is None:
        raise SlurmError(
            f"{text!r} is not a wall time. Give minutes, as 90, or HH:MM:SS or D-HH:MM:SS."
        )
    parts = {name: int(value or 0) for name, value in match.groupdict().items()}
    days, hours, seconds = parts.get("days", 0), parts.get("hours", 0), parts.get("seconds", 0)
    minutes = (days * 24 + hours) * 60 + parts.get("minutes", 0) + (seconds > 0)
    if minutes > MAX_MINUTES:
        raise SlurmError(f"{text!r} is more than a year. Give minutes, or D-HH:MM:SS.")
    if minutes == 0:  # which Slurm takes for "as long as the partition allows"
        raise SlurmError("A wall time of 0 is not allowed. Give minutes, or D-HH:MM:SS.")
    return minutes


_DAYS = re.compile(r"(?P<days>\d+)-(?P<hours>\d+)(:(?P<minutes>\d+)(:(?P<seconds>\d+))?)?")
_CLOCK = re.compile(r"((?P<hours>\d+):(?=\d+:))?(?P<minutes>\d+)(:(?P<seconds>\d+))?")

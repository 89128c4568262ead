"""What one job asks of a cluster, and how it starts there: the words of an `sbatch` line."""

from __future__ import annotations

import re
import shlex
import sys
from dataclasses import dataclass

from harness.core.errors import SlurmError


@dataclass(frozen=True, slots=True)
class Resources:
    """One node's share; None leaves the choice to the cluster."""

    minutes: int = 60  # wall time
    gpus: int = 0
    gres: str | None = None  # as the cluster words it, in place of `gpus`: gpu:a100:1
    cpus: int = 4
    memory: str | None = None  # 16G, 8000M
    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    constraint: str | None = None
    exclude: str | None = None  # nodes
    flags: tuple[tuple[str, str | bool], ...] = ()  # further #SBATCH lines, without the dashes
    setup: tuple[str, ...] = ()  # shell lines before the job
    container: str | None = None  # what stands before the Python command
    python: str | None = None  # the Python command; None: this one
    stop_ahead: int = 90  # seconds between the request to stop and the end of the time

    @property
    def wants_gpu(self) -> bool:
        """Whether the job gets a GPU, in whichever words."""
        return self.gpus > 0 or "gpu" in (self.gres or "")

    @property
    def command(self) -> str:
        """How Python is started, as shell words."""
        plain = "python" if self.container else shlex.quote(sys.executable)
        return " ".join(filter(None, (self.container, self.python or plain)))


def minutes(text: str | int) -> int:
    """A wall time in whole minutes, rounded up: a number of minutes, or Slurm's own forms.

    Those are `MM:SS`, `HH:MM:SS`, `D-HH`, `D-HH:MM` and `D-HH:MM:SS`.

    Raises:
        SlurmError: the text is none of these, or no time at all.
    """
    found = _DAYS.fullmatch(str(text)) or _CLOCK.fullmatch(str(text))
    if found is None:
        raise SlurmError(
            f"{text!r} is not a wall time. Give minutes, as 90, or HH:MM:SS or D-HH:MM:SS."
        )
    part = {name: int(value or 0) for name, value in found.groupdict().items()}
    days, hours, seconds = part.get("days", 0), part.get("hours", 0), part.get("seconds", 0)
    total = (days * 24 + hours) * 60 + part.get("minutes", 0) + (seconds > 0)
    if total == 0:  # which Slurm takes for "as long as the partition allows"
        raise SlurmError("A wall time of 0 is not allowed: give minutes, or D-HH:MM:SS.")
    return total


_DAYS = re.compile(r"(?P<days>\d+)-(?P<hours>\d+)(:(?P<minutes>\d+)(:(?P<seconds>\d+))?)?")
_CLOCK = re.compile(r"((?P<hours>\d+):(?=\d+:))?(?P<minutes>\d+)(:(?P<seconds>\d+))?")

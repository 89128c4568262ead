"""Calling Slurm's commands so that the user's own settings cannot change what they print."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from harness.core.errors import SlurmError

PATIENCE = 30.0  # seconds: a busy controller answers late
_FORMATTING = ("SQUEUE_", "SACCT_", "SCONTROL_", "SINFO_", "SLURM_TIME_FORMAT")


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def message(self) -> str:
        """Why it failed, on one line."""
        return " ".join((self.err.strip() or self.out.strip() or f"exit code {self.code}").split())


def run_command(*command: str, seconds: float = PATIENCE) -> CommandResult:
    """Run one of Slurm's commands and wait for its answer, whatever its exit code.

    Raises:
        SlurmError: it is not installed here or does not answer.
    """
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(_FORMATTING)
    }
    try:
        result = subprocess.run(
            command,
            env=environment,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
            check=False,
        )
    except OSError as error:
        raise SlurmError(
            f"{command[0]} cannot be run here ({error.strerror}). Is this a login node of the "
            f"cluster, with Slurm's commands on the PATH?"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise SlurmError(
            f"{command[0]} did not answer within {seconds:.0f} s; the controller may be down. "
            f"Try again, or look with `scontrol ping`."
        ) from error
    return CommandResult(result.returncode, result.stdout, result.stderr)


def check_command(*command: str) -> str:
    """What one of Slurm's commands printed.

    Raises:
        SlurmError: it is not installed here, does not answer or failed; the message says why.
    """
    answer = run_command(*command)
    if answer.code != 0:
        raise SlurmError(f"{' '.join(_short(command))} failed: {answer.message}")
    return answer.out


def _short(command: Sequence[str]) -> Sequence[str]:
    return command if len(command) < 8 else [*command[:7], "..."]

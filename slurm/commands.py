"""Run Slurm's commands so that a user's own settings cannot change what they print."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from harness.core.errors import SlurmError
from harness.core.waiting import waiting_for

TIMEOUT_SECONDS = 30.0  # a busy controller answers late
_FORMAT_VARIABLES = ("SQUEUE_", "SACCT_", "SCONTROL_", "SINFO_", "SLURM_TIME_FORMAT")


@dataclass(frozen=True, slots=True)
class CommandResult:
    """Exit code and output of a finished command."""

    returncode: int
    stdout: str
    stderr: str

    @property
    def message(self) -> str:
        """The command's message on one line: of stderr, or else of stdout."""
        text = self.stderr.strip() or self.stdout.strip() or f"exit code {self.returncode}"
        return " ".join(text.split())


def run_command(*command: str, timeout_seconds: float = TIMEOUT_SECONDS) -> CommandResult:
    """Run one of Slurm's commands and return its result, whatever its exit code.

    Raises:
        SlurmError: The command is not installed here, or takes more than `timeout_seconds`.
    """
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(_FORMAT_VARIABLES)
    }
    try:
        with waiting_for(f"{command[0]} to answer"):
            result = subprocess.run(
                command,
                env=environment,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=timeout_seconds,
                check=False,
            )
    except OSError as error:
        raise SlurmError(
            f"{command[0]} cannot be run here ({error.strerror}). Is this a login node of the "
            "cluster, with Slurm's commands on the PATH?"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise SlurmError(
            f"{command[0]} did not answer within {timeout_seconds:.0f} s; the controller may be "
            "down. Try again, or check it with `scontrol ping`."
        ) from error
    return CommandResult(result.returncode, result.stdout, result.stderr)


def check_command(*command: str) -> str:
    """Run one of Slurm's commands and return what it printed to stdout.

    Raises:
        SlurmError: The command is not installed here, does not answer or fails; the message
            contains the command's own.
    """
    result = run_command(*command)
    if result.returncode != 0:
        raise SlurmError(f"{' '.join(_shorten(command))} failed: {result.message}")
    return result.stdout


def _shorten(command: Sequence[str]) -> Sequence[str]:
    return command if len(command) < 8 else [*command[:7], "..."]

"""Jobs by their names: how to find those whose submitter died before it noted their ids."""

from __future__ import annotations

from slurm.commands import ask
from slurm.errors import SlurmError


def jobs_named(prefix: str) -> list[tuple[str, str]]:
    """Names and ids of this user's jobs in the queue whose name starts so; array by element.

    Raises:
        SlurmError: squeue does not answer.
    """
    answer = ask("squeue", "--me", "--noheader", "--array", "--format=%i|%j")
    if answer.code != 0:
        raise SlurmError(f"squeue failed: {answer.words}")
    lines = [line.strip().partition("|") for line in answer.out.splitlines()]
    return [(name, number) for number, _, name in lines if name.startswith(prefix)]

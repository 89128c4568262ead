"""What can go wrong around SLURM: one clear sentence instead of a traceback."""

from __future__ import annotations


class SlurmError(Exception):
    """This machine or cluster lacks something, or did not answer; the command ends with 3."""

    exit_code = 3

"""Limits on the size of a job array, and the splitting of jobs to stay within them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from slurm.cluster_info import read_config
from slurm.commands import run_command

DEFAULT_ARRAY_SIZE = 1001  # Slurm's own, for a controller that does not answer

T = TypeVar("T")


def max_array_size() -> int:
    """Return the cluster's MaxArraySize, which every index of an array stays below.

    Raises:
        SlurmError: Slurm is not installed here, or does not answer.
    """
    result = run_command("scontrol", "show", "config")
    size = read_config(result.stdout).get("MaxArraySize", "")
    if result.returncode != 0 or not size.isdigit():
        return DEFAULT_ARRAY_SIZE
    return max(1, int(size))


def batched(items: Sequence[T], size: int) -> list[Sequence[T]]:
    """Split items into parts of at most `size`, in order, as `itertools.batched` of 3.12."""
    return [items[start : start + size] for start in range(0, len(items), size)]


def split_evenly(total: int, parts: int) -> list[int]:
    """Split a number into whole parts that differ by at most 1: 7 into 3 is [3, 2, 2]."""
    return [total // parts + (index < total % parts) for index in range(parts)]

"""What a cluster allows at once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeVar

from slurm.commands import run_command

ARRAY_SIZE = 1001  # Slurm's default, where the controller does not say

T = TypeVar("T")


def array_size() -> int:
    """MaxArraySize: an array's indices stay below it."""
    answer = run_command("scontrol", "show", "config")
    found = re.search(r"^MaxArraySize\s*=\s*(\d+)", answer.out, re.M)
    return max(1, int(found[1])) if found and answer.code == 0 else ARRAY_SIZE


def chunks(items: Sequence[T], size: int) -> list[Sequence[T]]:
    """The items in order, `size` at most in each part."""
    return [items[start : start + size] for start in range(0, len(items), size)]


def split_evenly(total: int, parts: int) -> list[int]:
    """A total divided as evenly as whole numbers go: 7 in 3 parts is [3, 2, 2]."""
    return [total // parts + (index < total % parts) for index in range(parts)]

"""Finished runs of a plan that other code or versions made than those of this process."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.core.errors import FileError
from harness.runs.origin import describe_differences, differences_from_present
from harness.runs.record import find_record
from harness.runs.spec import RunSpec


@dataclass(frozen=True, slots=True)
class OtherCode:
    """The finished runs that other code or versions made."""

    keys: tuple[str, ...]
    names: tuple[str, ...]  # in what any of them differs: "training code", "torch"

    def describe(self, *, again: bool) -> str:
        """Return a sentence that names the differences.

        Args:
            again: Whether the runs are trained again; otherwise it says how to do that.
        """
        count = len(self.keys)
        runs = "1 run was" if count == 1 else f"{count} runs were"
        trains = f"trains {'it' if count == 1 else 'them'} again"
        offer = f"this command {trains}" if again else f"--again {trains}"
        return f"{runs} done before by {describe_differences(self.names)}; {offer}"


def find_other_code(specs: Iterable[RunSpec], runs: Path) -> OtherCode | None:
    """Return the finished runs among some that other code or versions made; None without any.

    Args:
        specs: Runs of a plan.
        runs: The runs folder.
    """
    differences: dict[str, tuple[str, ...]] = {}
    for spec in specs:
        try:
            record = find_record(runs / spec.key)
        except FileError:
            continue  # named by whoever needs it
        if record is not None and (names := differences_from_present(record)):
            differences[spec.key] = names
    if not differences:
        return None
    joined = dict.fromkeys(name for several in differences.values() for name in several)
    return OtherCode(tuple(differences), tuple(joined))


def is_outdated(spec: RunSpec, record: dict[str, Any], runs: Path) -> bool:
    """Return whether a finished run would be trained by other code, versions or teachers now.

    Raises:
        FileError: A teacher's record cannot be read.
    """
    if differences_from_present(record):
        return True
    teachers = [find_record(runs / teacher.key) for teacher in spec.teachers]
    weights = [one and one["result"]["model"] for one in teachers]
    return bool(record.get("code")) and all(weights) and weights != record.get("teachers")

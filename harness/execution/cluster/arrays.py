"""Jobs in arrays: what asks for the same and waits for the same goes to Slurm at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

from harness.execution.cluster.group import ClusterJob
from slurm.limits import chunks, split_evenly
from slurm.resources import Resources


@dataclass(frozen=True, slots=True)
class JobArrayPlan:
    """The jobs of one array; `follows` and `level` tell what it waits for besides teachers."""

    jobs: tuple[ClusterJob, ...]
    parallel: int
    level: int  # 0: waits for no job of this submission
    after_array: int | None = None  # an earlier bundle, by its place: start when that has ended
    after_level: bool = False  # start when all of the level before have ended


def group_into_arrays(
    jobs: Sequence[ClusterJob], largest: int, most: int | None = None
) -> list[JobArrayPlan]:
    """Arrays of `largest` jobs at most, of which at most `most` jobs run at a time.

    Slurm limits each array by itself. So the arrays of a level share the allowance, and if there
    are more arrays than that, each waits for an earlier one to end; and where teachers and students
    together could exceed it, students wait until all teachers have ended.
    """
    result: list[JobArrayPlan] = []
    for level, members in enumerate(_levels(jobs)):
        parts: dict[tuple[Resources, tuple[int | str, ...]], list[ClusterJob]] = {}
        for job in members:
            parts.setdefault((job.resources, job.after), []).append(job)
        arrays = [part for same in parts.values() for part in chunks(same, largest)]
        lanes = min(most, len(arrays)) if most else len(arrays)
        allowed = split_evenly(most, lanes) if most and lanes else [largest] * lanes
        apart = level > 0 and most is not None and len(jobs) > most
        first = len(result)
        for place, array in zip(count(), arrays, strict=False):
            follows = first + place - lanes if place >= lanes else None
            parallel = min(len(array), allowed[place % lanes])
            result.append(JobArrayPlan(tuple(array), parallel, level, follows, apart))
    return result


def _levels(jobs: Sequence[ClusterJob]) -> list[list[ClusterJob]]:
    """Jobs that wait for none of these, then the others: a teacher waits for nobody."""
    waits = [any(isinstance(other, int) for other in job.after) for job in jobs]
    levels = [
        [job for job, later in zip(jobs, waits, strict=True) if later == wanted]
        for wanted in (False, True)
    ]
    return [level for level in levels if level]

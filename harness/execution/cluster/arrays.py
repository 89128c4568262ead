"""Group the jobs of a submission into Slurm's job arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.execution.cluster.submission import ClusterJob
from slurm.limits import batched, split_evenly
from slurm.resources import Resources


@dataclass(frozen=True, slots=True)
class JobArrayPlan:
    """Jobs to submit as one array, and what the array waits for in addition to teachers."""

    jobs: tuple[ClusterJob, ...]
    max_parallel: int
    level: int  # 0: its jobs wait for no job of this submission
    after_array: int | None = None  # position of an earlier array that must have ended
    after_level: bool = False  # all arrays of lower levels must have ended


def group_into_arrays(
    jobs: Sequence[ClusterJob], max_size: int, max_parallel: int | None = None
) -> list[JobArrayPlan]:
    """Group jobs into arrays, in the order in which they must be submitted.

    Args:
        jobs: Jobs of one submission, teachers before students.
        max_size: Largest number of jobs in an array.
        max_parallel: Largest number of these jobs that may run at the same time; None: no limit.
    """
    arrays: list[JobArrayPlan] = []
    for level, level_jobs in enumerate(_split_levels(jobs)):
        # All elements of an array share one request for resources and one dependency.
        alike: dict[tuple[Resources, tuple[int | str, ...]], list[ClusterJob]] = {}
        for job in level_jobs:
            alike.setdefault((job.resources, job.after), []).append(job)
        parts = [part for members in alike.values() for part in batched(members, max_size)]

        # Slurm limits the running elements of each array separately. A limit for all of them is
        # divided among lanes: arrays of one lane follow each other, so that the lanes' limits
        # add up to the whole. There is a lane for each array unless the limit is smaller.
        lanes = min(max_parallel, len(parts)) if max_parallel else len(parts)
        limits = split_evenly(max_parallel, lanes) if max_parallel else [max_size] * lanes

        # Students may start before the last teacher has ended, and would then run next to teachers
        # under limits of their own. Where that could exceed the whole, they wait for the level.
        after_level = level > 0 and max_parallel is not None and len(jobs) > max_parallel
        first = len(arrays)
        for position, part in enumerate(parts):
            after_array = first + position - lanes if position >= lanes else None
            limit = min(len(part), limits[position % lanes])
            arrays.append(JobArrayPlan(tuple(part), limit, level, after_array, after_level))
    return arrays


def _split_levels(jobs: Sequence[ClusterJob]) -> list[list[ClusterJob]]:
    """Split jobs into those that wait for none of `jobs`, and the others.

    There are at most two levels, because a teacher has no teacher.
    """
    first = [job for job in jobs if not _waits_for_submission(job)]
    second = [job for job in jobs if _waits_for_submission(job)]
    return [level for level in (first, second) if level]


def _waits_for_submission(job: ClusterJob) -> bool:
    """Return whether a job waits for another of its submission; ids of others are strings."""
    return any(isinstance(number, int) for number in job.after)

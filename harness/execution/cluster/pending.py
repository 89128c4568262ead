"""Select the runs of a plan that need a job: those that are not done and have no job yet."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.core.errors import FileError, SlurmError
from harness.core.files import read_json
from harness.core.lease import current_holder
from harness.execution.cluster.recovery import record_job_ids
from harness.execution.cluster.submission import ClusterJob
from harness.execution.reasons import DIVERGED, blocked_by
from harness.planning.other_code import is_outdated
from harness.runs.groups import job_name_prefix, read_run_submission
from harness.runs.layout import FAILURE, GROUPS
from harness.runs.record import failure_kind, failure_time, find_record
from harness.runs.spec import SCORING_VERSION, RunSpec
from harness.runs.submissions import LOCAL_PREFIX
from slurm.queue import query_jobs
from slurm.resources import Resources

# Runs of a cohort by their resources and by the jobs that they wait for.
_Parts = dict[tuple[Resources, tuple[int | str, ...]], list[RunSpec]]


@dataclass(frozen=True, slots=True)
class SkippedRun:
    """A run that gets no job."""

    reason: str
    is_active: bool = False  # it has a job or a process already
    is_failure: bool = False  # neither it nor its students can be trained


@dataclass
class PendingRuns:
    """Jobs to be submitted, teachers first, and the runs that need none."""

    jobs: list[ClusterJob] = field(default_factory=list)
    specs: dict[str, RunSpec] = field(default_factory=dict)  # of the jobs' runs, by key
    skipped: dict[str, SkippedRun] = field(default_factory=dict)  # by key


def select_pending(
    cohorts: Sequence[Sequence[RunSpec]],
    resources: Mapping[str, Resources],
    runs: Path,
    *,
    retry_diverged: bool,
    again: bool = False,
) -> PendingRuns:
    """Divide cohorts into jobs, one for each request for resources within a cohort.

    Args:
        cohorts: Runs that train side by side, teachers before students.
        resources: The resources of each run, by key.
        runs: The runs folder.
        retry_diverged: Whether runs that diverged are trained again.
        again: Whether finished runs are, that other code or versions made.

    Raises:
        SlurmError: Earlier jobs may be in a queue that does not answer.
    """
    pending = PendingRuns()
    active = active_jobs([spec.key for cohort in cohorts for spec in cohort], runs)
    job_numbers: dict[str, int] = {}  # by key
    for cohort in cohorts:
        parts: _Parts = {}
        for spec in cohort:
            skipped = None
            if not (again and _is_repeated(spec, runs, active, pending.specs)):
                skipped = _why_not_pending(
                    spec, runs, active, pending.skipped, retry_diverged=retry_diverged
                )
            if skipped is not None:
                pending.skipped[spec.key] = skipped
                continue
            after = _teacher_jobs(spec, job_numbers, active)
            parts.setdefault((resources[spec.key], after), []).append(spec)
        for (request, after), specs in _join_plain_students(parts).items():
            number = len(pending.jobs) + 1
            keys = tuple(spec.key for spec in specs)
            pending.jobs.append(ClusterJob(number, keys, request, after))
            job_numbers |= dict.fromkeys(keys, number)
            pending.specs |= {spec.key: spec for spec in specs}
    return pending


def _teacher_jobs(
    spec: RunSpec, job_numbers: Mapping[str, int], active: Mapping[str, str]
) -> tuple[int | str, ...]:
    """Return the jobs of a run's teachers: numbers in this submission, ids of earlier ones.

    A teacher that a local pool trains has no id that Slurm could wait for; the worker does.
    """
    jobs: dict[int | str, None] = {}
    for teacher in spec.teachers:
        if teacher.key in job_numbers:
            jobs[job_numbers[teacher.key]] = None
        elif (job_id := active.get(teacher.key, ""))[:1].isdigit():
            jobs[job_id] = None
    return tuple(jobs)


def _join_plain_students(parts: _Parts) -> _Parts:
    """Add runs without a teacher to the runs of their cohort that wait for one.

    They could start at once, but would then read the same images a second time.
    """
    for (request, after), specs in list(parts.items()):
        distilled = [part for part in parts if part[0] == request and part[1]]
        if not after and distilled:
            parts[distilled[0]] = specs + parts[distilled[0]]
            del parts[request, after]
    return parts


def _is_repeated(
    spec: RunSpec, runs: Path, active: Mapping[str, str], queued: Container[str]
) -> bool:
    """Return whether a finished run is trained again; a student is if its teacher is."""
    try:
        record = find_record(runs / spec.key)
        is_due = record is not None and (
            any(teacher.key in queued for teacher in spec.teachers)
            or is_outdated(spec, record, runs)
        )
    except FileError:  # `_why_not_pending` reports it
        return False
    return is_due and _why_taken(spec, runs, active) is None


def _why_not_pending(
    spec: RunSpec,
    runs: Path,
    active: Mapping[str, str],
    skipped: Mapping[str, SkippedRun],
    *,
    retry_diverged: bool,
) -> SkippedRun | None:
    """Return why a run needs no job; None if it needs one."""
    folder = runs / spec.key
    try:
        record, failure = find_record(folder), read_json(folder / FAILURE)
        read_run_submission(runs, spec.key)  # which `active_jobs` does without
    except FileError as error:  # there may be a result or a job already
        return SkippedRun(str(error), is_failure=True)
    if record is not None and record.get("scoring_version") == SCORING_VERSION:
        return SkippedRun("done")
    if taken := _why_taken(spec, runs, active):
        return taken
    if failure and not failure_kind(failure).is_retried and not retry_diverged:
        return SkippedRun(DIVERGED, is_failure=True)
    return _why_blocked(spec, skipped)


def _why_taken(spec: RunSpec, runs: Path, active: Mapping[str, str]) -> SkippedRun | None:
    """Return which job or process has a run already; None if none has."""
    if spec.key in active:
        return SkippedRun(f"has a job: {active[spec.key]}", is_active=True)
    if holder := current_holder(runs / spec.key):
        process, host = holder.get("process"), holder.get("host")
        return SkippedRun(f"is trained by process {process} on {host}", is_active=True)
    return None


def _why_blocked(spec: RunSpec, skipped: Mapping[str, SkippedRun]) -> SkippedRun | None:
    """Return which teacher of a run cannot be trained; None if all can."""
    for teacher in spec.teachers:
        if (other := skipped.get(teacher.key)) is not None and other.is_failure:
            return SkippedRun(blocked_by(teacher.key, other.reason), is_failure=True)
    return None


def active_jobs(keys: Iterable[str], runs: Path) -> dict[str, str]:
    """Return the queued or running job of each run that has one, by the run's key.

    Raises:
        SlurmError: The queue that may contain such jobs does not answer.
    """
    last = {}
    for key in keys:
        with suppress(FileError):  # `_why_not_pending` reports it
            if content := read_run_submission(runs, key):
                last[key] = content
    for name in {str(content["group"]) for content in last.values() if content.get("job") is None}:
        record_job_ids(runs, name)
    last = {key: read_run_submission(runs, key) or content for key, content in last.items()}
    ids = {key: content["job"] for key, content in last.items() if content.get("job")}
    slurm_ids = {key: job for key, job in ids.items() if not job.startswith(LOCAL_PREFIX)}
    prefixes = {job: job_name_prefix(last[key]["group"]) for key, job in slurm_ids.items()}
    snapshot = query_jobs(slurm_ids.values(), prefixes)
    if not snapshot.complete:
        raise SlurmError(
            "Earlier jobs of these runs may still be in the queue, which does not answer: "
            f"{'; '.join(snapshot.problems)}"
        )
    active = {
        key: job
        for key, job in slurm_ids.items()
        if job in snapshot.jobs and not snapshot.jobs[job].is_finished
    }
    for key, content in last.items():
        if key not in slurm_ids and _is_in_pool(runs, key, content):
            active[key] = content.get("job") or f"waits in the pool {content['group']}"
    return active


def _is_in_pool(runs: Path, key: str, last: Mapping[str, Any]) -> bool:
    """Return whether a living local pool has a run that has not failed in it."""
    if current_holder(runs / GROUPS / last["group"]) is None:
        return False
    try:
        failure = read_json(runs / key / FAILURE)
    except FileError:
        return False
    return failure is None or failure_time(failure) <= last.get("submitted", 0)

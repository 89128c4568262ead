"""Which runs of a plan need a job: not those that are done, and not those that have one."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.core.errors import SlurmError
from harness.core.files import read_json, write_json
from harness.core.lease import current_holder
from harness.execution.cluster.group import ClusterJob
from harness.runs.groups import (
    GROUP,
    GROUPS,
    JOB,
    job_name_prefix,
    read_run_submission,
    read_submission,
)
from harness.runs.record import FAILURE, NOT_RETRIED, RECORD
from harness.runs.spec import SCORING_VERSION, RunSpec
from slurm.queue import jobs_with_prefix, query_jobs
from slurm.resources import Resources


@dataclass
class PendingRuns:
    """Jobs to be submitted, teachers first, and why the other runs need none."""

    jobs: list[ClusterJob] = field(default_factory=list)
    specs: dict[str, RunSpec] = field(default_factory=dict)  # of the jobs' runs, by key
    left_out: dict[str, str] = field(default_factory=dict)  # by key


def select_pending(
    plan: Sequence[Sequence[RunSpec]], resources: dict[str, Resources], runs: Path, *, retry: bool
) -> PendingRuns:
    """Divide the plan's cohorts into jobs, one for each demand on the cluster within a cohort.

    `resources` says by key what each run asks for.

    Raises:
        SlurmError: earlier jobs may be in a queue that does not answer.
    """
    result = PendingRuns()
    taken = active_jobs([spec.key for cohort in plan for spec in cohort], runs)
    home: dict[str, int] = {}
    for cohort in plan:
        parts: dict[tuple[Resources, tuple[int | str, ...]], list[RunSpec]] = {}
        for spec in cohort:
            if why := _why_not_pending(spec, runs, taken, result.left_out, retry=retry):
                result.left_out[spec.key] = why
                continue
            after = dict.fromkeys(
                home.get(teacher.key) or taken.get(teacher.key, "") for teacher in spec.teachers
            )
            # A plain student needs no teacher, but shares the data stream of those that do.
            parts.setdefault((resources[spec.key], tuple(filter(None, after))), []).append(spec)
        for (wanted, after_), specs in _joined(parts).items():
            number = len(result.jobs) + 1
            keys = tuple(spec.key for spec in specs)
            result.jobs.append(ClusterJob(number, keys, wanted, after_))
            home |= dict.fromkeys(keys, number)
            result.specs |= {spec.key: spec for spec in specs}
    return result


_Parts = dict[tuple[Resources, tuple[int | str, ...]], list[RunSpec]]


def _joined(parts: _Parts) -> _Parts:
    """The runs of a cohort that wait for nothing join those that wait, if they ask for the same."""
    for (wanted, after), specs in list(parts.items()):
        company = [home for home in parts if home[0] == wanted and home[1]]
        if not after and company:
            parts[company[0]] = specs + parts[company[0]]
            del parts[wanted, after]
    return parts


def _why_not_pending(
    spec: RunSpec, runs: Path, taken: dict[str, str], left_out: dict[str, str], *, retry: bool
) -> str:
    """Why a run needs no job of its own; empty if it does."""
    folder = runs / spec.key
    record, failure = read_json(folder / RECORD), read_json(folder / FAILURE)
    if record is not None and record.get("scoring_version") == SCORING_VERSION:
        return "done"
    if spec.key in taken:
        return f"has a job: {taken[spec.key]}"
    if holder := current_holder(folder):
        return f"is worked on by process {holder.get('process')} on {holder.get('host')}"
    if failure is not None and failure.get("kind") in NOT_RETRIED and not retry:
        return f"{failure['kind']} earlier, and would again; --retry insists"
    for teacher in spec.teachers:
        if (why := left_out.get(teacher.key, "done")).startswith((*NOT_RETRIED, "blocked")):
            return f"blocked: its teacher {teacher.key} {why}"
    return ""


def active_jobs(keys: Iterable[str], runs: Path) -> dict[str, str]:
    """The job, queued or running, of each run that has one.

    Raises:
        SlurmError: the queue that may hold such jobs does not answer.
    """
    told = {key: last for key in keys if (last := read_run_submission(runs, key))}
    for name in {str(last["group"]) for last in told.values() if last["job"] is None}:
        if (read_submission(runs, name) or {}).get("kind") == "slurm":
            recover_job_ids(runs, name, jobs_with_prefix(job_name_prefix(name)))
    told = {key: read_run_submission(runs, key) or last for key, last in told.items()}
    ids = {key: last["job"] for key, last in told.items() if last["job"]}
    slurm = {key: job for key, job in ids.items() if not job.startswith("local-")}
    seen = query_jobs(
        slurm.values(), {job: job_name_prefix(told[key]["group"]) for key, job in slurm.items()}
    )
    if not seen.complete:
        raise SlurmError(
            "Earlier jobs of these runs may still be in the queue, which does not answer: "
            f"{'; '.join(seen.problems)}"
        )
    active = {
        key: job
        for key, job in slurm.items()
        if job in seen.jobs and not seen.jobs[job].is_finished
    }
    for key, last in told.items():
        if key not in slurm and is_pool_alive(runs, last["group"]) and not _failed(runs, key, last):
            active[key] = last["job"] or f"waits in the local group {last['group']}"
    return active


def _failed(runs: Path, key: str, last: dict[str, float]) -> bool:
    """Whether a run failed since it was submitted."""
    failure = read_json(runs / key / FAILURE)
    return failure is not None and float(failure["time"]) > last["submitted"]


def recover_job_ids(runs: Path, name: str, ids: Sequence[tuple[str, str]]) -> None:
    """Enter the ids that a killed submitter did not; `ids` are pairs of name and id."""
    path = runs / GROUPS / name / GROUP
    content = read_json(path)
    if content is None:
        return
    found = {(title, int(job.partition("_")[2] or 0)): job for title, job in ids}
    for told in content["jobs"]:
        known = found.get((told["array"], told["index"]))
        if told["job"] is None and known is not None:
            told["job"] = known
            for key in told["runs"]:
                if (last := read_run_submission(runs, key)) and last["group"] == name:
                    write_json(runs / key / JOB, last | {"job": known})
    write_json(path, content)


def is_pool_alive(runs: Path, name: str) -> bool:
    """Whether the process that works through a local group is at it."""
    return current_holder(runs / GROUPS / name) is not None


def local_id(process: int | None = None) -> str:
    """How a job of the local pool is called."""
    return f"local-{process or os.getpid()}"

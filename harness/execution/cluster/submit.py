"""Submit a plan's unfinished runs to Slurm, once, and return."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from harness.core.errors import SlurmError
from harness.core.files import ensure_writable
from harness.core.lease import Lease, acquire_blocking
from harness.execution.cluster.arrays import JobArrayPlan, group_into_arrays
from harness.execution.cluster.code_snapshot import snapshot_code
from harness.execution.cluster.job_spec import JobSpec
from harness.execution.cluster.pending import PendingRuns, select_pending
from harness.execution.cluster.profile import Profile
from harness.execution.cluster.submission import (
    ClusterJob,
    Submission,
    array_name,
    new_submission_name,
)
from harness.planning.plan import Plan
from harness.runs.layout import CODE, GROUPS
from harness.runs.record import create_run_folder
from slurm.limits import max_array_size
from slurm.resources import Resources
from slurm.submit import JobArray, check_submission, submit
from slurm.worker_job import WorkerJob


@dataclass(frozen=True)
class SubmitOptions:
    """Options of a submission that the plan does not contain."""

    cluster: str  # the profile's name or path, as typed
    profile: Profile
    overrides: Sequence[str] = ()  # cluster.NAME=VALUE
    max_parallel: int | None = None
    retry_diverged: bool = False
    again: bool = False  # train finished runs again that other code made
    checkpoint_seconds: float = 300.0
    allow_partial: bool = False
    command: str = ""  # as typed

    @property
    def parallel_limit(self) -> int | None:
        """Jobs that may run at the same time; None: no limit."""
        return self.max_parallel or self.profile.max_parallel

    def resources(self, plan: Plan) -> dict[str, Resources]:
        """Return the resources of each of the plan's runs, by key.

        Raises:
            UsageError: An override names no field of a profile, or has an impossible value.
        """
        return {
            spec.key: self.profile.resources(spec.dataset, spec.method, self.overrides)
            for spec in plan.specs
        }

    def select_pending(self, plan: Plan) -> PendingRuns:
        """Return the plan's runs that need a job, divided into jobs.

        Raises:
            UsageError: An override is wrong.
            SlurmError: Earlier jobs may be in a queue that does not answer.
        """
        return select_pending(
            plan.cohorts,
            self.resources(plan),
            plan.runs.absolute(),
            retry_diverged=self.retry_diverged,
            again=self.again,
        )


def submit_grid(
    plan: Plan, options: SubmitOptions, print_line: Callable[[str], None]
) -> Submission | None:
    """Submit the plan's runs that need a job; return None if none does.

    Args:
        plan: The plan.
        options: Cluster and resources.
        print_line: Called with each line of the report about runs that need no job.

    Raises:
        UsageError: An override is wrong, or a method's code cannot be copied.
        SlurmError: The cluster refuses the jobs or does not answer; the message contains how many
            jobs were submitted before.
        SetupError: The runs folder is not writable.
    """
    runs = plan.runs.absolute()
    with submission_lock(runs, print_line):
        pending = options.select_pending(plan)
        report_skipped(pending, print_line)
        if not pending.jobs:
            return None
        submission = Submission(
            new_submission_name(), options.cluster, "slurm", options.command, "", pending.jobs
        )
        for resources in dict.fromkeys(job.resources for job in pending.jobs):
            check_submission(_job_array(submission, runs, resources))
        arrays = group_into_arrays(pending.jobs, max_array_size(), options.parallel_limit)
        for array in arrays:
            for index, job in enumerate(array.jobs):
                job.array, job.index = array_name(submission.name, array.jobs[0].number), index
        write_submission(submission, pending, plan, options)
        _submit_arrays(submission, arrays, runs)
    return submission


def submission_lock(runs: Path, print_line: Callable[[str], None]) -> AbstractContextManager[Lease]:
    """Hold the right to submit below a runs folder, waiting for another submitter.

    Args:
        runs: The runs folder.
        print_line: Called with a line about a long wait.

    Raises:
        SetupError: The folder is not writable.
    """
    ensure_writable(runs / GROUPS)
    return acquire_blocking(runs / GROUPS, work="submits runs", report=print_line)


def report_skipped(pending: PendingRuns, print_line: Callable[[str], None]) -> None:
    """Print a line for each reason for which runs get no job."""
    reasons: dict[str, list[str]] = {}
    for key, skipped in pending.skipped.items():
        reasons.setdefault(skipped.reason, []).append(key)
    for reason, keys in reasons.items():
        names = keys[0] if len(keys) == 1 else f"{len(keys)} runs"
        print_line(f"skipped, {reason}: {names}")


def write_submission(
    submission: Submission, pending: PendingRuns, plan: Plan, options: SubmitOptions
) -> None:
    """Write all that the jobs read, before any job exists: code, runs' folders, job files.

    Raises:
        UsageError: A method's code cannot be copied.
        SetupError: An earlier copy of the code was changed.
    """
    runs = plan.runs.absolute()
    methods = {spec.method for spec in pending.specs.values()}
    submission.snapshot = str(snapshot_code(runs, methods))
    for spec in pending.specs.values():
        for run in (*spec.teachers, spec):
            create_run_folder(runs, run)
    for job in submission.jobs:
        first = pending.specs[job.runs[0]]
        networks = {pending.specs[key].network for key in job.runs}
        job_spec = JobSpec(
            runs=job.runs,
            dataset=first.dataset,
            data_root=str(plan.roots[first.dataset]),
            weights={
                network: str(path.absolute())
                for network, path in plan.context.pretrained_files.items()
                if network in networks
            },
            device=first.device,
            threads=first.threads,
            workers=plan.context.workers,
            checkpoint_every=options.checkpoint_seconds,
            allow_partial=options.allow_partial,
            cache=plan.cache,
            retry=options.retry_diverged,
            again=options.again,
        )
        job_spec.write(submission.job_file(runs, job))
    submission.logs(runs).mkdir(parents=True, exist_ok=True)
    submission.write(runs, submission.jobs)


def preview_submission(
    plan: Plan, options: SubmitOptions
) -> tuple[PendingRuns, list[tuple[tuple[ClusterJob, ...], JobArray]]]:
    """Return what `submit_grid` would submit, without submitting or writing anything.

    Returns:
        The pending runs, and the arrays in order of submission, each with its jobs. `JOB1`, `JOB2`
        ... are in place of the ids that Slurm would assign.

    Raises:
        UsageError: An override is wrong.
        SlurmError: Earlier jobs may be in a queue that does not answer.
    """
    runs = plan.runs.absolute()
    pending = options.select_pending(plan)
    code = str(runs / CODE / "DIGEST")
    submission = Submission("NAME", options.cluster, "slurm", options.command, code)
    ids = {job.number: f"JOB{job.number}" for job in pending.jobs}
    arrays = group_into_arrays(pending.jobs, max_array_size(), options.parallel_limit)
    return pending, [
        (array.jobs, _with_dependencies(submission, arrays, position, ids, runs))
        for position, array in enumerate(arrays)
    ]


def _submit_arrays(submission: Submission, arrays: Sequence[JobArrayPlan], runs: Path) -> None:
    """Submit the arrays one by one, writing the ids of each before the next.

    Raises:
        SlurmError: The cluster refuses an array.
    """
    ids: dict[int, str] = {}
    for position, array in enumerate(arrays):
        worker_jobs = [
            WorkerJob(str(submission.job_file(runs, job)), str(runs), submission.snapshot)
            for job in array.jobs
        ]
        try:
            array_ids = submit(
                _with_dependencies(submission, arrays, position, ids, runs), worker_jobs
            )
        except SlurmError as error:
            raise SlurmError(
                f"{error} {len(ids)} of the {len(submission.jobs)} jobs of submission "
                f"{submission.name} were submitted before; the same command submits the others."
            ) from error
        for job, job_id in zip(array.jobs, array_ids, strict=True):
            job.job = ids[job.number] = job_id
        submission.write(runs, array.jobs)


def _with_dependencies(
    submission: Submission,
    arrays: Sequence[JobArrayPlan],
    position: int,
    ids: Mapping[int, str],
    runs: Path,
) -> JobArray:
    """Translate one of the planned arrays for Slurm; `ids` contains those of all before it."""
    array = arrays[position]
    first = array.jobs[0]
    earlier = [a for a in arrays[:position] if array.after_level and a.level < array.level]
    if array.after_array is not None:
        earlier.append(arrays[array.after_array])
    return replace(
        _job_array(submission, runs, first.resources),
        name=array_name(submission.name, first.number),
        size=len(array.jobs),
        max_parallel=array.max_parallel,
        after_success=tuple(_resolve_ids(first.after, ids)),
        # the bare id of an array means all its elements
        after_end=tuple(dict.fromkeys(ids[a.jobs[0].number].partition("_")[0] for a in earlier)),
    )


def _resolve_ids(after: Sequence[int | str], ids: Mapping[int, str]) -> list[str]:
    """Replace numbers of jobs by their ids."""
    return [ids[job] if isinstance(job, int) else job for job in after]


def _job_array(submission: Submission, runs: Path, resources: Resources) -> JobArray:
    """Return an array of one job with the submission's code and logs."""
    code = Path(submission.snapshot or runs)  # before the code is copied: to check the resources
    return JobArray(array_name(submission.name, 1), resources, submission.logs(runs), code)

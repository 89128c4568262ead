"""From a plan to jobs on a cluster: what is missing is submitted, once, and the command ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from harness.core.errors import SlurmError
from harness.core.files import ensure_writable
from harness.core.lease import Lease, acquire_blocking
from harness.execution.cluster.arrays import JobArrayPlan, group_into_arrays
from harness.execution.cluster.code_snapshot import snapshot
from harness.execution.cluster.group import ClusterJob, Submission, array_name, new_name
from harness.execution.cluster.job_spec import JobSpec
from harness.execution.cluster.pending import PendingRuns, select_pending
from harness.execution.cluster.profile import Profile
from harness.planning.plan import Plan
from harness.runs.groups import GROUPS, LOGS
from harness.runs.record import create_run_folder
from slurm.limits import array_size
from slurm.resources import Resources
from slurm.submit import JobArray, check_submission, submission_script, submit
from slurm.worker_job import WorkerJob

Say = Callable[[str], None]


@dataclass(frozen=True)
class SubmitOptions:
    """How the missing runs of a plan are to be submitted."""

    cluster: str  # the profile's name or path, as typed
    profile: Profile
    overrides: Sequence[str] = ()  # of --set, those of the cluster
    max_parallel: int | None = None
    retry: bool = False
    checkpoint_every: float = 300.0
    allow_partial: bool = False
    command: str = ""

    @property
    def most(self) -> int | None:
        """Jobs at a time."""
        return self.max_parallel or self.profile.max_parallel

    def resources(self, plan: Plan) -> dict[str, Resources]:
        """What each run asks for."""
        return {
            spec.key: self.profile.resources(spec.dataset, spec.method, self.overrides)
            for spec in plan.specs
        }


def submit_grid(plan: Plan, options: SubmitOptions, say: Say) -> Submission | None:
    """Submit what is missing to Slurm; None if nothing is.

    Raises:
        SlurmError: the cluster refuses the jobs or does not answer; the message says what of them
            was submitted.
        SetupError: the runs folder is not writable.
    """
    runs = plan.runs.absolute()
    with submission_lock(runs):
        chosen = select_pending(plan.cohorts, options.resources(plan), runs, retry=options.retry)
        report_skipped(chosen, say)
        if not chosen.jobs:
            return None
        group = Submission(new_name(), options.cluster, "slurm", options.command, "", chosen.jobs)
        for resources in dict.fromkeys(job.resources for job in chosen.jobs):
            check_submission(_array(group, runs, resources))
        bundles = group_into_arrays(chosen.jobs, array_size(), options.most)
        for part in bundles:
            for index, job in enumerate(part.jobs):
                job.array, job.index = array_name(group.name, part.jobs[0].number), index
        prepare(group, chosen, plan, options)
        _submit(group, bundles, runs)
    return group


def submission_lock(runs: Path) -> AbstractContextManager[Lease]:
    """Hold the right to submit below a runs folder, waiting for another submitter.

    Raises:
        SetupError: the folder is not writable.
    """
    ensure_writable(runs / GROUPS)
    return acquire_blocking(runs / GROUPS)


def report_skipped(chosen: PendingRuns, say: Say) -> None:
    """One line for each reason that kept runs from being submitted."""
    reasons: dict[str, list[str]] = {}
    for key, why in chosen.left_out.items():
        reasons.setdefault(why, []).append(key)
    for why, keys in reasons.items():
        named = keys[0] if len(keys) == 1 else f"{len(keys)} runs"
        say(f"left out, {why}: {named}")


def prepare(group: Submission, chosen: PendingRuns, plan: Plan, options: SubmitOptions) -> None:
    """Write all that the jobs read: code, runs, orders; and the group, before any job exists."""
    runs = plan.runs.absolute()
    group.snapshot = str(snapshot(runs, {spec.method for spec in chosen.specs.values()}))
    for spec in chosen.specs.values():
        for run in (*spec.teachers, spec):
            create_run_folder(runs, run)
    for job in group.jobs:
        first = chosen.specs[job.runs[0]]
        networks = {chosen.specs[key].network for key in job.runs}
        JobSpec(
            runs=job.runs,
            dataset=first.dataset,
            data_root=str(plan.roots[first.dataset]),
            weights={
                network: str(path.absolute())
                for network, path in plan.pretrained_files.items()
                if network in networks
            },
            device=first.device,
            threads=first.threads,
            workers=plan.workers,
            checkpoint_every=options.checkpoint_every,
            allow_partial=options.allow_partial,
            cache=plan.cache,
            retry=options.retry,
        ).write(group.order(runs, job))
    (group.folder(runs) / LOGS).mkdir(parents=True, exist_ok=True)
    group.write(runs, group.jobs)


def print_submission(plan: Plan, options: SubmitOptions, say: Say) -> None:
    """What would be submitted: every #SBATCH line, and what the cluster says of it.

    Raises:
        SlurmError: the cluster refuses the jobs or does not answer.
    """
    runs = plan.runs.absolute()
    chosen = select_pending(plan.cohorts, options.resources(plan), runs, retry=options.retry)
    report_skipped(chosen, say)
    group = Submission(
        "NAME", options.cluster, "slurm", options.command, str(runs / "code" / "DIGEST")
    )
    ids: dict[int, str] = {job.number: f"JOB{job.number}" for job in chosen.jobs}
    bundles = group_into_arrays(chosen.jobs, array_size(), options.most)
    for place, part in enumerate(bundles):
        array = _array_of(group, bundles, place, ids, runs)
        count = f"an array of {len(part.jobs)} jobs" if len(part.jobs) > 1 else "a job"
        say(f"\nsubmission {place + 1}: {count}, {sum(len(job.runs) for job in part.jobs)} runs")
        for line in submission_script(array).splitlines():
            if line.startswith("#SBATCH"):
                say(line)
        for job in part.jobs:
            after = ", ".join(
                ids.get(number, str(number)) if isinstance(number, int) else number
                for number in job.after
            )
            say(f"  {ids[job.number]}: {len(job.runs)} runs{f', after {after}' if after else ''}")
        say(f"sbatch --test-only: {check_submission(array)}")


def _submit(group: Submission, bundles: Sequence[JobArrayPlan], runs: Path) -> None:
    """Hand the arrays to Slurm one by one, noting each before the next."""
    ids: dict[int, str] = {}
    for place, part in enumerate(bundles):
        array = _array_of(group, bundles, place, ids, runs)
        work = [
            WorkerJob(str(group.order(runs, job)), str(runs), group.snapshot) for job in part.jobs
        ]
        try:
            given = submit(array, work)
        except SlurmError as error:
            raise SlurmError(
                f"{error} {len(ids)} of the {len(group.jobs)} jobs of group {group.name} were "
                "submitted before; the same command submits the others."
            ) from error
        for job, name in zip(part.jobs, given, strict=True):
            job.job = ids[job.number] = name
        group.write(runs, part.jobs)


def _array_of(
    group: Submission, bundles: Sequence[JobArrayPlan], place: int, ids: dict[int, str], runs: Path
) -> JobArray:
    """A bundle in Slurm's terms, once the jobs that it waits for have ids."""
    part = bundles[place]
    first: ClusterJob = part.jobs[0]
    succeeded = [ids[name] if isinstance(name, int) else name for name in first.after]
    earlier = [other for other in bundles[:place] if part.after_level and other.level < part.level]
    if part.after_array is not None:
        earlier.append(bundles[part.after_array])
    ended = [ids[other.jobs[0].number].partition("_")[0] for other in earlier]
    return replace(
        _array(group, runs, first.resources),
        name=array_name(group.name, first.number),
        size=len(part.jobs),
        parallel=part.parallel,
        succeeded=tuple(succeeded),
        ended=tuple(dict.fromkeys(ended)),
    )


def _array(group: Submission, runs: Path, resources: Resources) -> JobArray:
    logs = group.folder(runs) / LOGS
    return JobArray(array_name(group.name, 1), resources, logs, Path(group.snapshot or runs), 1, 1)

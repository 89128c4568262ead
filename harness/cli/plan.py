"""Print a plan: its cohorts and runs, how long they take, and what would be submitted."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from harness.cli.printing import count_runs, count_states
from harness.cli.terminal import echo
from harness.data.dataset import Dataset
from harness.data.sampling import make_sampler
from harness.execution.cluster.submit import SubmitOptions, preview_submission, report_skipped
from harness.planning.estimate import Estimate, estimate, read_timings, sum_estimates
from harness.planning.plan import Plan, is_provisional
from harness.planning.similar_runs import describe_similar_runs
from harness.runs.folder_state import inspect_run_folder
from harness.runs.spec import Recipe, RunSpec
from harness.runs.states import RunState
from slurm.submit import check_submission, submission_script


def print_plan(plan: Plan, *, as_json: bool) -> None:
    """Print every cohort with its runs and their states, then the counts; start nothing.

    The plan's notes go to standard error, so that JSON on standard output stays readable.
    """
    for note in plan.notes:
        echo(f"note: {note}", err=True)
    folders = {spec.key: inspect_run_folder(plan.runs / spec.key) for spec in plan.specs}
    for problem in filter(None, (folder.problem for folder in folders.values())):
        echo(f"note: {problem}", err=True)
    states = {key: folder.state for key, folder in folders.items()}
    estimates = _estimate_cohorts(plan, states)
    if as_json:
        echo(json.dumps(_rows(plan, states, estimates), indent=1))
    else:
        _print_cohorts(plan, states, estimates)
    for note in describe_similar_runs(plan.specs, plan.runs):
        echo(f"note: {note}", err=True)


def _print_cohorts(plan: Plan, states: dict[str, RunState], estimates: Sequence[Estimate]) -> None:
    """Print every cohort with its runs, then the counts."""
    for number, (cohort, time) in enumerate(zip(plan.cohorts, estimates, strict=True), 1):
        _print_cohort(plan, number, cohort, time)
        for spec in cohort:
            mark = "  (provisional key)" if is_provisional(spec) else ""
            echo(f"  {states[spec.key]:<12} {spec.key}{mark}")
    if any(state != RunState.DONE for state in states.values()):
        echo(f"In all {sum_estimates(estimates).describe(_device_kind(plan))}.")
    echo(f"{count_states(states.values())}. Nothing was started.")


def _rows(
    plan: Plan, states: dict[str, RunState], estimates: Sequence[Estimate]
) -> list[dict[str, Any]]:
    """Return one JSON object for each run."""
    return [
        {
            "cohort": number,
            "key": spec.key,
            "state": states[spec.key],
            "cohort_seconds": time.seconds,
            **({"provisional": True} if is_provisional(spec) else {}),
        }
        for number, (cohort, time) in enumerate(zip(plan.cohorts, estimates, strict=True), 1)
        for spec in cohort
    ]


def _print_cohort(plan: Plan, number: int, cohort: Sequence[RunSpec], time: Estimate) -> None:
    recipe, device = cohort[0].recipe, cohort[0].device
    size = f"{recipe.height}x{recipe.width}, {recipe.epochs} epochs, {recipe.precision}"
    if teacher_size := next((spec.teacher_size for spec in cohort if spec.teacher_size), None):
        size += ", teacher at {}x{}".format(*teacher_size)
    echo(f"cohort {number}: {count_runs(len(cohort))}, one data stream, {size}, on {device}")
    echo(f"  {_describe_epoch(plan.datasets[cohort[0].dataset], recipe)}")
    if time.seconds != 0:
        echo(f"  {time.describe(_device_kind(plan))}")


def _describe_epoch(dataset: Dataset, recipe: Recipe) -> str:
    """Return the length of an epoch, which differs between samplers."""
    batches = make_sampler(dataset, recipe, "").batches_per_epoch
    size, shape = recipe.batch, f"{recipe.batch} images"
    if recipe.sampling == "identities":
        size = recipe.identities * recipe.images_each
        shape = f"{recipe.identities} identities x {recipe.images_each} images"
    return (
        f"an epoch is {batches:,} batches of {shape}: {batches * size:,} of "
        f"{len(dataset.train):,} training images; {recipe.epochs * batches:,} steps in all"
    )


def _estimate_cohorts(plan: Plan, states: dict[str, RunState]) -> list[Estimate]:
    """Estimate each cohort's time from earlier records in the runs folder."""
    timings = read_timings(plan.runs)
    done = [key for key, state in states.items() if state == RunState.DONE]
    estimates = []
    for cohort in plan.cohorts:
        recipe = cohort[0].recipe
        sampler = make_sampler(plan.datasets[cohort[0].dataset], recipe, "")
        steps = recipe.epochs * sampler.batches_per_epoch
        estimates.append(estimate(cohort, steps, timings, done=done))
    return estimates


def _device_kind(plan: Plan) -> str:
    return "GPU" if plan.context.device_name.startswith("cuda") else "CPU"


def print_submission(plan: Plan, options: SubmitOptions) -> None:
    """Print every `#SBATCH` line that would be submitted, and Slurm's answer to a test of it.

    Raises:
        UsageError: An override is wrong.
        SlurmError: The cluster refuses the jobs or does not answer.
    """
    pending, arrays = preview_submission(plan, options)
    report_skipped(pending, echo)
    for number, (jobs, array) in enumerate(arrays, 1):
        size = f"an array of {len(jobs)} jobs" if len(jobs) > 1 else "a job"
        echo(f"\nsubmission {number}: {size}, {count_runs(sum(len(job.runs) for job in jobs))}")
        for line in submission_script(array).splitlines():
            if line.startswith("#SBATCH"):
                echo(line)
        for job in jobs:
            teachers = [f"JOB{n}" if isinstance(n, int) else n for n in job.after]
            after = f", after {', '.join(teachers)}" if teachers else ""
            echo(f"  JOB{job.number}: {count_runs(len(job.runs))}{after}")
        echo(f"sbatch --test-only: {check_submission(array)}")

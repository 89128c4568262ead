"""Plan, train and submit: `kdreid run`, `plan`, `retry` and `cancel`.

`python -m harness.run` is `kdreid run` under its older name.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from harness.cli import options, run_options
from harness.cli.execution_options import (
    ExecutionOptions,
    require_device_of_profile,
    require_possible_options,
)
from harness.cli.options import Names
from harness.cli.printing import run_application
from harness.cli.terminal import echo
from harness.core.errors import ExitCode

if TYPE_CHECKING:  # torch takes seconds to import: --help does not wait for it
    from harness.core.progress import Reporter
    from harness.execution.cluster.submit import SubmitOptions
    from harness.planning.plan import Plan
    from harness.planning.request import RunRequest


def run(
    context: typer.Context,
    methods: run_options.Methods = None,
    exclude: run_options.Exclude = None,
    study: run_options.Study = None,
    teacher: run_options.Teacher = None,
    student: run_options.Student = None,
    head: run_options.Head = None,
    seeds: run_options.Seeds = None,
    teacher_seed: run_options.TeacherSeed = None,
    teacher_run: run_options.TeacherRun = None,
    datasets: run_options.Datasets = None,
    data_root: options.DataRoot = None,
    allow_partial: options.AllowPartial = False,
    no_cache: run_options.NoCache = False,
    overrides: run_options.Set = None,
    pretrained: options.Pretrained = None,
    precision: run_options.Precision = None,
    threads: run_options.Threads = None,
    pack: run_options.CohortSize = None,
    device: options.Device = "auto",
    workers: options.Workers = 2,
    checkpoint_every: run_options.CheckpointEvery = 300.0,
    retry_diverged: run_options.RetryDiverged = False,
    again: run_options.Again = False,
    cluster: run_options.Cluster = None,
    max_parallel: run_options.MaxParallel = None,
    watch: run_options.Watch = False,
    runs: options.Runs = Path("runs"),
    dry_run: run_options.DryRun = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Train teachers, plain students and every method, then compare; finished runs are kept."""
    given = locals() | {"cache": not no_cache, "dry_run": dry_run or context.info_name == "plan"}
    from harness.core.progress import Reporter
    from harness.planning.request import RunRequest

    request, execution = _pick(RunRequest, given), _pick(ExecutionOptions, given)
    raise typer.Exit(_execute(request, execution, Reporter(quiet=quiet)))


T = TypeVar("T")


def _pick(kind: type[T], values: Mapping[str, Any]) -> T:
    """Make a dataclass of those options that it has fields for, where they are given."""
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    return kind(**{name: values[name] for name in names if values.get(name) is not None})


def _execute(request: RunRequest, execution: ExecutionOptions, reporter: Reporter) -> int:
    """Print the plan, or carry it out here or on a cluster; return the exit code."""
    require_possible_options(execution)
    if execution.cluster is not None:
        return run_on_cluster(request, execution.cluster, execution, reporter)
    if execution.dry_run:
        from harness.cli.plan import print_plan
        from harness.planning.plan import make_plan

        plan = make_plan(request, reporter, is_preview=True)
        print_plan(plan, as_json=execution.as_json)
        return ExitCode.DONE
    return _train(request, execution, reporter)


def _train(request: RunRequest, execution: ExecutionOptions, reporter: Reporter) -> int:
    """Plan, train in this process and report; return the exit code."""
    from harness.cli.run_printing import print_outcome, report_notes
    from harness.core.files import ensure_writable
    from harness.core.signals import handle_signals
    from harness.execution.in_process import InProcessExecutor
    from harness.planning.plan import make_plan

    ensure_writable(request.runs)
    _warn_if_unshared(request.runs, reporter)
    with handle_signals() as stop:
        plan = make_plan(request, reporter)
        report_notes(plan)
        context = replace(plan.context, stop=stop, checkpoint_seconds=execution.checkpoint_every)
        executor = InProcessExecutor(
            context, plan.open_data, execution.retry_diverged, request.again
        )
        outcome = executor.launch(plan.cohorts)
    return print_outcome(plan, outcome)


def _warn_if_unshared(runs: Path, reporter: Reporter) -> None:
    """Warn before anything is written that others of a shared folder could not read or replace."""
    from harness.core.sharing import describe_unshared

    if problem := describe_unshared(runs):
        reporter.info(f"warning: {problem}")


def run_on_cluster(
    request: RunRequest, cluster: str, execution: ExecutionOptions, reporter: Reporter
) -> int:
    """Plan for the machines of a profile and submit, or print what would be submitted.

    Returns:
        The exit code.

    Raises:
        UsageError: The profile or the request is wrong.
        SetupError: Data, weights or a writable runs folder are missing.
        SlurmError: The cluster refuses the jobs or does not answer.
    """
    from harness.cli.run_printing import print_states, print_submitted, report_notes
    from harness.core.files import ensure_writable
    from harness.core.signals import handle_signals
    from harness.execution.cluster.local_pool import run_local_pool
    from harness.execution.cluster.submit import submit_grid
    from harness.execution.cluster.watch import watch_jobs

    with handle_signals() as stop:
        plan, submit_options = _plan_submission(request, cluster, execution, reporter)
        if execution.dry_run:
            return _print_dry_run(plan, submit_options, as_json=execution.as_json)
        stop.raise_if_requested()
        ensure_writable(request.runs)
        _warn_if_unshared(request.runs, reporter)
        report_notes(plan)
        if submit_options.profile.kind == "local":
            outcome = run_local_pool(plan, submit_options, stop, reporter.info)
            return print_states(plan, outcome.reasons, outcome.active)
        submission = submit_grid(plan, submit_options, reporter.info)
    code = print_submitted(plan, submission)
    if not execution.watch:
        return code
    watch_jobs(plan, submit_options, reporter)
    return print_states(plan, {spec.key: "not done; see kdreid status" for spec in plan.specs})


def _plan_submission(
    request: RunRequest, cluster: str, execution: ExecutionOptions, reporter: Reporter
) -> tuple[Plan, SubmitOptions]:
    """Plan for the machines of a profile."""
    from harness.execution.cluster.profile import load_profile, split_cluster_overrides
    from harness.execution.cluster.submit import SubmitOptions
    from harness.planning.plan import make_plan
    from harness.plugins.lookup import known_methods

    profile = load_profile(cluster)
    cluster_overrides, overrides = split_cluster_overrides(request.overrides)
    require_device_of_profile(request)
    profile.require_names(known_methods())
    plan = make_plan(
        replace(request, overrides=overrides),
        reporter,
        lambda dataset: profile.device_and_threads(dataset, cluster_overrides),
        is_preview=execution.dry_run,
    )
    return plan, SubmitOptions(
        cluster=cluster,
        profile=profile,
        overrides=cluster_overrides,
        max_parallel=execution.max_parallel,
        retry_diverged=execution.retry_diverged,
        again=request.again,
        checkpoint_seconds=execution.checkpoint_every,
        allow_partial=request.allow_partial,
        command=shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
    )


def _print_dry_run(plan: Plan, submit_options: SubmitOptions, *, as_json: bool) -> int:
    from harness.cli.plan import print_plan, print_submission

    print_plan(plan, as_json=as_json)
    if not as_json and submit_options.profile.kind == "slurm":
        print_submission(plan, submit_options)
    return ExitCode.DONE


def retry(
    handles: Annotated[Names, options.run_argument("all failed runs")] = None,
    only: options.Causes = None,
    methods: options.OutsideMethods = None,
    assignments: run_options.RetrySet = None,
    changes: run_options.With = None,
    cluster: run_options.RetryCluster = None,
    data_root: options.DataRoot = None,
    allow_partial: options.AllowPartial = False,
    pretrained: options.Pretrained = None,
    pack: Annotated[int | None, options.cohort_size_option("16")] = None,
    runs: options.Runs = Path("runs"),
    quiet: options.Quiet = False,
) -> None:
    """Retry failed runs: all, some, or those of one cause, unchanged or with other settings."""
    from harness.core.progress import Reporter
    from harness.execution.cluster.profile import split_cluster_overrides
    from harness.execution.cluster.retry import RetryRequest, retry_runs
    from harness.planning.plan import DEFAULT_COHORT_SIZE
    from harness.planning.reopen import InputLocations
    from harness.planning.weights import parse_pretrained

    cluster_overrides, overrides = split_cluster_overrides(assignments or ())
    request = RetryRequest(
        runs=runs,
        causes=only or (),
        overrides=[*overrides, *(changes or ())],
        cluster=cluster,
        cluster_overrides=cluster_overrides,
        methods=methods or (),
        inputs=InputLocations(
            data_root=data_root,
            pretrained_files=parse_pretrained(pretrained or ()),
            allow_partial=allow_partial,
        ),
        cohort_size=pack or DEFAULT_COHORT_SIZE,
    )
    raise typer.Exit(retry_runs(handles or (), request, Reporter(quiet=quiet)))


def cancel(
    handles: Annotated[Names, options.run_argument()] = None,
    everything: Annotated[bool, typer.Option("--all", help="Stop all runs of the folder.")] = False,
    runs: options.Runs = Path("runs"),
) -> None:
    """Stop queued and running runs; their checkpoints are kept."""
    from harness.execution.cluster.cancel import cancel_runs

    raise typer.Exit(cancel_runs(handles or (), runs, echo, everything=everything))


def main() -> None:
    """Run `kdreid run` on the process's arguments, and exit."""
    application = typer.Typer(pretty_exceptions_enable=False)
    application.command(name="run")(run)
    run_application(application)

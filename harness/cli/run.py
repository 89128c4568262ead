"""The main command: `python -m harness.run --methods all --dataset msmt17`, or `kdreid run`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.serve import serve
from harness.core.errors import ExitCode, UsageError

if TYPE_CHECKING:  # torch takes seconds to import: --help does not wait for it
    from harness.cli.manner import ExecutionOptions
    from harness.core.progress import Reporter
    from harness.execution.in_process import Outcome
    from harness.planning.plan import Plan, RunRequest


Names = list[str] | None
Methods = Annotated[Names, typer.Option(help="`all`, names or globs, comma-separated or repeated.")]
Exclude = Annotated[Names, typer.Option("--exclude", "-x", help="Methods to leave out.")]
Datasets = Annotated[Names, typer.Option("--dataset", help="One or more, comma-separated.")]
DataRoot = Annotated[Path | None, typer.Option(help="Folder that holds the dataset as unpacked.")]
Study = Annotated[str | None, typer.Option(help="A file of configs/study, or a path to one.")]
Network = Annotated[str | None, typer.Option(help="A network's name; see kdreid list.")]
Head = Annotated[str | None, typer.Option(help="bnneck (default), fc256 or classblock.")]
Seeds = Annotated[str | None, typer.Option(help="Student seeds, as in 0,1,2.")]
TeacherSeed = Annotated[str, typer.Option(help="The teacher's seed, or `same` as each student's.")]
Pack = Annotated[int | None, typer.Option(min=1, help="Students behind one teacher forward.")]
Set = Annotated[
    Names, typer.Option("--set", help="recipe.epochs=60, pdrd.weight=1, data.seed=3 ...")
]
Weights = Annotated[Names, typer.Option(help="ImageNet weights, as NETWORK=FILE.")]
Runs = Annotated[Path, typer.Option(help="Where everything is written.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")]
Precision = Annotated[str | None, typer.Option(help="fp32, bf16 or fp16.")]
Threads = Annotated[int | None, typer.Option(min=1, help="CPU threads; part of a CPU run's key.")]
Workers = Annotated[int, typer.Option(min=0, help="Readers beside the training; change no number.")]
Checkpoint = Annotated[float, typer.Option(min=0, help="Seconds between two checkpoints.")]
Partial = Annotated[bool, typer.Option("--allow-partial", help="Go on with an incomplete dataset.")]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Decode images as they are needed.")]
DryRun = Annotated[bool, typer.Option("--dry-run", "-n", help="Show the plan and stop.")]
Retry = Annotated[bool, typer.Option("--retry", help="Try diverged runs again, too.")]
Json = Annotated[bool, typer.Option("--json", help="As JSON; for `run`, with --dry-run.")]
Cluster = Annotated[str | None, typer.Option(help="Submit: a profile of configs/cluster, a path.")]
Parallel = Annotated[int | None, typer.Option(min=1, help="With --cluster: jobs at a time.")]
Watch = Annotated[bool, typer.Option("--watch", help="With --cluster: stay until all has ended.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")]


def run(
    context: typer.Context,
    methods: Methods = None,
    exclude: Exclude = None,
    dataset: Datasets = None,
    data_root: DataRoot = None,
    study: Study = None,
    teacher: Network = None,
    student: Network = None,
    head: Head = None,
    seeds: Seeds = None,
    teacher_seed: TeacherSeed = "0",
    pack: Pack = None,
    assignments: Set = None,
    weights: Weights = None,
    runs: Runs = Path("runs"),
    device: Device = "auto",
    precision: Precision = None,
    threads: Threads = None,
    workers: Workers = 2,
    checkpoint_every: Checkpoint = 300.0,
    allow_partial: Partial = False,
    no_cache: NoCache = False,
    dry_run: DryRun = False,
    retry: Retry = False,
    cluster: Cluster = None,
    max_parallel: Parallel = None,
    watch: Watch = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train teachers, plain students and every method, then compare; what is done is kept."""
    from harness.cli.manner import ExecutionOptions
    from harness.core.progress import Reporter
    from harness.planning.plan import RunRequest

    request = RunRequest(
        methods or (),
        exclude or (),
        dataset or (),
        data_root,
        study,
        teacher,
        student,
        head,
        seeds,
        teacher_seed,
        pack,
        assignments or (),
        weights or (),
        runs,
        device,
        precision,
        threads,
        workers,
        allow_partial,
        not no_cache,
    )
    show = dry_run or context.info_name == "plan"
    manner = ExecutionOptions(cluster, max_parallel, watch, show, retry, checkpoint_every, as_json)
    raise typer.Exit(_execute(request, manner, Reporter(quiet=quiet)))


def _execute(request: RunRequest, manner: ExecutionOptions, reporter: Reporter) -> int:
    """Show the plan, or carry it out here or on a cluster; the exit code."""
    from harness.cli.printing import show_plan
    from harness.planning.plan import make_plan

    if manner.cluster is not None:
        from harness.cli.away import run_on_cluster

        return run_on_cluster(request, manner.cluster, manner, reporter)
    if manner.max_parallel is not None or manner.watch:
        raise UsageError("--max-parallel and --watch go with --cluster NAME: --cluster local.")
    if manner.dry_run:
        show_plan(make_plan(request, reporter), as_json=manner.as_json)
        return ExitCode.DONE
    return _train(request, reporter, manner.checkpoint_every, retry=manner.retry)


def _train(request: RunRequest, reporter: Reporter, interval: float, *, retry: bool) -> int:
    """Plan, train, report; the exit code."""
    from harness.core.files import ensure_writable
    from harness.core.session import RunContext
    from harness.core.signals import handle_signals
    from harness.execution.in_process import InProcessExecutor
    from harness.planning.plan import make_plan

    ensure_writable(request.runs)
    with handle_signals() as stop:
        plan = make_plan(request, reporter)
        context = RunContext(
            request.runs,
            plan.device,
            stop,
            reporter,
            plan.pretrained_files,
            request.workers,
            interval,
        )
        reporter.info(f"{len(plan.specs)} runs in {len(plan.cohorts)} cohorts on {plan.device}")
        outcome = InProcessExecutor(context, plan.open_data, retry).launch(plan.cohorts)
    _report(plan, outcome, reporter)
    return ExitCode.FAILED if outcome.failed else ExitCode.DONE


def _report(plan: Plan, outcome: Outcome, reporter: Reporter) -> None:
    """Print the tables of what was asked for, where everything is, and what failed."""
    from harness.cli.printing import show_report

    show_report(plan.runs)
    reporter.info(
        f"{len(outcome.done)} runs done now, {len(outcome.done_before)} were done before, "
        f"{len(outcome.failed)} failed."
    )
    for key, reason in outcome.failed.items():
        reporter.info(f"failed: {key}: {reason}")
    if outcome.failed:
        reporter.info(
            "The same command tries failed runs again; each folder's failure.json says more."
        )


def main() -> None:
    """Entry point of `python -m harness.run`."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command(name="run")(run)
    serve(app)


if __name__ == "__main__":
    main()

"""The verbs of `kdreid` that look at runs and act on those that are there; each imports late."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.run import DataRoot, Json, Pack, Partial, Quiet, Runs, Weights

Handles = Annotated[
    list[str] | None,
    typer.Argument(metavar="[RUN]...", help="Row numbers, short ids, starts of keys or groups."),
]

Only = Annotated[list[str] | None, typer.Option(help="Causes, as kdreid failures names them.")]


def status(
    handles: Handles = None,
    state: Annotated[str | None, typer.Option(help="Only runs that stand so.")] = None,
    runs: Runs = Path("runs"),
    as_json: Json = False,
) -> None:
    """How every run stands; exit code 0: all done, 1: some failed, 4: some are missing."""
    from harness.cli.printing import show_status

    raise typer.Exit(show_status(runs, handles or (), state, as_json=as_json))


def logs(
    handles: Handles = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until it ends.")] = False,
    raw: Annotated[bool, typer.Option("--raw", help="Leave nothing out.")] = False,
    runs: Runs = Path("runs"),
) -> None:
    """What runs wrote, all attempts of all their submissions."""
    from harness.execution.cluster.logs import show_logs

    show_logs(handles or (), runs, typer.echo, follow=follow, raw=raw)


def failures(
    handles: Handles = None,
    only: Only = None,
    runs: Runs = Path("runs"),
    as_json: Json = False,
) -> None:
    """Failed runs by cause, with the end of a log and the command to go on; exit code 1 if any."""
    from harness.execution.cluster.failures import show_failures

    raise typer.Exit(show_failures(handles or (), only or (), runs, typer.echo, as_json=as_json))


def retry(
    handles: Handles = None,
    only: Only = None,
    changes: Annotated[
        list[str] | None, typer.Option("--with", help="recipe.images_each=4: makes other runs.")
    ] = None,
    cluster: Annotated[
        str | None, typer.Option(help="A profile, or `inline`; usually where they ran before.")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="cluster.time=600, cluster.memory=32G ...")
    ] = None,
    data_root: DataRoot = None,
    weights: Weights = None,
    pack: Pack = None,
    allow_partial: Partial = False,
    runs: Runs = Path("runs"),
    quiet: Quiet = False,
) -> None:
    """Try failed runs again: all, some, those of one cause, as they were or with other settings."""
    from harness.core.progress import Reporter
    from harness.execution.cluster.retry import RetryRequest
    from harness.execution.cluster.retry import retry as again
    from harness.planning.plan import DEFAULT_COHORT_SIZE
    from harness.planning.reopen import InputLocations
    from harness.planning.weights import parse_weights

    inputs = InputLocations(data_root, parse_weights(weights or ()), allow_partial)
    how = RetryRequest(
        runs,
        only or (),
        changes or (),
        cluster,
        settings or (),
        inputs,
        pack or DEFAULT_COHORT_SIZE,
    )
    raise typer.Exit(again(handles or (), how, Reporter(quiet=quiet)))


def cancel(
    handles: Handles = None,
    everything: Annotated[bool, typer.Option("--all", help="All runs of the folder.")] = False,
    runs: Runs = Path("runs"),
) -> None:
    """Stop queued and running runs; what they reached is kept."""
    from harness.execution.cluster.cancel import cancel as stop

    raise typer.Exit(stop(handles or (), runs, typer.echo, everything=everything))


def doctor(
    cluster: Annotated[str, typer.Option(help="A profile of configs/cluster, or a path.")],
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="cluster.partition=gpu ...")
    ] = None,
    data_root: DataRoot = None,
    wait: Annotated[
        float, typer.Option(min=0, help="Seconds for a job on a compute node; 0: send none.")
    ] = 300.0,
    runs: Runs = Path("runs"),
    as_json: Json = False,
) -> None:
    """Look at a cluster from here and from a compute node; exit code 3 if something is wrong."""
    from harness.execution.cluster.doctor import DiagnosticRequest
    from harness.execution.cluster.doctor import doctor as examine

    visit = DiagnosticRequest(cluster, runs, tuple(settings or ()), data_root, wait)
    raise typer.Exit(examine(visit, typer.echo, as_json=as_json))


def diff(
    first: Annotated[str, typer.Argument(metavar="A", help="A run, as kdreid status names it.")],
    second: Annotated[str, typer.Argument(metavar="B", help="Another.")],
    runs: Runs = Path("runs"),
    other: Annotated[Path | None, typer.Option(help="B's runs folder, if it is another.")] = None,
    as_json: Json = False,
) -> None:
    """Where two runs differ, and whether their mAP differs by more than noise."""
    from harness.cli.results import show_diff

    show_diff((first, second), runs, other, typer.echo, as_json=as_json)


def trace(
    cell: Annotated[str, typer.Argument(help="TABLE:ROW:COLUMN, as in comparison-msmt17:PDRD:mAP")],
    runs: Runs = Path("runs"),
    as_json: Json = False,
) -> None:
    """The runs behind a cell of the report, and the command that makes them again."""
    from harness.cli.tracing import show_trace

    show_trace(cell, runs, typer.echo, as_json=as_json)


def fetch_weights(
    networks: Annotated[list[str] | None, typer.Argument(help="All, if none is named.")] = None,
) -> None:
    """Fetch ImageNet weights to where runs look for them; compute nodes often have no internet."""
    from harness.cli.fetching import fetch

    for path in fetch(networks or ()):
        typer.echo(path)

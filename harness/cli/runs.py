"""Inspect runs: `kdreid status`, `logs` and `failures`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import completion, options
from harness.cli.printing import count_states
from harness.core.errors import UsageError, did_you_mean
from harness.runs.lookup import resolve_runs
from harness.runs.states import RunState

if TYPE_CHECKING:
    from harness.execution.cluster.run_status import RunStatus

State = Annotated[
    str | None,
    typer.Option(
        metavar="STATE",
        help=f"Show only runs in this state: {', '.join(RunState)}.",
        show_default="all states",
        autocompletion=completion.states,
    ),
]


def status(
    handles: Annotated[options.Names, options.run_argument("all")] = None,
    state: State = None,
    runs: options.Runs = Path("runs"),
    as_json: options.Json = False,
) -> None:
    """Show the state of every run; exit code 0: all done, 1: some failed, 4: some unfinished."""
    raise typer.Exit(print_status(runs, handles or (), state, as_json=as_json))


def print_status(runs: Path, handles: Sequence[str], state: str | None, *, as_json: bool) -> int:
    """Print a line for each run, the counts, and problems of the queue.

    Args:
        runs: The runs folder.
        handles: Names of the runs to count and print; none: all.
        state: Print only runs in this state; the counts and the exit code cover the others, too.
        as_json: Print the runs as JSON instead.

    Returns:
        The exit code.

    Raises:
        UsageError: No run or state has this name.
        SetupError: The runs folder does not exist.
    """
    from harness.execution.cluster.status import exit_code, read_status

    states = [state.value for state in RunState]
    if state is not None and state not in states:
        raise UsageError(f"No state is called {state!r}.{did_you_mean(state, states)}")
    report = read_status(runs)
    keys = set(resolve_runs(handles, runs)) if handles else {row.key for row in report.rows}
    rows = [row for row in report.rows if row.key in keys]
    shown = [row for row in rows if state in (None, row.state)]
    if as_json:
        typer.echo(json.dumps([row.as_json() for row in shown], indent=1))
    else:
        _print_rows(shown)
        typer.echo(count_states(row.state for row in rows))
    for problem in report.problems:
        typer.echo(f"note: {problem}", err=True)
    if not as_json and any(row.state.is_failure for row in rows):
        typer.echo(f"Causes and fixes: kdreid failures --runs {runs}")
    return exit_code(rows)


def _print_rows(rows: Sequence[RunStatus]) -> None:
    for row in rows:
        typer.echo(f"{row.number:>4} {row.id} {row.state:<12} {row.key}  {row.detail}".rstrip())


def logs(
    handles: Annotated[options.Names, options.run_argument()] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Print new lines until the run ends.")
    ] = False,
    raw: Annotated[
        bool, typer.Option("--raw", help="Also print the lines of the submission library.")
    ] = False,
    runs: options.Runs = Path("runs"),
) -> None:
    """Print the logs of runs: every attempt of every submission."""
    from harness.execution.cluster.logs import show_logs

    show_logs(handles or (), runs, typer.echo, follow=follow, raw=raw)


def failures(
    handles: Annotated[options.Names, options.run_argument("all")] = None,
    only: options.Causes = None,
    runs: options.Runs = Path("runs"),
    as_json: options.Json = False,
) -> None:
    """Show failed runs by cause, with the end of a log and the fix; exit code 1 if any failed."""
    from harness.execution.cluster.failures import show_failures

    raise typer.Exit(show_failures(handles or (), only or (), runs, typer.echo, as_json=as_json))

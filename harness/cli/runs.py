"""Inspect runs and tidy up: `kdreid status`, `logs`, `failures` and `clean`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import completion, options
from harness.cli.printing import count_states, format_bytes
from harness.cli.terminal import echo, echo_line, echo_raw
from harness.core.errors import ExitCode, UsageError, did_you_mean
from harness.core.text import printable
from harness.runs.lookup import resolve_runs
from harness.runs.states import RunState

if TYPE_CHECKING:
    from harness.execution.cleanup import Leftover
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
        echo(json.dumps([row.as_json() for row in shown], indent=1))
    else:
        _print_rows(shown)
        echo(count_states(row.state for row in rows))
    for problem in (*report.unlisted, *report.problems):
        echo(f"note: {problem}", err=True)
    if not as_json and any(row.state.is_failure for row in rows):
        echo(f"Causes and fixes: kdreid failures --runs {runs}")
    return ExitCode.ENVIRONMENT if report.unlisted and not handles else exit_code(rows)


def _print_rows(rows: Sequence[RunStatus]) -> None:
    for row in rows:
        echo_line(f"{row.number:>4} {row.id} {row.state:<12} {row.key}  {row.detail}".rstrip())


def logs(
    handles: Annotated[options.Names, options.run_argument()] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Print new lines until the run ends.")
    ] = False,
    raw: Annotated[
        bool,
        typer.Option(
            "--raw",
            help="Print logs as they are: also lines of the submission library and control "
            "characters.",
        ),
    ] = False,
    runs: options.Runs = Path("runs"),
) -> None:
    """Print the logs of runs: every attempt of every submission."""
    from harness.execution.cluster.logs import show_logs

    if raw:
        echo("note: --raw prints control characters of the logs as they are", err=True)
    show_logs(handles or (), runs, echo_raw if raw else echo_line, follow=follow, raw=raw)


def failures(
    handles: Annotated[options.Names, options.run_argument("all")] = None,
    only: options.Causes = None,
    runs: options.Runs = Path("runs"),
    as_json: options.Json = False,
) -> None:
    """Show failed runs by cause, with the end of a log and the fix; exit code 1 if any failed."""
    from harness.execution.cluster.failures import show_failures

    raise typer.Exit(show_failures(handles or (), only or (), runs, echo, as_json=as_json))


def clean(
    runs: options.Runs = Path("runs"),
    remove: Annotated[
        bool, typer.Option("--yes", "-y", help="Remove them; without it they are only listed.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """List what killed processes left behind, and caches that no run uses; --yes removes it."""
    raise typer.Exit(clean_folder(runs, remove=remove, as_json=as_json))


def clean_folder(runs: Path, *, remove: bool, as_json: bool) -> int:
    """List the leftovers below a runs folder, or remove them.

    Args:
        runs: The runs folder.
        remove: Remove them instead of listing them only.
        as_json: Print them as JSON.

    Returns:
        The exit code: 3 if something cannot be examined or removed.

    Raises:
        SetupError: The runs folder does not exist.
    """
    from harness.execution.cleanup import find_leftovers, remove_leftover
    from harness.runs.lookup import list_run_keys

    list_run_keys(runs)  # raises the error
    leftovers, problems = find_leftovers(runs)
    left = [leftover for leftover in leftovers if not remove]
    if remove:
        for leftover in leftovers:
            if problem := remove_leftover(leftover):
                problems.append(problem)
                left.append(leftover)
    if as_json:
        rows = [leftover.as_json(runs, is_removed=leftover not in left) for leftover in leftovers]
        echo(json.dumps(rows, indent=1))
    else:
        _print_leftovers(leftovers, runs, removed=len(leftovers) - len(left) if remove else None)
    for problem in problems:
        echo(f"note: {printable(problem)}", err=True)
    return ExitCode.ENVIRONMENT if problems else ExitCode.DONE


def _print_leftovers(leftovers: Sequence[Leftover], runs: Path, removed: int | None) -> None:
    """Print a line for each leftover and the next command, or what was removed."""
    for leftover in leftovers:
        path = printable(leftover.path.relative_to(runs))
        echo(f"{format_bytes(leftover.size):>9}  {path}  ({leftover.reason})")
    total = format_bytes(sum(leftover.size for leftover in leftovers))
    if not leftovers:
        echo(f"Nothing to remove in {runs}.")
    elif removed is None:
        echo(
            f"{len(leftovers)} leftovers, {total}. Nothing was removed; "
            f"kdreid clean --yes --runs {runs} removes them."
        )
    else:
        echo(f"{removed} of {len(leftovers)} leftovers removed, {total} in all.")

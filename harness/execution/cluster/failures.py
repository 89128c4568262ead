"""Show all failures of a runs folder, grouped by cause, each group with its fix."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.core.errors import ExitCode, UsageError, did_you_mean
from harness.core.files import read_json
from harness.core.name_lists import split_names
from harness.core.text import printable
from harness.execution.cluster.failure_causes import CAUSES, FailureCause, cause_of
from harness.execution.cluster.logs import log_tail
from harness.execution.cluster.run_status import RunStatus
from harness.execution.cluster.status import read_status
from harness.runs.layout import SPEC
from harness.runs.lookup import resolve_runs
from harness.runs.states import RunState
from harness.runs.stored_spec import check_spec

PRINTED_LINES = 6  # of the log of each cause's last run
SEARCHED_LINES = 200  # at the end of a log, for what the cause is recognised by


@dataclass(frozen=True, slots=True)
class FailedRun:
    """A failed, blocked or lost run, with the cause and the end of its log."""

    row: RunStatus
    cause: FailureCause
    tail: tuple[str, ...]


def failed_runs(
    runs: Path, handles: Sequence[str] = (), causes: Iterable[str] = ()
) -> list[FailedRun]:
    """Return the failed, blocked and lost runs, in the order of `kdreid status`.

    Args:
        runs: The runs folder.
        handles: Names of the runs to choose from; none: all.
        causes: Causes to choose, comma-separated or single; none: all.

    Raises:
        UsageError: A cause or a run does not exist.
        SetupError: The runs folder does not exist.
    """
    chosen_causes = _parse_causes(causes)
    keys = set(resolve_runs(handles, runs)) if handles else None
    failures = []
    for row in read_status(runs).rows:
        if row.state.is_failure and (keys is None or row.key in keys):
            lines = log_tail(runs, row.key, SEARCHED_LINES)
            cause = cause_of(row, "\n".join(lines))
            if not chosen_causes or cause in chosen_causes:
                failures.append(FailedRun(row, cause, tuple(lines[-PRINTED_LINES:])))
    return failures


def show_failures(
    handles: Sequence[str],
    causes: Sequence[str],
    runs: Path,
    print_line: Callable[[str], None],
    *,
    as_json: bool,
) -> int:
    """Print, for each cause, the runs, the end of a log and the fix; return the exit code.

    Args:
        handles: Names of the runs to choose from; none: all.
        causes: Causes to choose; none: all.
        runs: The runs folder.
        print_line: Called with each line.
        as_json: Print the runs as one JSON list instead.

    Returns:
        0 if no run failed, otherwise 1.

    Raises:
        UsageError: A cause or a run does not exist.
        SetupError: The runs folder does not exist.
    """
    failures = failed_runs(runs, handles, causes)
    if as_json:
        print_line(json.dumps([_as_json(failure, runs) for failure in failures], indent=1))
        return ExitCode.FAILED if failures else ExitCode.DONE
    for name, cause in CAUSES.items():
        group = [failure for failure in failures if failure.cause == name]
        if not group:
            continue
        count = f"{len(group)} {'run' if len(group) == 1 else 'runs'}"
        print_line(f"{name}: {count}, {cause.description}")
        for failure in group:
            row = failure.row
            detail = printable(row.detail)
            print_line(f"{row.number:>4} {row.id} {printable(row.key)}  {detail}".rstrip())
        for line in group[-1].tail:
            print_line(f"     | {printable(line)}")
        print_line(f"     {suggest_fix(group[0], runs)}")
    print_line(f"Failed: {len(failures)}." if failures else f"No run in {runs} has failed.")
    return ExitCode.FAILED if failures else ExitCode.DONE


def suggest_fix(failure: FailedRun, runs: Path) -> str:
    """Return what to do about a failure, with the command to type."""
    folder = "" if runs == Path("runs") else f" --runs {runs}"
    command = f"kdreid retry --only {failure.cause}{folder}"
    if failure.row.state is RunState.UNREADABLE:
        return CAUSES[failure.cause].fix
    content = read_json(runs / failure.row.key / SPEC)
    try:
        if content is not None:
            check_spec(content, failure.row.key)
    except ValueError as error:
        return describe_unusable_spec(failure.row.key, error)
    recipe = content["recipe"] if content else {}
    half = max(2, int(recipe.get("images_each", 4)) // 2)
    slower = f"{float(recipe.get('lr', 2e-2)) / 2:g}"
    return CAUSES[failure.cause].fix.format(command=command, half=half, slower=slower, runs=runs)


def describe_unusable_spec(key: str, error: ValueError) -> str:
    """Return why a run cannot be trained again from its spec, and what to do.

    Args:
        key: The run's key.
        error: What `check_spec` raised.
    """
    return f"{key} cannot be trained from its {SPEC}: {error}. Plan it again with kdreid run."


def _parse_causes(causes: Iterable[str]) -> list[str]:
    names = split_names(causes)
    for name in names:
        if name not in CAUSES:
            raise UsageError(f"No cause is called {name!r}.{did_you_mean(name, CAUSES)}")
    return names


def _as_json(failure: FailedRun, runs: Path) -> dict[str, object]:
    return failure.row.as_json() | {
        "cause": failure.cause,
        "tail": list(failure.tail),
        "advice": suggest_fix(failure, runs),
    }

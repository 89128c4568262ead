"""All failures of a runs folder, grouped by cause, each group with what to do about it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.core.errors import ExitCode, UsageError, did_you_mean
from harness.core.files import read_json
from harness.execution.cluster.failure_causes import CAUSES, cause_of
from harness.execution.cluster.logs import tail
from harness.execution.cluster.status import ENDED, RunStatus, status
from harness.runs.lookup import resolve_runs
from harness.runs.record import SPEC

TAIL = 6  # lines of each group's newest log
LOOKED_AT = 200  # last lines of a log in which a cause is looked for


@dataclass(frozen=True, slots=True)
class FailedRun:
    """A run that will not get further by itself, and why."""

    row: RunStatus
    cause: str
    tail: tuple[str, ...]


def failed_runs(runs: Path, words: Sequence[str] = (), only: Iterable[str] = ()) -> list[FailedRun]:
    """The failed, blocked and lost runs; of `only` these causes, of `words` only these runs.

    Raises:
        UsageError: no such cause or run.
    """
    causes = _causes(only)
    chosen = set(resolve_runs(words, runs)) if words else None
    found = []
    for row in status(runs).rows:
        if row.state in ENDED and (chosen is None or row.key in chosen):
            lines = tail(runs, row.key, LOOKED_AT)
            cause = cause_of(row, "\n".join(lines))
            if not causes or cause in causes:
                found.append(FailedRun(row, cause, tuple(lines[-TAIL:])))
    return found


def show_failures(
    words: Sequence[str],
    only: Sequence[str],
    runs: Path,
    say: Callable[[str], None],
    *,
    as_json: bool,
) -> int:
    """Cause by cause: how many, which, the end of a log, the next command; 1 if there are any."""
    failed = failed_runs(runs, words, only)
    if as_json:
        say(json.dumps([_as_json(one, runs) for one in failed], indent=1))
        return ExitCode.FAILED if failed else ExitCode.DONE
    for cause, (words_for_it, _) in CAUSES.items():
        group = [one for one in failed if one.cause == cause]
        if not group:
            continue
        say(f"{cause}: {len(group)} {'run' if len(group) == 1 else 'runs'}, {words_for_it}")
        for one in group:
            say(f"{one.row.number:>4} {one.row.id} {one.row.key}  {one.row.detail}".rstrip())
        for line in group[-1].tail:
            say(f"     | {line}")
        say(f"     {suggest_fix(group[0], runs)}")
    say(f"Failed: {len(failed)}." if failed else f"No run in {runs} has failed.")
    return ExitCode.FAILED if failed else ExitCode.DONE


def suggest_fix(failed: FailedRun, runs: Path) -> str:
    """What to do about one cause, with the command to type."""
    place = "" if runs == Path("runs") else f" --runs {runs}"
    command = f"kdreid retry --only {failed.cause}{place}"
    recipe = (read_json(runs / failed.row.key / SPEC) or {}).get("recipe", {})
    half = max(2, int(recipe.get("images_each", 4)) // 2)
    slower = f"{float(recipe.get('lr', 2e-2)) / 2:g}"
    return CAUSES[failed.cause][1].format(command=command, half=half, slower=slower, runs=runs)


def _causes(only: Iterable[str]) -> list[str]:
    causes = [word for text in only for word in text.replace(",", " ").split()]
    for cause in causes:
        if cause not in CAUSES:
            raise UsageError(f"No cause is called {cause!r}.{did_you_mean(cause, CAUSES)}")
    return causes


def _as_json(failed: FailedRun, runs: Path) -> dict[str, object]:
    extra = {"cause": failed.cause, "tail": list(failed.tail), "advice": suggest_fix(failed, runs)}
    return failed.row.as_json() | extra

"""What runs wrote while they worked: all attempts of all submissions, oldest first."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from harness.core.errors import UsageError
from harness.core.files import read_json
from harness.execution.cluster.status import status
from harness.runs.lookup import resolve_runs, short_id
from harness.runs.record import FAILURE
from harness.runs.submissions import LogFiles, log_files

POLL, ASK = 0.5, 10.0  # seconds between two looks at the files, and at the run's state
LAST = 64 * 1024  # bytes of a log that its tail is taken from
GOING = frozenset({"running", "starting", "queued", "requeued", "unknown"})
# What submission says of itself around every attempt, and once more when the worker has failed;
# `--raw` shows it.
NOISE = re.compile(r"^submitit (INFO|WARNING|ERROR)\b|^srun: error: .* Exited with exit code")
ECHO = re.compile(
    r"^Traceback \(most recent call last\):\n(?:[ \t].*\n|\n)*slurm\.job\.WorkerFailedError: "
    r"(?:The worker ended with exit code.*\n?)?",  # but a worker that a signal killed told nothing
    re.MULTILINE,
)


def show_logs(
    words: Sequence[str], runs: Path, say: Callable[[str], None], *, follow: bool, raw: bool
) -> None:
    """Print the logs of runs; with `follow` go on until the one run asked for comes to an end.

    Raises:
        UsageError: nothing, or with `follow` not just one run is asked for, or there is no log.
    """
    keys = resolve_runs(words, runs)
    if not keys:
        raise UsageError("Say whose logs: kdreid logs RUN, as kdreid status names them.")
    if follow and len(keys) != 1:
        raise UsageError(f"--follow takes one run; {len(keys)} are meant.")
    if follow:
        _follow(keys[0], runs, say, raw=raw)
        return
    for key in keys:
        if not _show(key, runs, say, raw=raw):
            raise UsageError(_none(key, runs))


def tail(runs: Path, key: str, lines: int) -> list[str]:
    """The last lines of a run's newest log, or of the traceback in its failure; without noise."""
    for logs in reversed(log_files(runs, key)):
        for path in reversed(logs.files):  # err says more about a failure than out
            if found := strip_submitit_lines(_end(path))[-lines:]:
                return found
    trace = str((read_json(runs / key / FAILURE) or {}).get("traceback", ""))
    return trace.strip().splitlines()[-lines:]


def strip_submitit_lines(text: str) -> list[str]:
    """The lines without empty ones and without what submission says of itself."""
    lines = ECHO.sub("", text).splitlines()
    return [line for line in lines if line.strip() and not NOISE.match(line)]


def _show(key: str, runs: Path, say: Callable[[str], None], *, raw: bool) -> bool:
    """Print all files of a run's submissions; whether there were any."""
    files = False
    for logs in log_files(runs, key):
        for path in logs.files:
            text = path.read_text(errors="replace")
            files = True
            if not text:
                continue
            say(_banner(key, logs, path))
            kept = text.splitlines() if raw else strip_submitit_lines(text)
            for line in kept:
                say(line)
            if (hidden := len([1 for line in text.splitlines() if line.strip()]) - len(kept)) > 0:
                say(f"[{hidden} lines of submission left out; --raw shows them]")
    return files


def _follow(key: str, runs: Path, say: Callable[[str], None], *, raw: bool) -> None:
    """Print what the files hold and what is added to them while the run goes on."""
    shown: dict[Path, int] = {}
    request = 0.0
    going = True
    while going:
        if time.monotonic() - request >= ASK:
            row = next(row for row in status(runs).rows if row.key == key)
            going, request = row.state in GOING, time.monotonic()
        for logs in log_files(runs, key):
            for path in logs.files:
                shown[path] = _add(path, shown.get(path, 0), key, logs, say, raw=raw)
        if going:
            time.sleep(POLL)
    say(f"==> {row.state}: {row.detail or key}")


def _add(
    path: Path, since: int, key: str, logs: LogFiles, say: Callable[[str], None], *, raw: bool
) -> int:
    """Print whole lines that were added to a file; where the printed part ends."""
    with path.open("rb") as file:
        file.seek(since)
        fresh = file.read()
    whole = fresh[: fresh.rfind(b"\n") + 1]
    if whole and since == 0:
        say(_banner(key, logs, path))
    text = whole.decode(errors="replace")
    for line in text.splitlines() if raw else strip_submitit_lines(text):
        say(line)
    return since + len(whole)


def _banner(key: str, logs: LogFiles, path: Path) -> str:
    job = f", job {logs.job}" if logs.job else ""
    return f"==> {short_id(key)} {logs.group}{job}: {path.name} <=="


def _none(key: str, runs: Path) -> str:
    """Why there is nothing to show."""
    if log_files(runs, key):
        return f"{key} was submitted but has not started: its log comes with it."
    failure = " Its failure.json says why it failed." if (runs / key / FAILURE).exists() else ""
    return f"{key} was never submitted; it wrote to the terminal it was started in.{failure}"


def _end(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - LAST))
            return file.read().decode(errors="replace")
    except OSError:
        return ""

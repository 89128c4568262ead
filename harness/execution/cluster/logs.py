"""Print the logs of runs: every attempt of every submission, oldest first."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path

from harness.core.errors import FileError, SetupError, UsageError
from harness.core.files import file_exists, read_json
from harness.core.waiting import WaitNotice
from harness.execution.cluster.status import read_status
from harness.runs.layout import FAILURE
from harness.runs.lookup import resolve_runs, short_id
from harness.runs.submissions import LogFiles, log_files

FILE_POLL_SECONDS = 0.5
STATE_POLL_SECONDS = 10.0  # reading the state queries the queue
TAIL_BYTES = 64 * 1024  # end of a log that its last lines are taken from
# Lines that submitit and srun write around every attempt; `--raw` prints them, too.
SUBMITIT_LINE = re.compile(
    r"^submitit (INFO|WARNING|ERROR)\b|^srun: error: .* Exited with exit code"
)
# The traceback of `WorkerFailedError`, which repeats that the worker failed. If a signal killed the
# worker, its last line is kept: then nothing else in the log mentions it.
WORKER_TRACEBACK = re.compile(
    r"^Traceback \(most recent call last\):\n(?:[ \t].*\n|\n)*"
    r"slurm\.(?:worker_)?job\.WorkerFailedError: (?:The worker ended with exit code.*\n?)?",
    re.MULTILINE,
)


def show_logs(
    handles: Sequence[str],
    runs: Path,
    print_line: Callable[[str], None],
    *,
    follow: bool,
    raw: bool,
) -> None:
    """Print the logs of runs.

    Args:
        handles: Names of the runs.
        runs: The runs folder.
        print_line: Called with each line.
        follow: Print new lines until the run, which must be the only one, ends.
        raw: Print the lines of submitit and srun, too.

    Raises:
        UsageError: No run is named, or with `follow` several are, or a run has no log.
        SetupError: The runs folder does not exist, or damaged files name the logs of a run.
    """
    keys = resolve_runs(handles, runs)
    if not keys:
        raise UsageError("Name the runs: kdreid logs RUN, with names from kdreid status.")
    if follow and len(keys) != 1:
        raise UsageError(f"--follow takes one run, but {len(keys)} were named.")
    if follow:
        _follow(keys[0], runs, print_line, raw=raw)
        return
    for key in keys:
        problems: list[str] = []
        has_files = _print_logs(key, runs, print_line, problems, raw=raw)
        if not has_files and problems:
            raise SetupError(*(f"The logs of {key} are not found: {text}" for text in problems))
        if not has_files:
            raise UsageError(_explain_missing_log(key, runs))
        for text in problems:
            print_line(f"[{text}]")


def log_tail(runs: Path, key: str, lines: int) -> list[str]:
    """Return the last lines of a run's newest log, or else of the traceback of its failure."""
    for logs in reversed(log_files(runs, key)):
        for path in reversed(logs.files):  # stderr, which explains more about a failure, is last
            if tail := strip_submitit_lines(_read_end(path))[-lines:]:
                return tail
    try:
        traceback = str((read_json(runs / key / FAILURE) or {}).get("traceback", ""))
    except FileError:  # the run's state says so
        return []
    return traceback.strip().splitlines()[-lines:]


def strip_submitit_lines(text: str) -> list[str]:
    """Return the lines of a log without empty ones and without those of submitit and srun."""
    lines = WORKER_TRACEBACK.sub("", text).splitlines()
    return [line for line in lines if line.strip() and not SUBMITIT_LINE.match(line)]


def _print_logs(
    key: str, runs: Path, print_line: Callable[[str], None], problems: list[str], *, raw: bool
) -> bool:
    """Print all log files of a run; return whether there are any."""
    has_files = False
    for logs in log_files(runs, key, problems):
        for path in logs.files:
            text = _read(path, 0, print_line).decode(errors="replace")
            has_files = True
            if not text:
                continue
            print_line(_banner(key, logs, path))
            lines = text.splitlines() if raw else strip_submitit_lines(text)
            for line in lines:
                print_line(line)
            if (hidden := sum(bool(line.strip()) for line in text.splitlines()) - len(lines)) > 0:
                print_line(f"[{hidden} lines of submitit hidden; --raw prints them]")
    return has_files


def _follow(key: str, runs: Path, print_line: Callable[[str], None], *, raw: bool) -> None:
    """Print a run's log files, and what is added to them, until the run ends."""
    printed: dict[Path, int] = {}  # bytes
    last_query = float("-inf")
    is_active = True
    notice, complain = WaitNotice(print_line), cache(print_line)  # each problem once
    while is_active:
        # The state is read before the files, so that the last lines are printed, too.
        if time.monotonic() - last_query >= STATE_POLL_SECONDS:
            row = next(row for row in read_status(runs).rows if row.key == key)
            is_active, last_query = row.state.is_active, time.monotonic()
        for logs in log_files(runs, key):
            for path in logs.files:
                start = printed.get(path, 0)
                printed[path] = _print_new(
                    path, start, _banner(key, logs, path), print_line, complain, raw=raw
                )
        if is_active:
            if not any(printed.values()):
                notice.update(partial("waiting for the log: {} {}".format, row.state, row.detail))
            time.sleep(FILE_POLL_SECONDS)
    print_line(f"==> {row.state}: {row.detail or key}")


def _print_new(
    path: Path,
    start: int,
    banner: str,
    print_line: Callable[[str], None],
    complain: Callable[[str], None],
    *,
    raw: bool,
) -> int:
    """Print the complete lines of a file from byte `start` on; return where they end."""
    content = _read(path, start, complain)
    complete = content[: content.rfind(b"\n") + 1]
    if complete and start == 0:
        print_line(banner)
    text = complete.decode(errors="replace")
    for line in text.splitlines() if raw else strip_submitit_lines(text):
        print_line(line)
    return start + len(complete)


def _read(path: Path, start: int, print_line: Callable[[str], None]) -> bytes:
    """Return a file's content from byte `start` on; nothing, and a line, if it cannot be read."""
    try:
        with path.open("rb") as file:
            file.seek(start)
            return file.read()
    except OSError as error:
        print_line(f"[{path} cannot be read ({error.strerror})]")
        return b""


def _banner(key: str, logs: LogFiles, path: Path) -> str:
    job = f", job {logs.job}" if logs.job else ""
    return f"==> {short_id(key)} {logs.group}{job}: {path.name} <=="


def _explain_missing_log(key: str, runs: Path) -> str:
    if log_files(runs, key):
        return f"{key} was submitted but has not started; its log begins when it starts."
    failure = " Its failure.json contains its error." if file_exists(runs / key / FAILURE) else ""
    return f"{key} was not submitted; its output went to the terminal that started it.{failure}"


def _read_end(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - TAIL_BYTES))
            return file.read().decode(errors="replace")
    except OSError:
        return ""

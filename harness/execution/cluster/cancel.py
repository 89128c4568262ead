"""Stopping runs wherever they are: jobs in Slurm's queue, pools and processes of this machine."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from harness.core.errors import ExitCode, UsageError
from harness.core.lease import LeaseInfo, inspect_lease, is_local
from harness.execution.cluster.status import RunStatus, status
from harness.runs.groups import GROUPS
from harness.runs.lookup import resolve_runs, short_id
from slurm.commands import check_command
from slurm.queue import QueueSnapshot, query_jobs

ACTIVE = frozenset({"running", "starting", "queued", "requeued", "unknown"})
PATIENCE, POLL = 150.0, 1.0  # seconds: a step, a checkpoint and Slurm's KillWait fit in

Say = Callable[[str], None]


def cancel(words: Sequence[str], runs: Path, say: Say, *, everything: bool) -> int:
    """Stop runs and wait until nothing of them is left; 1 if something is.

    A job or process is stopped whole, with all runs that share it, and a pool with its whole group.
    What the runs reached is in their checkpoints.

    Raises:
        UsageError: no run is named, and not all are meant.
        SlurmError: the queue does not answer.
    """
    if bool(words) == everything:
        raise UsageError("Name runs or a group, as kdreid status shows them, or say --all.")
    rows = status(runs).rows
    keys = {row.key for row in rows} if everything else set(resolve_runs(words, runs))
    chosen = [row for row in rows if row.key in keys and row.state in ACTIVE]
    if not chosen:
        say("None of these runs is queued or running.")
        return ExitCode.DONE
    jobs = list(dict.fromkeys(row.job for row in chosen if row.job and row.job[0].isdigit()))
    pools = _pools(chosen, runs)
    processes = _processes(chosen, jobs, runs)
    active = [row for row in rows if row.state in ACTIVE]
    theirs = {row.key for row in active if _processes([row], jobs, runs).keys() & processes.keys()}
    with_them = [
        row for row in active if row.job in jobs or row.group in pools or row.key in theirs
    ]
    _tell_company(chosen, with_them, say)
    if jobs:
        check_command("scancel", *jobs)
    stopped = [*pools.values(), *processes.values()]
    elsewhere = [lease for lease in stopped if not _end(lease)]
    for lease in elsewhere:
        host, process = lease.holder.get("host"), lease.holder.get("process")
        say(f"Process {process} runs on {host}; there: kill -TERM {process}")
    stopping = list(dict.fromkeys(row.key for row in [*chosen, *with_them]))
    held = [*stopping, *(f"{GROUPS}/{name}" for name in pools)]
    left = _wait(held, jobs, runs, PATIENCE if not elsewhere else 0.0)
    return _conclude(len(stopping), jobs, left, say)


def _tell_company(chosen: Sequence[RunStatus], with_them: Sequence[RunStatus], say: Say) -> None:
    meant = {row.key for row in chosen}
    if others := [short_id(row.key) for row in with_them if row.key not in meant]:
        say(f"They share a job or process with {', '.join(others)}, which stop too.")


def _pools(rows: Iterable[RunStatus], runs: Path) -> dict[str, LeaseInfo]:
    """Living pools by the name of their group."""
    names = {row.group for row in rows if row.group and not (row.job or "x")[0].isdigit()}
    found = {name: inspect_lease(runs / GROUPS / name) for name in names}
    return {name: lease for name, lease in found.items() if lease is not None and lease.living}


def _processes(
    rows: Iterable[RunStatus], jobs: Sequence[str], runs: Path
) -> dict[tuple[str, int], LeaseInfo]:
    """Who holds runs that no job of Slurm holds, by machine and number; each process once."""
    leases = {row.key: inspect_lease(runs / row.key) for row in rows if row.job not in jobs}
    return {_named(lease): lease for lease in leases.values() if lease and lease.living}


def _named(lease: LeaseInfo) -> tuple[str, int]:
    """The machine and the number of the process that holds a lease."""
    return str(lease.holder.get("host")), int(lease.holder.get("process", 0))


def _end(lease: LeaseInfo) -> bool:
    """Ask a process of this machine to stop at its next step; False if it is elsewhere."""
    if not is_local(lease.holder):
        return False
    process = int(lease.holder["process"])
    if process != os.getpid():
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGTERM)
    return True


def _wait(folders: Sequence[str], jobs: Sequence[str], runs: Path, seconds: float) -> list[str]:
    """Wait until no job and no lease lives; what is left after that time."""
    limit = time.monotonic() + seconds
    while True:
        seen = query_jobs(jobs)
        left = [name for name in jobs if _goes_on(name, seen)]
        leases = [inspect_lease(runs / folder) for folder in folders]
        left += [name for name, one in zip(folders, leases, strict=True) if one and one.living]
        if not left or time.monotonic() >= limit:
            return left
        time.sleep(POLL)


def _goes_on(name: str, seen: QueueSnapshot) -> bool:
    """Whether a job is there yet, or may be: the queue does not answer."""
    job = seen.jobs.get(name)
    return not seen.complete if job is None else not job.is_finished


def _conclude(count: int, jobs: Sequence[str], left: Sequence[str], say: Say) -> int:
    if left:
        say(f"Asked to stop, but not gone yet: {', '.join(left)}")
        return ExitCode.FAILED
    through = f" in jobs {', '.join(jobs[:6])}{' ...' * (len(jobs) > 6)}" if jobs else ""
    say(f"Stopped: {count}{through}. The command that submitted them goes on from here.")
    return ExitCode.DONE

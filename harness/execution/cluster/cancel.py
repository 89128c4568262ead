"""Stop queued and running runs: Slurm's jobs, and local pools and processes of this machine."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from harness.core.claims import is_local
from harness.core.errors import ExitCode, SlurmError, UsageError
from harness.core.lease import LeaseInfo, inspect_lease
from harness.core.waiting import waiting_for
from harness.execution.cluster.run_status import RunStatus
from harness.execution.cluster.status import read_status
from harness.runs.groups import job_name_prefix
from harness.runs.layout import GROUPS
from harness.runs.lookup import resolve_runs, short_id
from slurm.commands import check_command
from slurm.queue import QueueSnapshot, query_jobs

TIMEOUT_SECONDS = 150.0  # enough for a step, a checkpoint and Slurm's KillWait
POLL_SECONDS = 1.0
PRINTED_JOBS = 6


@dataclass(frozen=True, slots=True)
class _Holders:
    """Jobs and processes that have some runs."""

    jobs: tuple[str, ...]  # Slurm's ids
    pools: dict[str, LeaseInfo]  # by the name of the submission
    processes: dict[tuple[str, int], LeaseInfo]  # by host and process id

    def has(self, row: RunStatus, runs: Path) -> bool:
        """Return whether a run would stop with these jobs and processes."""
        return (
            row.job in self.jobs
            or row.group in self.pools
            or not self.processes.keys().isdisjoint(_find_processes([row], self.jobs, runs))
        )


def cancel_runs(
    handles: Sequence[str], runs: Path, print_line: Callable[[str], None], *, everything: bool
) -> int:
    """Stop runs and wait until their jobs and processes have ended; return the exit code.

    A job or a process stops with all runs that share it, and a pool with its whole submission. What
    the runs reached is in their checkpoints.

    Args:
        handles: Names of the runs.
        runs: The runs folder.
        print_line: Called with each line of the report.
        everything: Stop all runs of the folder instead.

    Returns:
        0, or 1 if something did not end in time or runs on another machine.

    Raises:
        UsageError: Neither runs nor `everything` are given, or both.
        SetupError: The runs folder does not exist.
        SlurmError: squeue or scancel fails.
    """
    if bool(handles) == everything:
        raise UsageError("Name runs, as kdreid status shows them, or a submission, or give --all.")
    rows = read_status(runs).rows
    keys = {row.key for row in rows} if everything else set(resolve_runs(handles, runs))
    active = [row for row in rows if row.state.is_active]
    chosen = [row for row in active if row.key in keys]
    if not chosen:
        print_line("None of these runs is queued or running.")
        return ExitCode.DONE
    holders = _find_holders(chosen, runs)
    others = [row for row in active if row.key not in keys and holders.has(row, runs)]
    if others:
        names = ", ".join(short_id(row.key) for row in others)
        print_line(f"These runs share a job or process with them and stop, too: {names}")
    reached_all = _stop(holders, print_line)
    stopped = [row.key for row in (*chosen, *others)]
    folders = [*stopped, *(f"{GROUPS}/{name}" for name in holders.pools)]
    with waiting_for("them to save and end", print_line):
        left = _wait(folders, holders.jobs, runs, TIMEOUT_SECONDS if reached_all else 0.0)
    if left:
        print_line(f"Signalled to stop, but still running: {', '.join(left)}")
        return ExitCode.FAILED
    print_line(
        f"Stopped {len(stopped)} runs{_describe_jobs(holders.jobs)}. "
        "The command that submitted them continues them."
    )
    return ExitCode.DONE


def _find_holders(rows: Sequence[RunStatus], runs: Path) -> _Holders:
    jobs = _find_jobs(rows)
    return _Holders(jobs, _find_pools(rows, runs), _find_processes(rows, jobs, runs))


def _find_jobs(rows: Iterable[RunStatus]) -> tuple[str, ...]:
    """Return the ids of Slurm's jobs that have the names of these runs' submissions.

    A file in a run's folder may name any job; one of another name is not stopped.

    Raises:
        SlurmError: The queue cannot be read.
    """
    prefixes = {
        row.job: job_name_prefix(row.group)
        for row in rows
        if row.job and row.group and _has_slurm_job(row)
    }
    queue = query_jobs(prefixes, prefixes)
    if prefixes and not queue.complete:
        raise SlurmError(" ".join(queue.problems))
    return tuple(job for job in prefixes if job in queue.jobs)


def _has_slurm_job(row: RunStatus) -> bool:
    """Return whether a run's job has one of Slurm's ids, not `local-<process>`."""
    return row.job is not None and row.job[:1].isdigit()


def _find_pools(rows: Iterable[RunStatus], runs: Path) -> dict[str, LeaseInfo]:
    """Return the leases of living local pools by the names of their submissions."""
    names = {row.group for row in rows if row.group and not _has_slurm_job(row)}
    leases = {name: inspect_lease(runs / GROUPS / name) for name in names}
    return {name: lease for name, lease in leases.items() if lease is not None and lease.is_alive}


def _find_processes(
    rows: Iterable[RunStatus], jobs: Sequence[str], runs: Path
) -> dict[tuple[str, int], LeaseInfo]:
    """Return one lease of each process that holds a run which none of Slurm's `jobs` has."""
    leases = [inspect_lease(runs / row.key) for row in rows if row.job not in jobs]
    return {_process_of(lease): lease for lease in leases if lease and lease.is_alive}


def _process_of(lease: LeaseInfo) -> tuple[str, int]:
    """Return host and process id of a lease's holder."""
    return str(lease.holder.get("host")), int(lease.holder.get("process", 0))


def _stop(holders: _Holders, print_line: Callable[[str], None]) -> bool:
    """Cancel jobs and signal processes; return False if a process runs on another machine.

    Raises:
        SlurmError: scancel fails.
    """
    if holders.jobs:
        check_command("scancel", *holders.jobs)
    leases = [*holders.pools.values(), *holders.processes.values()]
    remote = [lease for lease in leases if not _terminate(lease)]
    for lease in remote:
        host, process = lease.holder.get("host"), lease.holder.get("process")
        print_line(f"Process {process} runs on {host}; stop it there: kill -TERM {process}")
    return not remote


def _terminate(lease: LeaseInfo) -> bool:
    """Signal a process of this machine to stop at its next step; False if it is on another."""
    if not is_local(lease.holder):
        return False
    process = int(lease.holder["process"])
    if process != os.getpid():
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGTERM)
    return True


def _wait(
    folders: Sequence[str], jobs: Sequence[str], runs: Path, timeout_seconds: float
) -> list[str]:
    """Wait until no job and no lease is left; return those that are after that time."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        snapshot = query_jobs(jobs)
        left = [job_id for job_id in jobs if _may_run(job_id, snapshot)]
        leases = [inspect_lease(runs / folder) for folder in folders]
        left += [
            name for name, lease in zip(folders, leases, strict=True) if lease and lease.is_alive
        ]
        if not left or time.monotonic() >= deadline:
            return left
        time.sleep(POLL_SECONDS)


def _may_run(job_id: str, snapshot: QueueSnapshot) -> bool:
    """Return whether a job has not ended, or may not have: the queue does not answer."""
    job = snapshot.jobs.get(job_id)
    return not snapshot.complete if job is None else not job.is_finished


def _describe_jobs(jobs: Sequence[str]) -> str:
    if not jobs:
        return ""
    return f" in jobs {', '.join(jobs[:PRINTED_JOBS])}{' ...' * (len(jobs) > PRINTED_JOBS)}"

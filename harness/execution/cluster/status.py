"""How every run stands, from what lies in its folder and from what Slurm says of its job.

The order of trust: the record, a living lease, a failure of the present submission, then Slurm. A
job that nobody knows any more and that left nothing is lost; while Slurm does not answer, nothing
is concluded. Looking writes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from harness.core.errors import ExitCode, SlurmError
from harness.core.files import read_json
from harness.core.lease import LeaseInfo, inspect_lease
from harness.runs.groups import job_name_prefix, read_submission
from harness.runs.lookup import list_run_keys, short_id
from harness.runs.progress import estimate_remaining, format_duration
from harness.runs.record import CHECKPOINT, FAILURE, PROGRESS, RECORD, SPEC
from harness.runs.submissions import RunSubmission, last_submission, submitted_jobs
from slurm.queue import QueueSnapshot, SlurmJob, jobs_with_prefix, query_jobs

STATES = (
    "done",
    "running",
    "starting",
    "queued",
    "requeued",
    "waiting",
    "interrupted",
    "unknown",
    "blocked",
    "failed",
    "lost",
)
ENDED = frozenset({"blocked", "failed", "lost"})  # will not change without the user
FRESH = 60.0  # seconds in which a submitted job may not be listed yet


@dataclass(frozen=True, slots=True)
class RunStatus:
    """One run as `status` shows it."""

    number: int
    key: str
    state: str
    detail: str = ""
    step: int | None = None
    steps: int | None = None
    seconds_left: float | None = None
    until: float | None = None  # Unix time before which a requeued job does not start
    group: str | None = None
    job: str | None = None
    cluster: str | None = None
    slurm: SlurmJob | None = None
    failure: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Its short name."""
        return short_id(self.key)

    def as_json(self) -> dict[str, Any]:
        """The fields as JSON values; of Slurm its own word."""
        names = (
            "number",
            "id",
            "key",
            "state",
            "detail",
            "step",
            "steps",
            "seconds_left",
            "until",
            "group",
            "job",
            "cluster",
        )
        told = {name: getattr(self, name) for name in names}
        return told | {
            "slurm": self.slurm.state if self.slurm else None,
            "node": self.slurm.node if self.slurm else None,
        }


@dataclass(frozen=True, slots=True)
class StatusReport:
    """All rows, and what could not be found out."""

    rows: tuple[RunStatus, ...]
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _RunFolder:
    """What a run's folder says."""

    done: bool
    lease: LeaseInfo | None
    failure: dict[str, Any] | None
    progress: dict[str, Any]
    checkpoint: bool
    submission: RunSubmission | None
    teachers: tuple[str, ...]
    pool: bool = False  # whether a pool of processes on one machine will come to it

    @property
    def alive(self) -> bool:
        return self.lease is not None and self.lease.living

    @property
    def failed(self) -> bool:
        """Whether its failure belongs to the last attempt, not to one before."""
        if self.failure is None:
            return False
        submitted = self.submission.submitted if self.submission else 0.0
        began = self.lease.since if self.lease and self.lease.living else 0.0
        went_on = float(self.progress.get("time", 0)) if began else 0.0  # tried again at once
        return float(self.failure.get("time", 0)) >= max(submitted, began, went_on)


def status(runs: Path) -> StatusReport:
    """Look at every run below `runs`.

    Raises:
        SetupError: there is no such folder.
    """
    keys = list_run_keys(runs)
    seen = {key: _read(runs, key) for key in keys}
    unnoted = {k: f.submission for k, f in seen.items() if f.submission and not f.done}
    for key, job in find_unrecorded_jobs(runs, unnoted).items():
        seen[key] = replace(seen[key], submission=replace(unnoted[key], job=job))
    request = {
        name: job_name_prefix(folder.submission.group)
        for folder in seen.values()
        if not folder.done and not folder.alive
        if folder.submission and (name := folder.submission.slurm)
    }
    queue, now = query_jobs(request, request), time.time()
    rows = {
        key: _row(number, key, seen[key], queue, now) for number, key in enumerate(keys, start=1)
    }
    return StatusReport(tuple(_blocked(rows, seen)), queue.problems)


def exit_code(rows: Iterable[RunStatus]) -> int:
    """0: all done; 4: some may still get there; otherwise 1."""
    states = {row.state for row in rows}
    if states <= {"done"}:
        return ExitCode.DONE
    return ExitCode.FAILED if states <= ENDED | {"done"} else ExitCode.INCOMPLETE


def _read(runs: Path, key: str) -> _RunFolder:
    folder = runs / key
    if read_json(folder / RECORD) is not None:
        return _RunFolder(True, None, None, {}, False, None, ())
    teachers = (read_json(folder / SPEC) or {}).get("teachers") or []
    submission = last_submission(runs, key)
    return _RunFolder(
        done=False,
        lease=inspect_lease(folder),
        failure=read_json(folder / FAILURE),
        progress=read_json(folder / PROGRESS) or {},
        checkpoint=(folder / CHECKPOINT).exists(),
        submission=submission,
        teachers=tuple(str(t["key"]) for t in teachers if isinstance(t, dict) and "key" in t),
        pool=submission is not None and submission.slurm is None and submission.is_pool_alive(runs),
    )


def _row(number: int, key: str, folder: _RunFolder, queue: QueueSnapshot, now: float) -> RunStatus:
    """What the folder says, and where it says nothing of the present, what Slurm says."""
    submission = folder.submission
    row = RunStatus(
        number,
        key,
        "done",
        step=folder.progress.get("step"),
        steps=folder.progress.get("steps"),
        group=submission.group if submission else None,
        job=submission.job if submission else None,
        cluster=submission.cluster if submission else None,
        failure=folder.failure or {},
    )
    if folder.done:
        return row
    if folder.failed:
        return _failed(row, folder)
    if folder.alive:
        return _running(row, folder, now)
    if submission is not None:
        return _submitted(row, folder, submission, queue, now)
    return _failed(row, folder) if folder.failure else _idle(row, folder, "")


def _submitted(
    row: RunStatus, folder: _RunFolder, submission: RunSubmission, queue: QueueSnapshot, now: float
) -> RunStatus:
    """A run that was handed over and that nobody holds just now."""
    if submission.slurm is None:
        if folder.pool and submission.local:
            return replace(
                row, state="starting", detail=f"{row.job}, in the pool {submission.group}"
            )
        if folder.pool:
            return replace(row, state="queued", detail=f"in the pool {submission.group}")
        why = "its pool has ended" if submission.local else "it was not handed over: submit again"
        return _idle(row, folder, why)
    job = queue.jobs.get(submission.slurm)
    if job is None:
        return _unknown(row, folder, submission, queue, now)
    return _by_job(replace(row, slurm=job), folder, job, now)


def _failed(row: RunStatus, folder: _RunFolder) -> RunStatus:
    failure = folder.failure or {}
    detail = f"{failure.get('kind')}: {failure.get('message')} (attempt {failure.get('attempt')})"
    state = "blocked" if failure.get("kind") == "blocked" else "failed"
    return replace(row, state=state, detail=detail)


def _running(row: RunStatus, folder: _RunFolder, now: float) -> RunStatus:
    """A living lease: how far, and how long it takes from here."""
    progress, lease = folder.progress, folder.lease
    where = str(lease.holder.get("host", "")) if lease else ""
    since = lease.since if lease else 0.0
    if float(progress.get("time", 0)) < since or "step" not in progress:
        reached = f" from step {row.step} of {row.steps}" if row.step else ""
        return replace(row, state="starting", detail=f"on {where}{reached}")
    left = estimate_remaining(progress, now)
    detail = f"step {row.step} of {row.steps}" + (f", {format_duration(left)} left" if left else "")
    return replace(row, state="running", detail=f"{detail}, on {where}", seconds_left=left)


def _idle(row: RunStatus, folder: _RunFolder, why: str) -> RunStatus:
    """Nobody works on it and nobody will without being asked."""
    if not folder.checkpoint:
        return replace(row, state="waiting", detail=why)
    reached = f"step {row.step or '?'} of {row.steps or '?'}"
    return replace(row, state="interrupted", detail=", ".join(filter(None, (reached, why))))


def _unknown(
    row: RunStatus, folder: _RunFolder, submission: RunSubmission, queue: QueueSnapshot, now: float
) -> RunStatus:
    """Slurm has no word of its job, or no word at all."""
    if not queue.complete:
        return replace(row, state="unknown", detail=f"Slurm does not answer about job {row.job}")
    if now - submission.submitted < FRESH:
        return replace(row, state="queued", detail=f"job {row.job}, submitted just now")
    if folder.failure:
        return _failed(row, folder)
    reached = f" at step {row.step} of {row.steps}" if row.step else ""
    return replace(
        row, state="lost", detail=f"job {row.job} is gone{reached} and left neither record nor word"
    )


def _by_job(row: RunStatus, folder: _RunFolder, job: SlurmJob, now: float) -> RunStatus:
    """Slurm's word where the folder has none."""
    name = f"job {row.job}"
    if job.is_active:
        silent = folder.lease
        if silent is None or (job.begin and now - silent.age < job.begin):
            return replace(row, state="starting", detail=f"{name} on {job.node}")
        detail = (
            f"{name} on {job.node}, no sign of life for {format_duration(max(0.0, silent.age))}"
        )
        return replace(row, state="running", detail=detail)
    if job.is_pending:
        return _waiting(row, job, now)
    if job.state == "COMPLETED":
        return replace(row, state="lost", detail=f"{name} ended well but left no record")
    if job.state in ("CANCELLED", "PREEMPTED", "REVOKED"):
        return _idle(row, folder, f"{name} was {job.state.lower()}")
    how = f", signal {job.signal}" if job.signal else ""
    how = f", exit code {job.exit_code}" if job.exit_code else how
    place = f" on {job.node}" if job.node else ""
    return replace(row, state="failed", detail=f"{name} ended as {job.state}{how}{place}")


def _waiting(row: RunStatus, job: SlurmJob, now: float) -> RunStatus:
    name = f"job {row.job}"
    if job.reason.startswith("DependencyNeverSatisfied"):
        return replace(row, state="blocked", detail=f"{name}: its teacher failed")
    if job.restarts:
        reached = f", step {row.step} of {row.steps}" if row.step else ""
        if job.begin is not None and job.begin > now and job.reason == "BeginTime":
            clock = time.strftime("%H:%M", time.localtime(job.begin))
            detail = f"{name}, until {clock}{reached}"
            return replace(row, state="requeued", detail=detail, until=job.begin)
        return replace(row, state="requeued", detail=f"{name} ({job.reason}){reached}")
    words = {"Dependency": "after its teacher", "": "waits"}
    if job.reason.startswith("JobHeld"):
        reason = f"held: scontrol release {row.job}"
    else:
        reason = words.get(job.reason, job.reason)
    return replace(row, state="queued", detail=f"{name}, {reason}")


def _blocked(rows: Mapping[str, RunStatus], seen: Mapping[str, _RunFolder]) -> Sequence[RunStatus]:
    """Rows in order, where a run that nobody will start for want of its teacher says so."""

    @cache
    def final(key: str) -> RunStatus:
        row = rows[key]
        if row.state not in ("waiting", "interrupted"):
            return row
        for teacher in seen[key].teachers:
            if teacher in rows and final(teacher).state in ENDED:
                detail = f"its teacher {short_id(teacher)} {final(teacher).state}"
                return replace(row, state="blocked", detail=detail)
        return row

    return [final(key) for key in rows]


def find_unrecorded_jobs(runs: Path, submissions: Mapping[str, RunSubmission]) -> dict[str, str]:
    """Ids, by run, of jobs whose submitter died before it noted them: their names tell."""
    unnoted = {key: last for key, last in submissions.items() if last.job is None}
    found: dict[str, str] = {}
    for name in {last.group for last in unnoted.values()}:
        content = read_submission(runs, name) or {}
        if content.get("kind") != "slurm":
            continue
        with suppress(SlurmError):
            ids = {
                (title, int(job.partition("_")[2] or 0)): job
                for title, job in jobs_with_prefix(job_name_prefix(name))
            }
            for told in submitted_jobs(content):
                if job := ids.get((str(told.get("array")), int(told.get("index", 0)))):
                    found |= {key: job for key in told.get("runs") or [] if key in unnoted}
    return found

"""What Slurm knows of some jobs, asked once for all of them.

First squeue, which also tells of finished jobs for MinJobAge seconds; for jobs it does not list
scontrol; at last sacct, where there is accounting. Jobs that nobody knows are absent from the
answer, and `Look.complete` tells whether absence means anything.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice

from harness.core.errors import SlurmError
from slurm.commands import run_command

COLUMNS = (
    "JobArrayID",
    "State",
    "Reason",
    "StartTime",
    "exit_code",
    "RestartCnt",
    "NodeList",
    "Name",
)
AT_ONCE = 400  # job ids on one command line
BY_SCONTROL = 32  # one call each, so not for hundreds of jobs that are long gone

PENDING = frozenset({"PENDING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "SPECIAL_EXIT"})
ACTIVE = frozenset(
    {
        "RUNNING",
        "COMPLETING",
        "CONFIGURING",
        "SUSPENDED",
        "STOPPED",
        "SIGNALING",
        "STAGE_OUT",
        "RESIZING",
    }
)


@dataclass(frozen=True, slots=True)
class SlurmJob:
    """One job or array element as Slurm last told of it."""

    id: str  # as in sbatch's answer; of an array's element 12_3
    state: str  # Slurm's word: PENDING, RUNNING, COMPLETED, FAILED, TIMEOUT ...
    reason: str = ""  # why it waits or failed, in Slurm's word
    begin: float | None = None  # Unix time: when it started, or may start at the earliest
    exit_code: int = 0
    signal: int = 0  # that ended it
    node: str = ""
    restarts: int = 0  # how often it was requeued
    source: str = "squeue"
    name: str = ""  # the name it was given

    @property
    def is_pending(self) -> bool:
        """Whether it may still start, or start again."""
        return self.state in PENDING

    @property
    def is_active(self) -> bool:
        """Whether it holds an allocation."""
        return self.state in ACTIVE

    @property
    def is_finished(self) -> bool:
        """Whether it will not run again by itself."""
        return not self.is_pending and not self.is_active


@dataclass(frozen=True, slots=True)
class QueueSnapshot:
    """The jobs that were found, by the ids that were asked for."""

    jobs: dict[str, SlurmJob] = field(default_factory=dict)
    complete: bool = True  # whether squeue answered, so that absence means: not in the queue
    accounting: bool = False  # whether sacct answered, so that absence means: never was
    problems: tuple[str, ...] = ()


def query_jobs(ids: Iterable[str], titles: Mapping[str, str] | None = None) -> QueueSnapshot:
    """Ask about jobs by id, as `12` or `12_3`; what goes wrong is told, never raised.

    `titles` are beginnings of the names that jobs must have to count, by id: another cluster gives
    the same ids to other jobs, and so does this one, some day, again.
    """
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        return QueueSnapshot()
    found: dict[str, SlurmJob] = {}
    problems: list[str] = []
    complete = accounting = False
    try:
        found |= _by_squeue(wanted)
        complete = True
    except SlurmError as error:
        problems.append(str(error))
    missing = [name for name in wanted if _find(found, name) is None]
    if complete:
        for name in islice(dict.fromkeys(map(_base, missing)), BY_SCONTROL):
            with suppress(SlurmError):
                found |= {job.id: job for job in _by_scontrol(name)}
    missing = [name for name in wanted if _find(found, name) is None]
    if missing and complete:  # otherwise every question may take as long as the first
        try:
            found = _by_sacct(missing) | found
            accounting = True
        except SlurmError:
            pass  # many clusters have no accounting
    jobs = {name: job for name in wanted if (job := _find(found, name)) is not None}
    meant = {n: job for n, job in jobs.items() if job.name.startswith((titles or {}).get(n, ""))}
    return QueueSnapshot(meant, complete, accounting, tuple(problems))


def _find(found: dict[str, SlurmJob], name: str) -> SlurmJob | None:
    """An array of one element is a plain job, so 12_0 and 12 may mean the same."""
    if name in found:
        return found[name]
    base, _, index = name.partition("_")
    return found.get(base) if index == "0" else found.get(f"{name}_0") if not index else None


def _base(name: str) -> str:
    return name.partition("_")[0]


def _by_squeue(ids: Sequence[str]) -> dict[str, SlurmJob]:
    """Jobs that the controller still remembers.

    Raises:
        SlurmError: squeue is absent or did not answer.
    """
    bases = list(dict.fromkeys(map(_base, ids)))
    found: dict[str, SlurmJob] = {}
    for start in range(0, len(bases), AT_ONCE):
        some = bases[start : start + AT_ONCE]
        answer = run_command(
            "squeue",
            "--noheader",
            "--array",
            "--states=all",
            f"--jobs={','.join(some)}",
            "--Format=" + ",".join(f"{name}:|" for name in COLUMNS),
        )
        if answer.code != 0 and "invalid job id" not in answer.err.lower():
            raise SlurmError(f"squeue failed: {answer.message}")
        found |= {job.id: job for job in read_squeue(answer.out)}
    return found


def read_squeue(text: str) -> Iterator[SlurmJob]:
    """Jobs from squeue's lines in `COLUMNS`; lines that are not of that form are left out."""
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) < len(COLUMNS) or not re.fullmatch(r"\d+(_\S+)?", cells[0]):
            continue
        name, state, reason, begin, status, restarts, node, title = cells[: len(COLUMNS)]
        number = int(status) if status.isdigit() else 0  # as wait(2) gives it
        job = SlurmJob(
            name,
            _word(state),
            "" if reason == "None" else reason,
            _time(begin),
            number >> 8,
            number & 0x7F,
            node,
            int(restarts) if restarts.isdigit() else 0,
            name=title,
        )
        yield from _elements(job)


def _by_scontrol(name: str) -> list[SlurmJob]:
    return list(read_scontrol(_told("scontrol", "show", "job", "--oneliner", name)))


def read_scontrol(text: str) -> Iterator[SlurmJob]:
    """Jobs from `scontrol show job --oneliner`."""
    for line in text.splitlines():
        cells = dict(re.findall(r"(\S+?)=(\S*)", line))
        if not cells.get("JobId", "").isdigit() or "JobState" not in cells:
            continue
        name, reason = cells["JobId"], cells.get("Reason", "")
        if "ArrayJobId" in cells and "ArrayTaskId" in cells:
            name = f"{cells['ArrayJobId']}_{cells['ArrayTaskId']}"
            name = name if name.rpartition("_")[2].isdigit() else name.replace("_", "_[") + "]"
        code, signal = _exit(cells.get("ExitCode", ""))
        restarts = cells.get("Restarts", "")
        node = "" if cells.get("NodeList") in (None, "(null)") else cells["NodeList"]
        job = SlurmJob(
            name,
            _word(cells["JobState"]),
            "" if reason == "None" else reason,
            _time(cells.get("StartTime", "")),
            code,
            signal,
            node,
            int(restarts) if restarts.isdigit() else 0,
            "scontrol",
            cells.get("JobName", ""),
        )
        yield from _elements(job)


def _by_sacct(ids: Sequence[str]) -> dict[str, SlurmJob]:
    """Jobs that the accounting remembers.

    Raises:
        SlurmError: there is no accounting, or it did not answer.
    """
    bases = list(dict.fromkeys(map(_base, ids)))
    found: dict[str, SlurmJob] = {}
    for start in range(0, len(bases), AT_ONCE):
        text = _told(
            "sacct",
            "--noheader",
            "--parsable2",
            "--allocations",
            f"--jobs={','.join(bases[start : start + AT_ONCE])}",
            "--format=JobID,State,Reason,Start,ExitCode,NodeList,JobName",
        )
        for job in read_sacct(text):
            found.setdefault(job.id, job)
    return found


def read_sacct(text: str) -> Iterator[SlurmJob]:
    """Jobs from sacct's lines; the array elements that have a line of their own come first."""
    listed: list[SlurmJob] = []
    for line in text.splitlines():
        cells = line.split("|")
        if len(cells) < 7 or not re.fullmatch(r"\d+(_\S+)?", cells[0]):
            continue
        name, state, reason, begin, status, node, title = cells[:7]
        code, signal = _exit(status)
        node = "" if node == "None assigned" else node
        reason = "" if reason == "None" else reason
        listed.append(
            SlurmJob(
                name, _word(state), reason, _time(begin), code, signal, node, 0, "sacct", title
            )
        )
    for job in sorted(listed, key=lambda job: "[" in job.id):
        yield from _elements(job)


def _told(*command: str) -> str:
    answer = run_command(*command)
    if answer.code != 0:
        raise SlurmError(f"{command[0]} failed: {answer.message}")
    return answer.out


def _elements(job: SlurmJob) -> Iterator[SlurmJob]:
    """The elements of `12_[2-5,7%2]`, which Slurm tells of together while they wait."""
    base, bracket, rest = job.id.partition("_[")
    if not bracket:
        yield job
        return
    for part in rest.rstrip("]").partition("%")[0].split(","):
        first, _, last = part.partition("-")
        last, _, stride = last.partition(":")
        if first.isdigit() and (last or first).isdigit():
            step = int(stride) if stride.isdigit() else 1
            for index in range(int(first), int(last or first) + 1, step):
                yield replace(job, id=f"{base}_{index}")


def _word(state: str) -> str:
    """`CANCELLED by 0` and `RUNNING+` as the plain word."""
    return state.partition(" ")[0].rstrip("+").upper()


def _time(text: str) -> float | None:
    with suppress(ValueError, OverflowError):
        return time.mktime(time.strptime(text, "%Y-%m-%dT%H:%M:%S"))
    return None


def _exit(text: str) -> tuple[int, int]:
    code, _, signal = text.partition(":")
    return (int(code) if code.isdigit() else 0, int(signal) if signal.isdigit() else 0)


def jobs_with_prefix(prefix: str) -> list[tuple[str, str]]:
    """Names and ids of this user's jobs in the queue whose name starts so; array by element.

    Raises:
        SlurmError: squeue does not answer.
    """
    answer = run_command("squeue", "--me", "--noheader", "--array", "--format=%i|%j")
    if answer.code != 0:
        raise SlurmError(f"squeue failed: {answer.message}")
    lines = [line.strip().partition("|") for line in answer.out.splitlines()]
    return [(name, number) for number, _, name in lines if name.startswith(prefix)]

"""Parse what squeue, scontrol and sacct print about jobs.

The text formats are parsed, and not `--json`, because Slurm is often built without its JSON plugin.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from slurm.job import SlurmJob

SQUEUE_COLUMNS = (
    "JobArrayID",
    "State",
    "Reason",
    "StartTime",
    "exit_code",
    "RestartCnt",
    "NodeList",
    "Name",
)
SACCT_COLUMNS = ("JobID", "State", "Reason", "Start", "ExitCode", "NodeList", "JobName")
_JOB_ID = re.compile(r"\d+(_\S+)?")


def read_squeue(text: str) -> Iterator[SlurmJob]:
    """Read jobs from squeue's lines of `SQUEUE_COLUMNS`, skipping lines of another form."""
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) < len(SQUEUE_COLUMNS) or not _JOB_ID.fullmatch(cells[0]):
            continue
        job_id, state, reason, start, status, restarts, node, name = cells[:8]
        exit_code, signal = _parse_wait_status(status)
        job = SlurmJob(
            job_id,
            _parse_state(state),
            _parse_reason(reason),
            _parse_time(start),
            exit_code,
            signal,
            node,
            _parse_count(restarts),
            name=name,
        )
        yield from _expand_elements(job)


def read_scontrol(text: str) -> Iterator[SlurmJob]:
    """Read jobs from the lines of `scontrol show job --oneliner`."""
    for line in text.splitlines():
        cells = dict(re.findall(r"(\S+?)=(\S*)", line))
        if not cells.get("JobId", "").isdigit() or "JobState" not in cells:
            continue
        job_id, reason = cells["JobId"], cells.get("Reason", "")
        if "ArrayJobId" in cells and "ArrayTaskId" in cells:
            job_id = f"{cells['ArrayJobId']}_{cells['ArrayTaskId']}"
            if not cells["ArrayTaskId"].isdigit():  # several elements, as squeue writes them
                job_id = f"{cells['ArrayJobId']}_[{cells['ArrayTaskId']}]"
        exit_code, signal = _parse_exit_code(cells.get("ExitCode", ""))
        restarts = cells.get("Restarts", "")
        job = SlurmJob(
            job_id,
            _parse_state(cells["JobState"]),
            _parse_reason(reason),
            _parse_time(cells.get("StartTime", "")),
            exit_code,
            signal,
            "" if cells.get("NodeList") in (None, "(null)") else cells["NodeList"],
            _parse_count(restarts),
            "scontrol",
            cells.get("JobName", ""),
        )
        yield from _expand_elements(job)


def read_sacct(text: str) -> Iterator[SlurmJob]:
    """Read jobs from sacct's lines of `SACCT_COLUMNS`.

    Elements of an array that have a line of their own come before those that share one.
    """
    jobs: list[SlurmJob] = []
    for line in text.splitlines():
        cells = line.split("|")
        if len(cells) < len(SACCT_COLUMNS) or not _JOB_ID.fullmatch(cells[0]):
            continue
        job_id, state, reason, start, status, node, name = cells[:7]
        exit_code, signal = _parse_exit_code(status)
        job = SlurmJob(
            job_id,
            _parse_state(state),
            _parse_reason(reason),
            _parse_time(start),
            exit_code,
            signal,
            "" if node == "None assigned" else node,
            source="sacct",
            name=name,
        )
        jobs.append(job)
    for job in sorted(jobs, key=lambda job: "[" in job.id):
        yield from _expand_elements(job)


def _expand_elements(job: SlurmJob) -> Iterator[SlurmJob]:
    """Split `12_[2-5,7%2]`, the elements of an array that wait, into one job for each."""
    array_id, bracket, rest = job.id.partition("_[")
    if not bracket:
        yield job
        return
    for part in rest.rstrip("]").partition("%")[0].split(","):
        first, _, last = part.partition("-")
        last, _, stride = last.partition(":")
        if first.isdigit() and (last or first).isdigit():
            step = int(stride) if stride.isdigit() else 1
            for index in range(int(first), int(last or first) + 1, step):
                yield replace(job, id=f"{array_id}_{index}")


def _parse_state(state: str) -> str:
    """Reduce `CANCELLED by 0` and `RUNNING+` to the plain word."""
    return state.partition(" ")[0].rstrip("+").upper()


def _parse_reason(reason: str) -> str:
    """Return Slurm's reason, which is `None` in its output where there is none."""
    return "" if reason == "None" else reason


def _parse_count(text: str) -> int:
    """Convert a number; 0 for anything else, such as an empty column."""
    return int(text) if text.isdigit() else 0


def _parse_time(text: str) -> float | None:
    """Convert Slurm's local time to Unix time; None for `N/A` and `Unknown`."""
    with suppress(ValueError, OverflowError):
        return time.mktime(time.strptime(text, "%Y-%m-%dT%H:%M:%S"))
    return None


def _parse_wait_status(text: str) -> tuple[int, int]:
    """Split a status of wait(2), as squeue prints it, into exit code and signal."""
    status = _parse_count(text)
    return status >> 8, status & 0x7F


def _parse_exit_code(text: str) -> tuple[int, int]:
    """Split `exit code:signal`, as scontrol and sacct print it."""
    code, _, signal = text.partition(":")
    return _parse_count(code), _parse_count(signal)

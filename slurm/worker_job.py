"""What a job runs: a worker in a process of its own, between it and Slurm's signals.

It is pickled at submission and loaded again at every start, so it holds only names; the state is
in the runs' folders. It imports next to nothing: a signal before it is loaded would kill the job.

submitit would requeue and exit inside its own signal handler, in the middle of a training step.
Handlers of ours take its place: they pass the signal on, the worker saves at its next step and
ends with `ExitCode.REQUEUE`, and then the job is requeued from here.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from types import FrameType

from harness.core.errors import ExitCode

PASSED_ON = (signal.SIGUSR2, signal.SIGTERM)


class WorkerFailedError(Exception):
    """The worker ended without having done all its runs; its own words are in the log."""


@dataclass(frozen=True, slots=True)
class WorkerJob:
    """Run the worker on one order, from a snapshot of the code."""

    order: str
    runs: str
    code: str

    def __call__(self) -> str:
        """Wait for the worker; how it ended, if it ended well.

        Raises:
            WorkerFailedError: it failed, so that Slurm calls the job failed.
            SystemExit: it is to be continued; the job is requeued.
        """
        _banner()
        child = _start(
            [sys.executable, "-m", "harness.execution.worker", self.order, "--runs", self.runs],
            self.code,
        )
        code = child.wait()
        if code in (ExitCode.REQUEUE, -signal.SIGUSR2) or (
            code == ExitCode.INTERRUPTED and preempted()
        ):
            _requeue()
            sys.exit(ExitCode.REQUEUE)
        if code != 0:
            how = f"signal {-code}" if code < 0 else f"exit code {code}"
            raise WorkerFailedError(f"The worker ended with {how}; its last lines say why.")
        return "done"


def job_id() -> str:
    """This job's own name: of an array its element alone, as the bare number may mean them all."""
    array, index = os.environ.get("SLURM_ARRAY_JOB_ID"), os.environ.get("SLURM_ARRAY_TASK_ID")
    return f"{array}_{index}" if array and index else os.environ["SLURM_JOB_ID"]


def preempted() -> bool:
    """Whether the cluster is taking this job's place for another's, and will not cancel it."""
    try:
        shown = subprocess.run(
            ["scontrol", "show", "job", "--oneliner", job_id()],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        ).stdout
    except (OSError, KeyError, subprocess.TimeoutExpired):  # no job of Slurm's, or no answer
        return False
    words = dict(word.partition("=")[::2] for word in shown.split())
    return words.get("JobState") != "CANCELLED" and words.get("PreemptTime", "None") != "None"


def _requeue() -> None:
    """Put this job back into the queue, which ends it, and may end the asking, too.

    Raises:
        WorkerFailedError: Slurm refused.
    """
    command = ["scontrol", "requeue", job_id()]
    asked = subprocess.run(command, capture_output=True, text=True, check=False)
    if asked.returncode > 0:  # below 0: the requeue was quicker than the answer
        raise WorkerFailedError(
            f"Everything is saved, but the job could not be requeued ({asked.stderr.strip()}). "
            "Submit the runs again to go on from there."
        )


def _start(command: list[str], code: str) -> subprocess.Popen[bytes]:
    """Start the worker so that no signal is lost: it begins with them blocked, and waiting."""
    child: subprocess.Popen[bytes] | None = None
    early: list[int] = []

    def forward(number: int, _frame: FrameType | None) -> None:
        early.append(number) if child is None else child.send_signal(number)

    for number in PASSED_ON:
        signal.signal(number, forward)
    signal.signal(signal.SIGCONT, lambda _number, _frame: None)
    signal.pthread_sigmask(signal.SIG_BLOCK, PASSED_ON)
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    child = subprocess.Popen(command, cwd=code, env=environment)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, PASSED_ON)
    for missed in early:
        child.send_signal(missed)
    return child


def _banner() -> None:
    """Logs of all attempts lie in one file: say where each begins."""
    attempt = int(os.environ.get("SLURM_RESTART_COUNT", "0")) + 1
    now = time.strftime("%Y-%m-%d %H:%M:%S")
    node = os.environ.get("SLURMD_NODENAME", "?")
    for stream in (sys.stdout, sys.stderr):
        stream.write(f"=== attempt {attempt} of job {job_id()} on {node}, {now} ===\n")
        stream.flush()

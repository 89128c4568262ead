"""The callable that submitit runs in a job: it starts a worker and forwards Slurm's signals to it.

It is pickled at submission and loaded again at every start, so it holds only paths; the state is
in the runs' folders. It imports next to nothing: a signal before it is loaded would kill the job.

submitit would requeue and exit inside its own signal handler, in the middle of a training step.
The handlers here replace it: they forward the signal, the worker saves at its next step and ends
with `ExitCode.REQUEUE`, and only then is the job requeued.
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

FORWARDED_SIGNALS = (signal.SIGUSR2, signal.SIGTERM)
SCONTROL_TIMEOUT_SECONDS = 60.0


class WorkerFailedError(Exception):
    """The worker ended without finishing all its runs; its log has the reason."""


@dataclass(frozen=True, slots=True)
class WorkerJob:
    """A call of `python -m harness.execution.worker` on one job file.

    Args:
        job_file: Path of the file that a `JobSpec` was written to.
        runs: Path of the runs folder.
        code: Path of the copy of the code to run.
    """

    job_file: str
    runs: str
    code: str

    def __call__(self) -> str:
        """Run the worker to its end.

        Raises:
            WorkerFailedError: The worker failed; Slurm then reports the job as failed.
            SystemExit: The worker is to be continued; the job has been requeued.
        """
        _write_banner()
        command = [sys.executable, "-m", "harness.execution.worker"]
        worker = _start([*command, self.job_file, "--runs", self.runs], self.code)
        code = worker.wait()
        if code in (ExitCode.REQUEUE, -signal.SIGUSR2) or (
            code == ExitCode.INTERRUPTED and is_preempted()
        ):
            _requeue()
            sys.exit(ExitCode.REQUEUE)
        if code != 0:
            status = f"signal {-code}" if code < 0 else f"exit code {code}"
            raise WorkerFailedError(f"The worker ended with {status}; see the end of its log.")
        return "done"


def current_job_id() -> str:
    """Return this job's id, `12_3` in an array: there `12` alone may mean all elements.

    Raises:
        KeyError: This process does not run in a job.
    """
    array, index = os.environ.get("SLURM_ARRAY_JOB_ID"), os.environ.get("SLURM_ARRAY_TASK_ID")
    return f"{array}_{index}" if array and index else os.environ["SLURM_JOB_ID"]


def is_preempted() -> bool:
    """Return whether Slurm is preempting this job, and not cancelling it."""
    try:
        output = subprocess.run(
            ["scontrol", "show", "job", "--oneliner", current_job_id()],
            capture_output=True,
            text=True,
            check=False,
            timeout=SCONTROL_TIMEOUT_SECONDS,
        ).stdout
    except (OSError, KeyError, subprocess.TimeoutExpired):  # not in a job, or no answer
        return False
    fields = dict(word.partition("=")[::2] for word in output.split())
    return fields.get("JobState") != "CANCELLED" and fields.get("PreemptTime", "None") != "None"


def _requeue() -> None:
    """Put this job back into the queue, which ends it, possibly before scontrol returns.

    Raises:
        WorkerFailedError: Slurm refused.
    """
    command = ["scontrol", "requeue", current_job_id()]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode > 0:  # below 0: scontrol itself was killed with the job
        raise WorkerFailedError(
            f"Everything is saved, but the job could not be requeued ({result.stderr.strip()}). "
            "Submit the runs again to continue them."
        )


def _start(command: list[str], code: str) -> subprocess.Popen[bytes]:
    """Start the worker with the signals blocked, so that none is lost before its handlers exist."""
    worker: subprocess.Popen[bytes] | None = None
    early_signals: list[int] = []

    def forward(number: int, _frame: FrameType | None) -> None:
        early_signals.append(number) if worker is None else worker.send_signal(number)

    for number in FORWARDED_SIGNALS:
        signal.signal(number, forward)
    signal.signal(signal.SIGCONT, lambda _number, _frame: None)
    signal.pthread_sigmask(signal.SIG_BLOCK, FORWARDED_SIGNALS)
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    worker = subprocess.Popen(command, cwd=code, env=environment)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, FORWARDED_SIGNALS)
    for early_signal in early_signals:
        worker.send_signal(early_signal)
    return worker


def _write_banner() -> None:
    """Mark the beginning of an attempt: the logs of all attempts are appended to one file."""
    attempt = int(os.environ.get("SLURM_RESTART_COUNT", "0")) + 1
    now = time.strftime("%Y-%m-%d %H:%M:%S")
    node = os.environ.get("SLURMD_NODENAME", "?")
    for stream in (sys.stdout, sys.stderr):
        stream.write(f"=== attempt {attempt} of job {current_job_id()} on {node}, {now} ===\n")
        stream.flush()

"""Execute a plan with a profile of kind `local`: workers on this machine, one for each slot.

A slot is a GPU, several GPUs or some cores. The process that submits stays and fills the slots,
teachers first. When it is interrupted, its workers save and end, and the same command continues.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from harness.core.errors import ExitCode, FileError, SetupError
from harness.core.files import file_exists, read_json
from harness.core.lease import acquire_blocking
from harness.core.signals import StopRequest
from harness.core.waiting import waiting_for
from harness.execution.cluster.pending import PendingRuns
from harness.execution.cluster.profile import local_core_count, local_gpu_count
from harness.execution.cluster.submission import ClusterJob, Submission, new_submission_name
from harness.execution.cluster.submit import (
    SubmitOptions,
    report_skipped,
    submission_lock,
    write_submission,
)
from harness.execution.reasons import blocked_by
from harness.execution.worker_failures import record_failures
from harness.planning.plan import Plan
from harness.runs.layout import FAILURE, RECORD
from harness.runs.record import failure_time
from harness.runs.spec import RunSpec
from harness.runs.states import FailureKind
from harness.runs.submissions import local_id
from slurm.resources import Resources

POLL_SECONDS = 0.2
DEVICES_VARIABLE = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True, slots=True)
class PoolOutcome:
    """The runs of a plan that a pool did not train."""

    reasons: Mapping[str, str]  # by key
    active: frozenset[str]  # keys of those that another process or job has


@dataclass
class LocalPool:
    """The jobs of a submission on this machine's slots."""

    submission: Submission
    specs: Mapping[str, RunSpec]
    runs: Path
    slots: list[dict[str, str]]  # free ones: what each adds to a worker's environment
    print_line: Callable[[str], None]
    failed: dict[str, str] = field(default_factory=dict)  # reasons by key
    _workers: dict[int, _Worker] = field(default_factory=dict)  # by the job's number

    def run(self, stop: StopRequest) -> None:
        """Run every job to its end.

        Raises:
            RunInterrupted: A stop was requested; all workers saved their runs.
        """
        queue = list(self.submission.jobs)
        try:
            while queue or self._workers:
                if stop.requested:
                    self._stop_workers()
                    stop.raise_if_requested()
                self._collect_finished()
                self._start_ready(queue)
                time.sleep(POLL_SECONDS)
        finally:
            for worker in self._workers.values():  # none, unless an exception ended the loop
                worker.process.kill()

    def _start_ready(self, queue: list[ClusterJob]) -> None:
        """Start the jobs that have a slot and their teachers; drop those whose teacher failed."""
        for job in list(queue):
            unfinished = {*self._workers, *(other.number for other in queue)}
            if unfinished & set(job.after):
                continue
            if teacher := self._missing_teacher(job):
                self.failed |= dict.fromkeys(job.runs, blocked_by(teacher))
                queue.remove(job)
            elif self.slots:
                queue.remove(job)
                self._start(job)

    def _missing_teacher(self, job: ClusterJob) -> str:
        """Return a teacher that is not done although its job has ended, or an empty string."""
        if not any(isinstance(number, int) for number in job.after):
            return ""
        teachers = [teacher.key for key in job.runs for teacher in self.specs[key].teachers]
        return next((key for key in teachers if not file_exists(self.runs / key / RECORD)), "")

    def _start(self, job: ClusterJob) -> None:
        """Start a worker in its own session, so that Ctrl-C reaches only this process."""
        slot = self.slots.pop(0)
        code, logs = self.submission.snapshot, self.submission.logs(self.runs)
        job_file = self.submission.job_file(self.runs, job)
        command = [sys.executable, "-m", "harness.execution.worker", str(job_file)]
        environment = os.environ | slot | {"PYTHONPATH": code, "PYTHONUNBUFFERED": "1"}
        out, err = logs / f".{job.number}.out", logs / f".{job.number}.err"
        with out.open("ab") as stdout, err.open("ab") as stderr:
            process = subprocess.Popen(
                [*command, "--runs", str(self.runs)],
                cwd=code,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )
        job.job = local_id(process.pid)
        for path in (out, err):  # the process id, and so the final name, is known only now
            path.rename(logs / f"{job.job}_0_log{path.suffix}")
        self._workers[job.number] = _Worker(job, process, slot)
        self.submission.write(self.runs, [job])
        gpus = f", GPU {slot[DEVICES_VARIABLE]}" if slot.get(DEVICES_VARIABLE) else ""
        self.print_line(f"job {job.number}/{len(self.submission.jobs)}: {_job_title(job)}{gpus}")

    def _collect_finished(self) -> None:
        """Free the slots of the workers that have ended, and note their failures."""
        for number, worker in list(self._workers.items()):
            code = worker.process.poll()
            if code is None:
                continue
            del self._workers[number]
            self.slots.append(worker.slot)
            if code == ExitCode.REQUEUE:
                self._start(worker.job)
                continue
            missing = [k for k in worker.job.runs if not file_exists(self.runs / k / RECORD)]
            if code != ExitCode.DONE or missing:
                status = f"signal {-code}" if code < 0 else f"exit code {code}"
                log = self.submission.logs(self.runs) / f"{worker.job.job}_0_log.err"
                reason = f"its worker ended with {status}; see {log}"
                self.failed |= dict.fromkeys(missing, reason)
                self.print_line(f"job {number} failed: {reason}")
                if code != ExitCode.INTERRUPTED:  # somebody stopped it
                    unexplained = [key for key in missing if not self._has_new_failure(key)]
                    record_failures(self.runs, unexplained, FailureKind.ERROR, reason)

    def _has_new_failure(self, key: str) -> bool:
        """Return whether a worker of this submission has left a failure of a run."""
        try:
            failure = read_json(self.runs / key / FAILURE)
        except FileError:
            return False
        return failure is not None and failure_time(failure) >= self.submission.created

    def _stop_workers(self) -> None:
        """Let every worker save its runs and end."""
        for worker in self._workers.values():
            worker.process.send_signal(signal.SIGTERM)
        with waiting_for(f"{len(self._workers)} workers to save and end", self.print_line):
            for worker in self._workers.values():
                worker.process.wait()
        self._workers.clear()


@dataclass(frozen=True, slots=True)
class _Worker:
    """A running worker, its job and the slot that it occupies."""

    job: ClusterJob
    process: subprocess.Popen[bytes]
    slot: dict[str, str]


def run_local_pool(
    plan: Plan, options: SubmitOptions, stop: StopRequest, print_line: Callable[[str], None]
) -> PoolOutcome:
    """Execute the plan's unfinished runs on this machine's slots.

    Args:
        plan: The plan.
        options: Profile and resources.
        stop: Checked while workers run.
        print_line: Called with each line of the report.

    Raises:
        RunInterrupted: A stop was requested; everything reached is on disk.
        SetupError: This machine has fewer GPUs or cores than the profile requests.
        UsageError: An override is wrong, or a method's code cannot be copied.
    """
    runs = plan.runs.absolute()
    with ExitStack() as stack:
        with submission_lock(runs, print_line):
            pending = options.select_pending(plan)
            report_skipped(pending, print_line)
            if not pending.jobs:
                return _outcome(pending, {})
            slots = make_slots([job.resources for job in pending.jobs], options)
            submission = Submission(
                new_submission_name(), options.cluster, "local", options.command, "", pending.jobs
            )
            # While this lease lives, other commands take the jobs still to come for queued.
            stack.enter_context(acquire_blocking(submission.folder(runs)))
            write_submission(submission, pending, plan, options)
        pool = LocalPool(submission, pending.specs, runs, slots, print_line)
        print_line(f"{submission.describe()} on {len(slots)} slots")
        pool.run(stop)
    return _outcome(pending, pool.failed)


def _outcome(pending: PendingRuns, failed: Mapping[str, str]) -> PoolOutcome:
    reasons = {key: skipped.reason for key, skipped in pending.skipped.items()}
    active = frozenset(key for key, skipped in pending.skipped.items() if skipped.is_active)
    return PoolOutcome({**reasons, **failed}, active)


def make_slots(requests: Sequence[Resources], options: SubmitOptions) -> list[dict[str, str]]:
    """Divide this machine into slots for workers.

    Args:
        requests: The resources of the jobs to come; the largest request decides.
        options: Profile, which may put several workers on a GPU, and the limit on parallel jobs.

    Returns:
        For each slot, the variables that select it in a worker's environment.

    Raises:
        SetupError: This machine has fewer GPUs or cores than one job requests.
    """
    if any(resources.wants_gpu for resources in requests):
        size = max(1, *(resources.gpus for resources in requests))
        visible = os.environ.get(DEVICES_VARIABLE)
        gpus = visible.split(",") if visible else [str(n) for n in range(local_gpu_count())]
        if len(gpus) < size:
            raise SetupError(
                f"The profile requests {size} GPU(s), torch sees {local_gpu_count()} here. "
                "Train on the CPU with --set cluster.gpus=0."
            )
        groups = [gpus[n : n + size] for n in range(0, len(gpus) - size + 1, size)]
        slots = [{DEVICES_VARIABLE: ",".join(group)} for group in groups]
        slots *= options.profile.slots_per_gpu
    else:
        size, cores = max(resources.cpus for resources in requests), local_core_count()
        if size > cores:
            raise SetupError(
                f"The profile requests {size} cores, this machine has {cores}. Request fewer with "
                f"--set cluster.cpus=N; the number is part of a CPU run's key."
            )
        slots = [{DEVICES_VARIABLE: ""}] * (cores // size)
    return [dict(slot) for slot in slots[: options.parallel_limit or len(slots)]]


def _job_title(job: ClusterJob) -> str:
    first = job.runs[0].rsplit("-", 1)[0]
    return first if len(job.runs) == 1 else f"{first} and {len(job.runs) - 1} more runs"

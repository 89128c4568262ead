"""A profile of kind `local`: the same workers on this machine, a slot for each GPU or some cores.

The process that submits stays and fills the slots, teachers first. Interrupted, it lets the
workers save and ends; the same command goes on from there.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from harness.core.errors import ExitCode, SetupError
from harness.core.lease import acquire_blocking
from harness.core.signals import StopRequest
from harness.execution.cluster.group import ClusterJob, Submission, new_name
from harness.execution.cluster.pending import local_id, select_pending
from harness.execution.cluster.profile import local_core_count, local_gpu_count
from harness.execution.cluster.submit import (
    Say,
    SubmitOptions,
    prepare,
    report_skipped,
    submission_lock,
)
from harness.planning.plan import Plan
from harness.runs.groups import LOGS
from harness.runs.record import RECORD
from harness.runs.spec import RunSpec
from slurm.resources import Resources

POLL = 0.2  # seconds between two looks at the workers
DEVICES = "CUDA_VISIBLE_DEVICES"


@dataclass
class LocalPool:
    """A group's jobs on this machine's slots."""

    group: Submission
    specs: Mapping[str, RunSpec]
    runs: Path
    slots: list[dict[str, str]]  # free ones: what each adds to a worker's environment
    say: Say
    failed: dict[str, str] = field(default_factory=dict)  # by key, with the reason
    _working: dict[int, _Worker] = field(default_factory=dict)  # by the job's number

    def run(self, stop: StopRequest) -> None:
        """Bring every job to its end.

        Raises:
            InterruptedRunError: a stop was requested; all workers saved what they had.
        """
        queue = list(self.group.jobs)
        try:
            while queue or self._working:
                if stop.requested:
                    self._end()
                    stop.raise_if_requested()
                self._collect()
                self._fill(queue)
                time.sleep(POLL)
        finally:
            for worker in self._working.values():  # none, unless this was ended by force
                worker.process.kill()

    def _fill(self, queue: list[ClusterJob]) -> None:
        """Start what may start, and drop what waits for a teacher that will not come."""
        for job in list(queue):
            pending = {*self._working, *(other.number for other in queue)}
            if pending & set(job.after):
                continue
            if lacking := self._missing_teacher(job):
                reason = f"blocked: its teacher {lacking} failed"
                self.failed |= dict.fromkeys(job.runs, reason)
                queue.remove(job)
            elif self.slots:
                queue.remove(job)
                self._start(job)

    def _missing_teacher(self, job: ClusterJob) -> str:
        """A teacher of these runs that is not done although its job has ended."""
        if not any(isinstance(number, int) for number in job.after):
            return ""
        teachers = [teacher.key for key in job.runs for teacher in self.specs[key].teachers]
        return next((key for key in teachers if not (self.runs / key / RECORD).exists()), "")

    def _start(self, job: ClusterJob) -> None:
        """A worker in a session of its own: the terminal's Ctrl-C is for this process alone."""
        slot = self.slots.pop(0)
        code, logs = self.group.snapshot, self.group.folder(self.runs) / LOGS
        order = self.group.order(self.runs, job)
        command = [
            sys.executable,
            "-m",
            "harness.execution.worker",
            str(order),
            "--runs",
            str(self.runs),
        ]
        environment = os.environ | slot | {"PYTHONPATH": code, "PYTHONUNBUFFERED": "1"}
        out, err = logs / f".{job.number}.out", logs / f".{job.number}.err"
        with out.open("ab") as written, err.open("ab") as told:
            process = subprocess.Popen(
                command,
                cwd=code,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=written,
                stderr=told,
                start_new_session=True,
            )
        job.job = local_id(process.pid)
        for path in (out, err):
            path.rename(logs / f"{job.job}_0_log{path.suffix}")
        self._working[job.number] = _Worker(job, process, slot)
        self.group.write(self.runs, [job])
        where = f", GPU {slot[DEVICES]}" if slot.get(DEVICES) else ""
        self.say(f"job {job.number} of {len(self.group.jobs)}: {_title(job)}{where}")

    def _collect(self) -> None:
        """Take back the slots of the workers that have ended."""
        for number, worker in list(self._working.items()):
            code = worker.process.poll()
            if code is None:
                continue
            del self._working[number]
            self.slots.append(worker.slot)
            if code == ExitCode.REQUEUE:
                self._start(worker.job)
                continue
            lacking = [k for k in worker.job.runs if not (self.runs / k / RECORD).exists()]
            if code != ExitCode.DONE or lacking:
                how = f"signal {-code}" if code < 0 else f"exit code {code}"
                log = self.group.folder(self.runs) / LOGS / f"{worker.job.job}_0_log.err"
                reason = f"its worker ended with {how}; {log} says why"
                self.failed |= dict.fromkeys(lacking, reason)
                self.say(f"job {number} failed: {reason}")

    def _end(self) -> None:
        """Let every worker save and leave."""
        for worker in self._working.values():
            worker.process.send_signal(signal.SIGTERM)
        for worker in self._working.values():
            worker.process.wait()
        self._working.clear()


@dataclass(frozen=True, slots=True)
class _Worker:
    job: ClusterJob
    process: subprocess.Popen[bytes]
    slot: dict[str, str]


def run_local_pool(
    plan: Plan, options: SubmitOptions, stop: StopRequest, say: Say
) -> dict[str, str]:
    """Carry out what is missing of a plan on this machine's slots.

    What is returned tells, by key, why a run was left out or how it failed.

    Raises:
        InterruptedRunError: a stop was requested; everything reached is on disk.
        SetupError: this machine has not what the profile asks for.
    """
    runs = plan.runs.absolute()
    with ExitStack() as stack:
        with submission_lock(runs):
            chosen = select_pending(
                plan.cohorts, options.resources(plan), runs, retry=options.retry
            )
            report_skipped(chosen, say)
            if not chosen.jobs:
                return chosen.left_out
            slots = slots_for([job.resources for job in chosen.jobs], options)
            group = Submission(
                new_name(), options.cluster, "local", options.command, "", chosen.jobs
            )
            # By this lease others see that the jobs still to come are not forgotten.
            stack.enter_context(acquire_blocking(group.folder(runs)))
            prepare(group, chosen, plan, options)
        pool = LocalPool(group, chosen.specs, runs, slots, say)
        say(f"group {group.name}: {len(group.jobs)} jobs on {len(slots)} slots")
        pool.run(stop)
    return chosen.left_out | pool.failed


def slots_for(wanted: Sequence[Resources], options: SubmitOptions) -> list[dict[str, str]]:
    """Places for workers on this machine, as additions to their environments.

    Raises:
        SetupError: a GPU is asked for and there is none, or more cores than there are.
    """
    if any(resources.wants_gpu for resources in wanted):
        each = max(1, *(resources.gpus for resources in wanted))
        visible = os.environ.get(DEVICES)
        names = visible.split(",") if visible else [str(n) for n in range(local_gpu_count())]
        if len(names) < each:
            raise SetupError(
                f"The profile asks for {each} GPU(s), torch sees {local_gpu_count()} here. "
                "Train on the CPU with --set cluster.gpus=0."
            )
        groups = [names[n : n + each] for n in range(0, len(names) - each + 1, each)]
        slots = [{DEVICES: ",".join(some)} for some in groups] * options.profile.slots_per_gpu
    else:
        each, cores = max(resources.cpus for resources in wanted), local_core_count()
        if each > cores:
            raise SetupError(
                f"The profile asks for {each} cores, this machine has {cores}. Say fewer with "
                f"--set cluster.cpus=N; the number is part of a CPU run's key."
            )
        slots = [{DEVICES: ""}] * (cores // each)
    return [dict(slot) for slot in slots[: options.most or len(slots)]]


def _title(job: ClusterJob) -> str:
    first = job.runs[0].rsplit("-", 1)[0]
    return first if len(job.runs) == 1 else f"{first} and {len(job.runs) - 1} more side by side"

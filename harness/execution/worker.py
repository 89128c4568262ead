"""Train one cohort to its records: `python -m harness.execution.worker JOB_FILE --runs DIR`.

A worker continues from the runs' checkpoints, and its only results are in the runs' folders. Exit
codes: 0 all runs are done, 1 some failed, 2 or 3 it cannot start, 75 saved and to be continued
(SIGUSR2, from a time limit or preemption), 130 saved and stopped (SIGTERM, SIGINT).
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.core.errors import ExitCode, KDReIDError, RunInterrupted
from harness.core.installation import ensure_own_packages
from harness.core.signals import StopRequest, install_worker_signals
from harness.core.text import printable_lines
from harness.runs.states import FailureKind

if TYPE_CHECKING:  # torch takes seconds to import, and signals may come before
    from harness.core.progress import Reporter
    from harness.execution.cluster.job_spec import JobSpec
    from harness.runs.spec import RunSpec


def main() -> int:
    """Train the runs of one job file; return the exit code.

    Whatever ends it before its runs are done is written into their folders.
    """
    stop = install_worker_signals()
    parser = argparse.ArgumentParser(prog="python -m harness.execution.worker", description=__doc__)
    parser.add_argument("job_file", type=Path, help="the runs and where their inputs are")
    parser.add_argument("--runs", type=Path, required=True, help="the runs folder")
    options = parser.parse_args()
    try:
        ensure_own_packages()
        from harness.core.progress import Reporter
        from harness.execution.cluster.job_spec import JobSpec

        job_spec = JobSpec.read(options.job_file)
        return _train_until_stopped(job_spec, options.runs, stop, Reporter())
    except Exception as error:
        return _record_failure(error, options.job_file, options.runs)


def _train_until_stopped(
    job_spec: JobSpec, runs: Path, stop: StopRequest, reporter: Reporter
) -> int:
    """Train the runs; return the exit code, also that of a stop."""
    reached_before = _measure_progress(job_spec, runs)
    try:
        return train_runs(job_spec, runs, stop, reporter)
    except RunInterrupted as error:
        reporter.info(f"kdreid: {error}")
        return _exit_code_after_stop(job_spec, runs, stop, reached_before)


def _record_failure(error: Exception, job_file: Path, runs: Path) -> int:
    """Write what ended the worker into the folders of its runs; return the exit code."""
    from harness.execution.worker_failures import describe_error, record_failures, runs_of_job

    kind, message, trace = describe_error(error)
    sys.stderr.write(printable_lines(trace or f"kdreid: {message}\n"))
    record_failures(runs, runs_of_job(job_file, runs), kind, message, trace)
    return error.exit_code if isinstance(error, KDReIDError) else ExitCode.FAILED


def train_runs(job_spec: JobSpec, runs: Path, stop: StopRequest, reporter: Reporter) -> int:
    """Compare every input with the runs' keys, then train; return the exit code.

    Raises:
        RunInterrupted: A stop was requested; what was reached is on disk.
        SetupError: An input or the device is missing, or differs from the one planned with.
    """
    import torch

    from harness.core.devices import find_device
    from harness.core.session import RunContext
    from harness.data.images import OpenedDataset
    from harness.execution.in_process import InProcessExecutor
    from harness.execution.worker_inputs import open_inputs, read_specs, wait_for_teachers
    from harness.planning.images import open_run_images

    if job_spec.threads:
        torch.set_num_threads(job_spec.threads)
    context = RunContext(
        runs=runs,
        reporter=reporter,
        workers=job_spec.workers,
        device_name=str(find_device(job_spec.device)),
        stop=stop,
        checkpoint_seconds=job_spec.checkpoint_every,
    )
    specs = read_specs(job_spec, runs)
    dataset, pretrained_files = open_inputs(job_spec, specs, context)
    _report_start(job_spec, reporter)
    opened: dict[tuple[int, int] | None, OpenedDataset] = {}  # a plain student needs no teacher's

    def open_data(spec: RunSpec) -> OpenedDataset:
        if spec.teacher_size not in opened:
            images = open_run_images(dataset, spec, context, cache=job_spec.cache)
            opened[spec.teacher_size] = images
        return opened[spec.teacher_size]

    wait_for_teachers(specs, context)
    context = replace(context, pretrained_files=pretrained_files)
    executor = InProcessExecutor(context, open_data, job_spec.retry, job_spec.again)
    outcome = executor.launch([tuple(specs)])
    for key, reason in outcome.failed.items():
        reporter.info(f"failed: {key}: {reason}")
    for problem in outcome.unusable.values():
        reporter.info(f"kdreid: {problem}")
    return outcome.exit_code


def _report_start(job_spec: JobSpec, reporter: Reporter) -> None:
    """Report the machine, and a warning if it has fewer cores than the runs' threads."""
    cores = len(os.sched_getaffinity(0))
    reporter.info(
        f"{time.strftime('%Y-%m-%d %H:%M:%S')} process {os.getpid()} on {os.uname().nodename}: "
        f"{len(job_spec.runs)} runs on {job_spec.device}, {cores} cores"
    )
    if cores < max(job_spec.threads, 1):
        reporter.info(
            f"warning: {job_spec.threads} threads share {cores} cores. The results are right, but "
            "training is slow: see `cpus` in the cluster's profile."
        )


def _exit_code_after_stop(
    job_spec: JobSpec, runs: Path, stop: StopRequest, reached_before: tuple[int, int]
) -> int:
    """Return the code of a stopped worker: requeue, unless that would never end.

    An attempt after a requeue that ends at its time limit without a single training step would be
    followed by others like it. A preemption may come at any time and proves nothing.
    """
    if not stop.requeue:
        return ExitCode.INTERRUPTED
    was_requeued = int(os.environ.get("SLURM_RESTART_COUNT", "0")) > 0
    if was_requeued and _measure_progress(job_spec, runs) == reached_before:
        from harness.execution.worker_failures import record_failures
        from slurm.worker_job import is_preempted

        if not is_preempted():
            message = (
                "The time limit was reached twice without a training step in between. Give the "
                "job more time: --set cluster.time=D-HH:MM:SS."
            )
            record_failures(runs, job_spec.runs, FailureKind.TIME_LIMIT, message)
            sys.stderr.write(f"kdreid: {message}\n")
            return ExitCode.FAILED
    return ExitCode.REQUEUE


def _measure_progress(job_spec: JobSpec, runs: Path) -> tuple[int, int]:
    """Return the number of runs that are done, and of the others' steps in checkpoints."""
    from harness.core.files import file_exists
    from harness.runs.layout import CHECKPOINT, RECORD
    from harness.training.state import saved_step

    done = sum(file_exists(runs / key / RECORD) for key in job_spec.runs)
    steps = sum(saved_step(runs / key / CHECKPOINT) for key in job_spec.runs)
    return done, steps


if __name__ == "__main__":
    sys.exit(main())

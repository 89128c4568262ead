"""Train one cohort to its records: `python -m harness.execution.worker ORDER --runs DIR`.

It goes on from the runs' checkpoints, and what it reaches is in the runs' folders alone. Exit
codes: 0 all done, 1 some failed, 2 or 3 it cannot start, 75 saved and to be continued (SIGUSR2,
from a time limit or preemption), 130 saved and stopped (SIGTERM, SIGINT).
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from harness.core.errors import ExitCode, KDReIDError, RunInterrupted
from harness.core.signals import StopRequest, install_worker_signals
from harness.runs.states import FailureKind

if TYPE_CHECKING:  # torch takes seconds to import, and signals may come before
    from harness.core.progress import Reporter
    from harness.execution.cluster.job_spec import JobSpec
    from harness.runs.spec import RunSpec


def main() -> int:
    """Carry out one order; the exit code."""
    stop = install_worker_signals()
    parser = argparse.ArgumentParser(prog="python -m harness.execution.worker", description=__doc__)
    parser.add_argument("order", type=Path, help="the file that says which runs, on which inputs")
    parser.add_argument("--runs", type=Path, required=True, help="where everything is written")
    options = parser.parse_args()

    from harness.core.progress import Reporter
    from harness.execution.cluster.job_spec import JobSpec

    reporter = Reporter()
    try:
        order = JobSpec.read(options.order)
        return _with_failures_on_disk(order, options.runs, stop, reporter)
    except KDReIDError as error:
        reporter.info(f"kdreid: {error}")
        return error.exit_code


def _with_failures_on_disk(
    order: JobSpec, runs: Path, stop: StopRequest, reporter: Reporter
) -> int:
    """Do the work; whatever keeps the runs from their records is told in their folders."""
    from harness.training.loop import capture_failure

    codes: list[int] = []
    problems: list[KDReIDError] = []
    before = _reached(order, runs)

    def work() -> None:
        try:
            codes.append(carry_out(order, runs, stop, reporter))
        except RunInterrupted:
            raise
        except KDReIDError as error:
            problems.append(error)

    try:
        failure = capture_failure(work)
    except RunInterrupted as error:
        reporter.info(f"kdreid: {error}")
        return _interrupted(order, runs, stop, before)
    if problems:
        _fail(order, runs, FailureKind.SETUP, str(problems[0]), "")
        reporter.info(f"kdreid: {problems[0]}")
        return problems[0].exit_code
    if failure is not None:
        _fail(order, runs, failure.kind, failure.message, failure.trace)
        reporter.info(failure.trace or failure.message)
        return ExitCode.FAILED
    return codes[0]


def carry_out(order: JobSpec, runs: Path, stop: StopRequest, reporter: Reporter) -> int:
    """Check every input against what the runs' keys say, then train; the exit code.

    Raises:
        InterruptedRunError: a stop was requested; what was reached is on disk.
        SetupError: an input or the device is not there, or is another.
    """
    import torch

    from harness.core.devices import find_device
    from harness.core.session import RunContext
    from harness.data.images import OpenedDataset
    from harness.execution.in_process import InProcessExecutor
    from harness.execution.worker_inputs import open_inputs, read_specs, wait_for_teachers
    from harness.planning.datasets import open_images

    if order.threads:
        torch.set_num_threads(order.threads)
    device = find_device(order.device)
    specs = read_specs(order, runs)
    dataset, weights = open_inputs(order, specs, runs, reporter)
    _introduce(order, reporter)
    opened: list[OpenedDataset] = []

    def data(spec: RunSpec) -> OpenedDataset:
        if not opened:
            room = runs, order.workers, reporter
            opened.append(open_images(dataset, spec.recipe, *room, cache=order.cache))
        return opened[0]

    wait_for_teachers(specs, runs, stop, reporter)
    context = RunContext(
        runs=runs,
        reporter=reporter,
        workers=order.workers,
        device=device,
        stop=stop,
        pretrained_files=weights,
        checkpoint_seconds=order.checkpoint_every,
    )
    outcome = InProcessExecutor(context, data, order.retry).launch([tuple(specs)])
    for key, reason in outcome.failed.items():
        reporter.info(f"failed: {key}: {reason}")
    return ExitCode.FAILED if outcome.failed else ExitCode.DONE


def _introduce(order: JobSpec, reporter: Reporter) -> None:
    """Say where this is, and whether the job has fewer cores than it was to have."""
    cores = len(os.sched_getaffinity(0))
    reporter.info(
        f"{time.strftime('%Y-%m-%d %H:%M:%S')} process {os.getpid()} on {os.uname().nodename}: "
        f"{len(order.runs)} runs on {order.device}, {cores} cores"
    )
    if cores < max(order.threads, 1):
        reporter.info(
            f"warning: {order.threads} threads share {cores} cores. The numbers are right, the "
            "speed is not: see `cpus` in the cluster's profile."
        )


def _interrupted(order: JobSpec, runs: Path, stop: StopRequest, before: tuple[int, int]) -> int:
    """To be continued, unless continuing leads nowhere: a whole attempt without one step."""
    if not stop.requeue:
        return ExitCode.INTERRUPTED
    again = int(os.environ.get("SLURM_RESTART_COUNT", "0")) > 0
    if again and _reached(order, runs) == before:
        from slurm.worker_job import preempted

        if not preempted():
            message = (
                "The time limit came twice without a training step in between. Give the job more "
                "time: --set cluster.time=D-HH:MM:SS."
            )
            _fail(order, runs, FailureKind.TIME_LIMIT, message, "")
            sys.stderr.write(f"kdreid: {message}\n")
            return ExitCode.FAILED
    return ExitCode.REQUEUE


def _reached(order: JobSpec, runs: Path) -> tuple[int, int]:
    """How many runs are done, and how many steps the others have on disk."""
    import torch

    from harness.runs.record import CHECKPOINT, RECORD

    done = sum((runs / key / RECORD).exists() for key in order.runs)
    steps = 0
    for path in (runs / key / CHECKPOINT for key in order.runs):
        if path.exists():
            state = torch.load(path, map_location="cpu", mmap=True, weights_only=True)
            steps += int(state["step"])
    return done, steps


def _fail(order: JobSpec, runs: Path, kind: FailureKind, message: str, trace: str) -> None:
    """Tell of a failure in each run that is not done and that nobody else works on."""
    from harness.core.lease import current_holder
    from harness.execution.worker_inputs import read_specs
    from harness.runs.record import RECORD, write_failure

    for spec in read_specs(order, runs):
        folder = runs / spec.key
        if not (folder / RECORD).exists() and current_holder(folder) is None:
            write_failure(runs, spec, kind, message, trace)


if __name__ == "__main__":
    sys.exit(main())

"""Wait until all jobs of a plan have ended."""

from __future__ import annotations

import time

from harness.core.progress import Reporter
from harness.execution.cluster.pending import active_jobs
from harness.execution.cluster.submit import SubmitOptions
from harness.planning.plan import Plan
from slurm.queue import query_jobs

POLL_SECONDS = 15.0


def watch_jobs(plan: Plan, options: SubmitOptions, reporter: Reporter) -> None:
    """Wait for the jobs of a plan's runs, and report when their states change.

    Interrupting the wait leaves the jobs alone. It continues while the queue does not answer.

    Raises:
        SlurmError: The queue does not answer at the beginning.
    """
    ids = sorted(set(active_jobs([spec.key for spec in plan.specs], plan.runs).values()))
    last_line = ""
    while True:
        snapshot = query_jobs(ids)
        states = [snapshot.jobs[name].state.lower() for name in ids if name in snapshot.jobs]
        counts = {state: states.count(state) for state in dict.fromkeys(states)}
        line = ", ".join(f"{count} {state}" for state, count in counts.items())
        if line and line != last_line:
            reporter.info(f"{time.strftime('%H:%M:%S')} jobs on {options.cluster}: {line}")
            last_line = line
        if snapshot.complete and all(job.is_finished for job in snapshot.jobs.values()):
            return
        time.sleep(POLL_SECONDS)

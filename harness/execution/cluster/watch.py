"""Wait until all jobs of a plan have ended."""

from __future__ import annotations

import time

from harness.core.progress import Reporter
from harness.execution.cluster.pending import active_jobs
from harness.execution.cluster.submit import SubmitOptions
from harness.planning.plan import Plan
from slurm.queue import query_jobs

POLL = 15.0  # seconds


def watch_jobs(plan: Plan, options: SubmitOptions, reporter: Reporter) -> None:
    """Return when every job of these runs has ended; interrupting this leaves the jobs alone."""
    ids = sorted(set(active_jobs([spec.key for spec in plan.specs], plan.runs).values()))
    told = ""
    while True:
        seen = query_jobs(ids)
        states = [seen.jobs[name].state.lower() for name in ids if name in seen.jobs]
        counts = {state: states.count(state) for state in dict.fromkeys(states)}
        going = [job for job in seen.jobs.values() if not job.is_finished]
        line = ", ".join(f"{count} {state}" for state, count in counts.items())
        if line and line != told:
            reporter.info(f"{time.strftime('%H:%M:%S')} jobs on {options.cluster}: {line}")
            told = line
        if seen.complete and not going:
            return
        time.sleep(POLL)

"""`kdreid run --cluster NAME`: the plan's missing runs as jobs, on a cluster or in a local pool."""

from __future__ import annotations

import shlex
import sys
from dataclasses import replace
from pathlib import Path

from harness.cli.manner import ExecutionOptions
from harness.cli.printing import show_plan, show_report
from harness.core.errors import ExitCode, UsageError
from harness.core.progress import Reporter
from harness.core.signals import handle_signals
from harness.execution.cluster.group import Submission
from harness.execution.cluster.local_pool import run_local_pool
from harness.execution.cluster.profile import load_profile, split_cluster_overrides
from harness.execution.cluster.submit import SubmitOptions, print_submission, submit_grid
from harness.execution.cluster.watch import watch_jobs
from harness.planning.plan import Plan, RunRequest, make_plan
from harness.plugins.lookup import known_methods
from harness.runs.folder_state import local_state


def run_on_cluster(
    request: RunRequest, cluster: str, how: ExecutionOptions, reporter: Reporter
) -> int:
    """Plan for the profile's machines and submit, or show what would be; the exit code.

    Raises:
        UsageError: the profile or what was asked for is wrong.
        SetupError: data, weights or a writable runs folder are missing.
        SlurmError: the cluster refuses the jobs or does not answer.
    """
    profile = load_profile(cluster)
    ours, others = split_cluster_overrides(request.overrides)
    request = replace(request, overrides=others)
    _require_no_other_device(request)
    profile.require_names(known_methods())
    with handle_signals() as stop:
        plan = make_plan(
            request, reporter, lambda dataset: profile.device_and_threads(dataset, ours)
        )
        options = SubmitOptions(
            cluster,
            profile,
            ours,
            how.max_parallel,
            how.retry,
            how.checkpoint_every,
            request.allow_partial,
            shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        )
        if how.dry_run:
            return _show(plan, options, as_json=how.as_json)
        stop.raise_if_requested()
        if profile.kind == "local":
            return _report(plan, run_local_pool(plan, options, stop, reporter.info), reporter)
        group = submit_grid(plan, options, reporter.info)
    return _submitted(plan, group, options, reporter, watch=how.watch)


def _require_no_other_device(request: RunRequest) -> None:
    if request.device != "auto":
        raise UsageError(
            "With --cluster the profile says the device: --set cluster.gpus=0 for the CPU."
        )
    if request.threads is not None:
        raise UsageError("With --cluster the profile says the threads: --set cluster.cpus=N.")


def _show(plan: Plan, options: SubmitOptions, *, as_json: bool) -> int:
    show_plan(plan, as_json=as_json)
    if not as_json and options.profile.kind == "slurm":
        print_submission(plan, options, print_line)
    return ExitCode.DONE


def print_line(text: str) -> None:
    """One line to standard output."""
    sys.stdout.write(f"{text}\n")


def _submitted(
    plan: Plan, group: Submission | None, options: SubmitOptions, reporter: Reporter, *, watch: bool
) -> int:
    """Say what was submitted and what to do next; wait for it if asked to."""
    place = f" --runs {plan.runs}" if plan.runs != Path("runs") else ""
    if group is None:
        done = all(local_state(plan.runs / spec.key) == "done" for spec in plan.specs)
        following = "report" if done else "status"
        reporter.info(f"Nothing to submit. Next: kdreid {following}{place}")
    else:
        runs = sum(len(job.runs) for job in group.jobs)
        reporter.info(f"group {group.name}: {runs} runs in {len(group.jobs)} jobs submitted")
        reporter.info(f"Next: kdreid status{place}")
    if not watch:
        return ExitCode.DONE
    watch_jobs(plan, options, reporter)
    left = {spec.key: "is not done; kdreid status says how it stands" for spec in plan.specs}
    return _report(plan, left, reporter)


def _report(plan: Plan, unfinished: dict[str, str], reporter: Reporter) -> int:
    """Print the tables and what is missing from them; the exit code."""
    show_report(plan.runs)
    states = {spec.key: local_state(plan.runs / spec.key) for spec in plan.specs}
    lacking = {key: state for key, state in states.items() if state != "done"}
    reporter.info(f"{len(states) - len(lacking)} of {len(states)} runs are done.")
    for key, state in lacking.items():
        reporter.info(f"{state}: {key}: {unfinished.get(key, '')}")
    if not lacking:
        return ExitCode.DONE
    elsewhere = ("has a job", "is worked on")
    if all(unfinished.get(key, "").startswith(elsewhere) for key in lacking):
        return ExitCode.INCOMPLETE
    reporter.info("The same command tries them again; each folder's failure.json says more.")
    return ExitCode.FAILED

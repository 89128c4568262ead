"""Print what `kdreid run` did: tables, states of the runs, and the last line."""

from __future__ import annotations

from collections.abc import Container, Mapping
from pathlib import Path

from harness.cli.printing import print_report
from harness.core.errors import ExitCode, UnwritableFileError
from harness.execution.cluster.submission import Submission
from harness.execution.in_process import Outcome
from harness.planning.plan import Plan
from harness.planning.similar_runs import describe_similar_runs
from harness.runs.folder_state import RunFolder, inspect_run_folder, local_state
from harness.runs.record import failure_kind
from harness.runs.states import FailureKind, RunState


def report_notes(plan: Plan) -> None:
    """Print a plan's notes, and the finished runs that differ from it in one field."""
    for note in (*plan.notes, *describe_similar_runs(plan.specs, plan.runs)):
        plan.context.reporter.info(f"note: {note}")


def print_outcome(plan: Plan, outcome: Outcome) -> ExitCode:
    """Print the tables, why runs failed, and how many are done; return the exit code."""
    has_report = _print_tables(plan)
    for key, reason in outcome.failed.items():
        plan.context.reporter.info(f"failed: {key}: {reason}")
    for problem in outcome.unusable.values():
        plan.context.reporter.result(f"not trained: {problem}")
    if outcome.failed:
        plan.context.reporter.info(_failures_hint(plan.runs))
    unusable = f", {len(outcome.unusable)} with unusable files" if outcome.unusable else ""
    plan.context.reporter.result(
        f"{len(outcome.done)} runs done now, {len(outcome.done_before)} were done before, "
        f"{len(outcome.failed)} failed{unusable}. Report: {plan.runs / 'report'}"
    )
    return outcome.exit_code if has_report else ExitCode.ENVIRONMENT


def print_submitted(plan: Plan, submission: Submission | None) -> ExitCode:
    """Print what was submitted and the next command; None: every run is done or has a job.

    Returns:
        DONE, or ENVIRONMENT if files of a run cannot be read, so that it was not submitted.
    """
    states = _states(plan).values()
    if submission is None:
        is_done = all(state is RunState.DONE for state in states)
        command = f"kdreid {'report' if is_done else 'status'}{_runs_option(plan.runs)}"
        plan.context.reporter.result(f"Nothing to submit. Next: {command}")
    else:
        plan.context.reporter.result(
            f"{submission.describe()}\nNext: kdreid status{_runs_option(plan.runs)}"
        )
    return ExitCode.ENVIRONMENT if RunState.UNREADABLE in states else ExitCode.DONE


def print_states(
    plan: Plan, unfinished: Mapping[str, str], active: Container[str] = frozenset()
) -> ExitCode:
    """Print the tables and the runs that are missing in them.

    Args:
        plan: The plan that was carried out.
        unfinished: Why runs are not done, by key.
        active: Keys of runs that another process or job has.

    Returns:
        DONE, INCOMPLETE if other processes have all that is missing, ENVIRONMENT if files of a run
        cannot be read or trusted or the report cannot be written, otherwise FAILED.
    """
    has_report = _print_tables(plan)
    states = _states(plan)
    missing = {key: state for key, state in states.items() if state is not RunState.DONE}
    folders = {key: inspect_run_folder(plan.runs / key) for key in missing}
    lacking = {key: message for key, folder in folders.items() if (message := _lacking(folder))}
    reasons = {
        key: folder.problem or lacking.get(key) or unfinished.get(key, "")
        for key, folder in folders.items()
    }
    for key, state in missing.items():
        plan.context.reporter.info(f"{state}: {key}: {reasons[key]}")
    code = ExitCode.DONE
    if missing:
        is_active = all(key in active for key in missing)
        code = ExitCode.INCOMPLETE if is_active else ExitCode.FAILED
    if RunState.UNREADABLE in missing.values() or lacking or not has_report:
        code = ExitCode.ENVIRONMENT
    if code is ExitCode.FAILED:
        plan.context.reporter.info(_failures_hint(plan.runs))
    plan.context.reporter.result(
        f"{len(states) - len(missing)} of {len(states)} runs are done. "
        f"Report: {plan.runs / 'report'}"
    )
    return code


def _lacking(folder: RunFolder) -> str:
    """Return what a run lacked: data, weights or a teacher; empty if that is not why it failed."""
    failure = folder.failure or {}
    is_setup = bool(failure) and failure_kind(failure) is FailureKind.SETUP
    return str(failure.get("message")) if is_setup else ""


def _print_tables(plan: Plan) -> bool:
    """Print the tables; return whether they have all runs of the plan and could be written."""
    try:
        refused = print_report(plan.runs)
    except UnwritableFileError as error:  # more lines are to be printed
        plan.context.reporter.info(f"kdreid: {error}")
        return False
    return not any(f"/{spec.key}/" in sentence for spec in plan.specs for sentence in refused)


def _states(plan: Plan) -> dict[str, RunState]:
    return {spec.key: local_state(plan.runs / spec.key) for spec in plan.specs}


def _failures_hint(runs: Path) -> str:
    return (
        "The same command retries failed runs. "
        f"Causes and fixes: kdreid failures{_runs_option(runs)}"
    )


def _runs_option(runs: Path) -> str:
    """Return the option that names a runs folder in a command; empty for the default."""
    return "" if runs == Path("runs") else f" --runs {runs}"

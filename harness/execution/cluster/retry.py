"""Train failed runs again, unchanged or with other settings, where they ran before."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import torch

from harness.core.devices import find_device
from harness.core.errors import ExitCode, UsageError
from harness.core.files import ensure_writable, file_exists, read_json
from harness.core.progress import Reporter
from harness.core.session import RunContext
from harness.core.signals import handle_signals
from harness.core.text import printable
from harness.core.yaml import config_names
from harness.execution.cluster.failures import describe_unusable_spec, failed_runs
from harness.execution.cluster.profile import Profile, load_profile
from harness.execution.cluster.run_status import RunStatus
from harness.execution.cluster.status import read_status
from harness.execution.cluster.submit import SubmitOptions, submit_grid
from harness.execution.in_process import InProcessExecutor
from harness.planning.names import resolve_methods, resolve_recorded_methods
from harness.planning.overrides import override_spec
from harness.planning.plan import DEFAULT_COHORT_SIZE
from harness.planning.reopen import InputLocations, rebuild_plan
from harness.planning.weights import require_used_weights
from harness.runs.layout import RECORD, SPEC
from harness.runs.lookup import list_run_keys, resolve_runs
from harness.runs.record import read_teacher_keys
from harness.runs.spec import RunSpec
from harness.runs.stored_spec import check_spec

INLINE = "inline"  # in place of a profile: this process
PRINTED_RUNS = 6
WORKERS = 2  # data-loading threads


@dataclass(frozen=True, slots=True)
class RetryRequest:
    """Choice of the failed runs to train again, with changes and place."""

    runs: Path
    causes: Sequence[str] = ()  # none: all
    overrides: Sequence[str] = ()  # of recipe and method: they make other runs
    cluster: str | None = None  # a profile or `inline`; None: where each run was last
    cluster_overrides: Sequence[str] = ()  # cluster.NAME=VALUE
    methods: Sequence[str] = ()  # of another origin, whose code may be imported
    inputs: InputLocations = field(default_factory=InputLocations)
    cohort_size: int = DEFAULT_COHORT_SIZE


def retry_runs(handles: Sequence[str], request: RetryRequest, reporter: Reporter) -> int:
    """Train failed runs again; return the exit code.

    Args:
        handles: Names of the runs; none: all that failed, of the request's causes.
        request: Settings and place.
        reporter: Receives progress and results.

    Returns:
        0 if all runs ended well or were submitted, 1 if some failed again.

    Raises:
        UsageError: A name, cause or setting is wrong, or no such run has failed.
        SetupError: Data, weights or a device are missing.
        SlurmError: The cluster refuses the jobs.
        RunInterrupted: A stop was requested while runs were trained in this process.
    """
    resolve_methods(request.methods)  # their code may be imported from here on
    rows = _choose(handles, request)
    ensure_writable(request.runs)
    specs_by_cluster: dict[str, list[RunSpec]] = {}
    for row in rows:
        spec = _read_spec(request.runs, row.key)
        if request.overrides:
            _require_no_students(row.key, request.runs)
            (method,) = resolve_recorded_methods([spec.method])
            spec = override_spec(spec, request.overrides, method)
        cluster = request.cluster or _earlier_cluster(row)
        specs = specs_by_cluster.setdefault(cluster, [])
        specs += [t for t in spec.teachers if not file_exists(request.runs / t.key / RECORD)]
        specs.append(spec)
    require_used_weights(
        request.inputs.pretrained_files, chain.from_iterable(specs_by_cluster.values())
    )
    code: int = ExitCode.DONE
    for cluster, specs in specs_by_cluster.items():
        unique = list(dict.fromkeys(specs))
        code = max(code, _submit_or_run(cluster, unique, request, reporter))
    return code


def _earlier_cluster(row: RunStatus) -> str:
    """Return the profile that a run was last submitted with, if it is one of this program's.

    Its name stands in a file of the runs folder, so a path there is not followed.

    Raises:
        UsageError: It is not.
    """
    if not row.cluster:
        return INLINE
    if row.cluster not in config_names("cluster"):
        raise UsageError(
            f"{row.key} was last submitted with the profile {printable(row.cluster)!r}, which is "
            "none of this program's: name the profile with --cluster NAME or --cluster FILE.yaml, "
            f"or --cluster {INLINE} to train here."
        )
    return row.cluster


def _choose(handles: Sequence[str], request: RetryRequest) -> list[RunStatus]:
    """Return the failed runs to train, and the runs that are blocked by one of them.

    Raises:
        UsageError: There are none.
    """
    failures = failed_runs(request.runs, handles, request.causes)
    if not failures:
        if handles:
            states = {row.key: row.state for row in read_status(request.runs).rows}
            keys = resolve_runs(handles, request.runs)[:PRINTED_RUNS]
            described = ", ".join(f"{key} is {states[key]}" for key in keys)
            raise UsageError(f"Nothing to retry: {described}.")
        cause = f" by {', '.join(request.causes)}" if request.causes else ""
        raise UsageError(f"No run in {request.runs} failed{cause}; kdreid status shows all runs.")
    chosen = {failure.row.key: failure.row for failure in failures}
    if not handles and not request.overrides:
        for failure in failed_runs(request.runs, causes=["blocked"]):
            if not chosen.keys().isdisjoint(read_teacher_keys(request.runs / failure.row.key)):
                chosen.setdefault(failure.row.key, failure.row)
    return list(chosen.values())


def _read_spec(runs: Path, key: str) -> RunSpec:
    """Read a run from its folder, and check that the present code would still train that run.

    Raises:
        UsageError: The file, the program or the method's code has changed since it was planned, or
            the method is of another origin and was not named by the user.
    """
    content = read_json(runs / key / SPEC) or {}
    try:
        spec = RunSpec.from_json(content)
    except ValueError as error:
        raise UsageError(
            f"{key} was planned by another version of this program: {error}. Plan it again with "
            "kdreid run."
        ) from error
    try:
        check_spec(content, key)
    except ValueError as error:
        raise UsageError(describe_unusable_spec(key, error)) from error
    (method,) = resolve_recorded_methods([spec.method])
    resolve_recorded_methods(teacher.method for teacher in spec.teachers)
    if method.digest != spec.source:
        raise UsageError(
            f"The code of {spec.method} has changed since {key} was planned, so it would be "
            "another run now. Plan it again with kdreid run."
        )
    return spec


def _require_no_students(key: str, runs: Path) -> None:
    """Check that no run has this one as its teacher: the teacher is part of a student's key.

    Raises:
        UsageError: A run has it as its teacher.
    """
    for other in list_run_keys(runs):
        if key in read_teacher_keys(runs / other):
            raise UsageError(
                f"{key} is the teacher of {other}; changing it would change that run's key. Plan "
                "both with kdreid run --set teacher_recipe.NAME=VALUE."
            )


def _submit_or_run(
    cluster: str, specs: Sequence[RunSpec], request: RetryRequest, reporter: Reporter
) -> int:
    """Submit runs to a cluster, or train them in this process; return the exit code."""
    profile = None if cluster == INLINE else load_profile(cluster)
    if profile is None or profile.kind == "local":
        return max(_run_here(group, request, reporter) for group in _group_by_device(specs))
    _require_device(specs, profile, request)
    context = RunContext(
        runs=request.runs,
        reporter=reporter,
        workers=WORKERS,
        device_name=specs[0].device,
    )
    plan = rebuild_plan(specs, request.inputs, context, request.cohort_size)
    options = SubmitOptions(
        cluster=cluster,
        profile=profile,
        overrides=request.cluster_overrides,
        retry_diverged=True,
        allow_partial=request.inputs.allow_partial,
        command=shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
    )
    if submission := submit_grid(plan, options, reporter.info):
        reporter.result(submission.describe())
    reporter.result(f"Next: kdreid status --runs {request.runs}")
    return ExitCode.DONE


def _require_device(specs: Sequence[RunSpec], profile: Profile, request: RetryRequest) -> None:
    """Check that a profile gives each run the device that is part of its key.

    Raises:
        UsageError: It gives another.
    """
    for spec in specs:
        resources = profile.resources(spec.dataset, spec.method, request.cluster_overrides)
        if resources.wants_gpu != (spec.device == "cuda"):
            raise UsageError(
                f"{spec.key} is a run on {spec.device}, but the profile requests "
                f"{'a GPU' if resources.wants_gpu else 'no GPU'}. Choose another --cluster."
            )


def _group_by_device(specs: Iterable[RunSpec]) -> list[list[RunSpec]]:
    """Group runs by the device and the threads that are part of their keys."""
    groups: dict[tuple[str, int], list[RunSpec]] = {}
    for spec in specs:
        groups.setdefault((spec.device, spec.threads), []).append(spec)
    return list(groups.values())


def _run_here(specs: Sequence[RunSpec], request: RetryRequest, reporter: Reporter) -> int:
    """Train runs of one device in this process; return the exit code."""
    device = find_device(specs[0].device)
    if specs[0].threads:
        torch.set_num_threads(specs[0].threads)
    with handle_signals() as stop:
        context = RunContext(
            runs=request.runs,
            reporter=reporter,
            workers=WORKERS,
            device_name=str(device),
            stop=stop,
        )
        plan = rebuild_plan(specs, request.inputs, context, request.cohort_size)
        executor = InProcessExecutor(plan.context, plan.open_data, retry_diverged=True)
        outcome = executor.launch(plan.cohorts)
    for key, reason in outcome.failed.items():
        reporter.info(f"failed: {key}: {reason}")
    for problem in outcome.unusable.values():
        reporter.info(f"not trained: {problem}")
    reporter.result(f"{len(outcome.done)} runs done now, {len(outcome.failed)} failed.")
    return outcome.exit_code

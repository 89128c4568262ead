"""Trying failed runs again, as they were or with other settings, where they ran before."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from harness.core.devices import find_device
from harness.core.errors import ExitCode, UsageError
from harness.core.files import ensure_writable, read_json
from harness.core.progress import Reporter
from harness.core.session import RunContext
from harness.core.signals import handle_signals
from harness.execution.cluster.failures import failed_runs
from harness.execution.cluster.profile import Profile, load_profile
from harness.execution.cluster.status import RunStatus, status
from harness.execution.cluster.submit import SubmitOptions, submit_grid
from harness.execution.in_process import InProcessExecutor
from harness.planning.change import override_spec
from harness.planning.plan import DEFAULT_COHORT_SIZE
from harness.planning.reopen import InputLocations, rebuild_plan
from harness.plugins.digest import method_digest
from harness.plugins.lookup import resolve_method
from harness.runs.lookup import resolve_runs
from harness.runs.record import RECORD, SPEC
from harness.runs.spec import RunSpec

INLINE = "inline"  # the cluster that is this process


@dataclass(frozen=True, slots=True)
class RetryRequest:
    """What the command line says of a retry."""

    runs: Path
    only: Sequence[str] = ()  # causes
    changes: Sequence[str] = ()  # of --with
    cluster: str | None = None  # None: where each run was last
    cluster_settings: Sequence[str] = ()  # of --set
    inputs: InputLocations = field(default_factory=InputLocations)
    pack: int = DEFAULT_COHORT_SIZE


def retry(words: Sequence[str], how: RetryRequest, reporter: Reporter) -> int:
    """Try again; 0 if all ended well or were submitted, 1 if some failed again.

    Raises:
        UsageError: a name, cause or setting is wrong, or nothing failed so.
        SetupError: data, weights or a device are missing.
        SlurmError: the cluster refuses the jobs.
    """
    rows = _chosen(words, how)
    ensure_writable(how.runs)
    by_place: dict[str, list[RunSpec]] = {}
    for row in rows:
        spec = _read(how.runs, row.key)
        if how.changes:
            _require_no_students(row.key, how.runs)
            spec = override_spec(spec, how.changes)
        place = how.cluster or row.cluster or INLINE
        members = by_place.setdefault(place, [])
        members += [t for t in spec.teachers if not (how.runs / t.key / RECORD).exists()]
        members.append(spec)
    code: int = ExitCode.DONE
    for place, specs in by_place.items():
        code = max(code, _submit_or_run(place, list(dict.fromkeys(specs)), how, reporter))
    return code


def _chosen(words: Sequence[str], how: RetryRequest) -> list[RunStatus]:
    """The failed runs that are meant, and those that only wait for one of them.

    Raises:
        UsageError: there are none.
    """
    failed = failed_runs(how.runs, words, how.only)
    if not failed:
        if words:
            states = {row.key: row.state for row in status(how.runs).rows}
            named = ", ".join(
                f"{key} is {states[key]}" for key in resolve_runs(words, how.runs)[:6]
            )
            raise UsageError(f"Nothing to retry: {named}.")
        request = f" by {', '.join(how.only)}" if how.only else ""
        raise UsageError(f"No run in {how.runs} failed{request}; kdreid status shows them all.")
    chosen = {one.row.key: one.row for one in failed}
    if not words and not how.changes:
        for one in failed_runs(how.runs):
            taught = (read_json(how.runs / one.row.key / SPEC) or {}).get("teachers") or []
            if one.cause == "blocked" and any(t.get("key") in chosen for t in taught):
                chosen.setdefault(one.row.key, one.row)
    return list(chosen.values())


def _read(runs: Path, key: str) -> RunSpec:
    """A run as its folder tells it, if the present code would still train that run.

    Raises:
        UsageError: the program or the method's code has changed since.
    """
    try:
        spec = RunSpec.from_json(read_json(runs / key / SPEC) or {})
    except ValueError as error:
        raise UsageError(
            f"{key} was planned by another version of this program: {error}. Plan it anew with "
            "kdreid run."
        ) from error
    if method_digest(resolve_method(spec.method)) != spec.source:
        raise UsageError(
            f"The code of {spec.method} has changed since {key} was planned, so it is another run "
            "now. Plan it with kdreid run."
        )
    return spec


def _require_no_students(key: str, runs: Path) -> None:
    """A changed teacher is another teacher, so its students would be other runs.

    Raises:
        UsageError: the run teaches another.
    """
    for row in status(runs).rows:
        taught = (read_json(runs / row.key / SPEC) or {}).get("teachers") or []
        if any(teacher.get("key") == key for teacher in taught):
            raise UsageError(
                f"{key} teaches {row.key}, which would be another run after a change. Plan both "
                "with kdreid run --set teacher_recipe.NAME=VALUE."
            )


def _submit_or_run(
    place: str, specs: Sequence[RunSpec], how: RetryRequest, reporter: Reporter
) -> int:
    """Carry runs out in this process, or submit them to their cluster; the exit code."""
    profile = None if place == INLINE else load_profile(place)
    if profile is None or profile.kind == "local":
        return max(_here(some, how, reporter) for some in _alike(specs))
    _require_device(specs, profile, how)
    plan = rebuild_plan(specs, how.runs, how.inputs, how.pack, reporter)
    command = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
    options = SubmitOptions(
        place,
        profile,
        how.cluster_settings,
        retry=True,
        command=command,
        allow_partial=how.inputs.allow_partial,
    )
    if group := submit_grid(plan, options, reporter.info):
        runs = sum(len(job.runs) for job in group.jobs)
        reporter.info(f"group {group.name}: {runs} runs in {len(group.jobs)} jobs submitted")
    reporter.info(f"Next: kdreid status --runs {how.runs}")
    return ExitCode.DONE


def _require_device(specs: Sequence[RunSpec], profile: Profile, how: RetryRequest) -> None:
    """A run's device is part of its key, so the profile must give that one.

    Raises:
        UsageError: it gives another.
    """
    for spec in specs:
        wanted = profile.resources(spec.dataset, spec.method, how.cluster_settings)
        if wanted.wants_gpu != (spec.device == "cuda"):
            raise UsageError(
                f"{spec.key} is a run on {spec.device}, but the profile gives "
                f"{'a GPU' if wanted.wants_gpu else 'no GPU'}. Choose another --cluster."
            )


def _alike(specs: Iterable[RunSpec]) -> list[list[RunSpec]]:
    """Runs by the device and the threads that are part of their keys."""
    found: dict[tuple[str, int], list[RunSpec]] = {}
    for spec in specs:
        found.setdefault((spec.device, spec.threads), []).append(spec)
    return list(found.values())


def _here(specs: Sequence[RunSpec], how: RetryRequest, reporter: Reporter) -> int:
    device = find_device(specs[0].device)
    if specs[0].threads:
        torch.set_num_threads(specs[0].threads)
    plan = rebuild_plan(specs, how.runs, how.inputs, how.pack, reporter)
    with handle_signals() as stop:
        context = RunContext(
            runs=how.runs,
            reporter=reporter,
            workers=plan.workers,
            device=device,
            stop=stop,
            pretrained_files=plan.pretrained_files,
        )
        outcome = InProcessExecutor(context, plan.open_data, retry_diverged=True).launch(
            plan.cohorts
        )
    reporter.info(f"{len(outcome.done)} runs done now, {len(outcome.failed)} failed.")
    for key, reason in outcome.failed.items():
        reporter.info(f"failed: {key}: {reason}")
    return ExitCode.FAILED if outcome.failed else ExitCode.DONE

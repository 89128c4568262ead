"""Take finished runs for the teacher of a plan, as `--teacher-run` names them."""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.errors import UsageError
from harness.core.override import parse_override
from harness.data.dataset import Dataset
from harness.models import ENSEMBLES, NETWORKS
from harness.planning.overrides import TEACHER_RECIPE
from harness.planning.request import BASELINE, RunRequest
from harness.runs.lookup import resolve_specs
from harness.runs.spec import RunSpec

OPTION = "--teacher-run"


def find_teacher_runs(request: RunRequest) -> tuple[RunSpec, ...]:
    """Return the finished runs that a request names as its teacher; none if it names none.

    Args:
        request: As typed. Several runs form an ensemble.

    Raises:
        UsageError: A word names no run or several, a run cannot teach, or another option
            describes the teacher, too.
        SetupError: There is no runs folder, a run is not done, or another version made it.
    """
    if not request.teacher_run:
        return ()
    runs = tuple(resolve_specs(request.teacher_run, request.runs))
    problems = [problem for run in runs if (problem := _describe_unfit(run))]
    networks = tuple(run.network for run in runs)
    if len(runs) > 1 and networks not in ENSEMBLES.values():
        problems.append(
            f"{OPTION} names {len(runs)} runs, but their networks ({', '.join(networks)}) form no "
            f"ensemble. Name one run, or those of {' or '.join(ENSEMBLES)}."
        )
    if len({run.recipe.size for run in runs}) > 1:
        problems.append(f"{OPTION} names runs whose images have different sizes.")
    problems += _conflicts(request, networks)
    if problems:
        raise UsageError(*problems)
    return runs


def require_same_data(runs: Sequence[RunSpec], dataset: Dataset) -> None:
    """Check that runs that teach were trained on the images of their students.

    Raises:
        UsageError: They were not.
    """
    for run in runs:
        if run.dataset != dataset.name:
            raise UsageError(
                f"{OPTION} names {run.key}, which was trained on {run.dataset}, but the students "
                f"are to be trained on {dataset.name}."
            )
        if run.fingerprint != dataset.fingerprint:
            raise UsageError(
                f"{OPTION} names {run.key}, which was trained on other images of {run.dataset}: "
                f"its data have the fingerprint {run.fingerprint}, those of the students "
                f"{dataset.fingerprint}."
            )


def _describe_unfit(run: RunSpec) -> str:
    """Return why a finished run cannot teach; empty if it can."""
    if run.teachers or run.method != BASELINE:
        return (
            f"{OPTION} names {run.key}, which was itself taught with {run.method}. A teacher is a "
            f"run of the method {BASELINE}."
        )
    if run.network not in NETWORKS:
        return f"{OPTION} names {run.key}, whose network this version does not have."
    return ""


def _conflicts(request: RunRequest, networks: tuple[str, ...]) -> list[str]:
    """Return a sentence for each option that describes another teacher."""
    problems = []
    if request.teacher and ENSEMBLES.get(request.teacher, (request.teacher,)) != networks:
        problems.append(
            f"--teacher {request.teacher} is not the network of {OPTION} ({', '.join(networks)}). "
            "Give one of the two."
        )
    if request.teacher_seed is not None:
        problems.append(
            f"{OPTION} names a run, whose seed is part of it. Leave out --teacher-seed."
        )
    for text in request.overrides:
        if text.partition(".")[0].strip() == TEACHER_RECIPE:
            problems.append(
                f"{OPTION} names a run that is trained already. Leave out --set "
                f"{parse_override(text).section}.{parse_override(text).name}."
            )
    return problems

"""Turn runs on disk back into a plan, with the data and the weights that they were planned with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.core.errors import SetupError
from harness.core.files import read_json
from harness.core.session import RunContext
from harness.models import NETWORKS
from harness.models.pretrained import weights_digest
from harness.planning.grid import pack_cohorts
from harness.planning.plan import Plan
from harness.planning.run_data import candidate_roots, dataset_of_run
from harness.planning.weights import find_given_weights, names_of_weights
from harness.runs.layout import GROUPS
from harness.runs.spec import RunSpec
from harness.runs.submissions import last_submission

JobFile = Mapping[str, object]  # of a worker, as JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class InputLocations:
    """Places of data and weights that take precedence over those that the runs had before."""

    data_root: Path | None = None
    pretrained_files: Mapping[str, Path] = field(default_factory=dict)  # by network
    allow_partial: bool = False


def rebuild_plan(
    specs: Sequence[RunSpec], inputs: InputLocations, context: RunContext, cohort_size: int
) -> Plan:
    """Return the plan of some runs, with the data and weights that their keys contain.

    Args:
        specs: The runs.
        inputs: Where to search for data and weights first.
        context: Runs folder, device, workers and reporter of the plan.
        cohort_size: Largest number of runs in a cohort.

    Raises:
        SetupError: Data or weights are missing, or are not those of the runs.
    """
    job_files = [read_json(path) or {} for path in _last_job_files(specs, context.runs)]
    datasets, roots, weights = {}, {}, {}
    for spec in specs:
        if spec.dataset not in datasets:
            recorded = [
                Path(str(job["data_root"]))
                for job in job_files
                if job.get("dataset") == spec.dataset
            ]
            datasets[spec.dataset], roots[spec.dataset] = dataset_of_run(
                spec,
                candidate_roots(spec.dataset, context.runs, recorded, inputs.data_root),
                context,
                allow_partial=inputs.allow_partial,
            )
        if spec.weights != "none":
            weights[spec.network] = _weights_of_run(spec, job_files, inputs)
    return Plan(
        cohorts=pack_cohorts(specs, cohort_size),
        datasets=datasets,
        context=replace(context, pretrained_files=weights),
        roots=roots,
    )


def _last_job_files(specs: Sequence[RunSpec], runs: Path) -> Iterator[Path]:
    """Yield the job files of the runs' last submissions."""
    for spec in specs:
        if last := last_submission(runs, spec.key):
            yield runs / GROUPS / last.group / f"{last.number}.json"


def _weights_of_run(spec: RunSpec, job_files: Sequence[JobFile], inputs: InputLocations) -> Path:
    """Return the file of initial weights whose digest is part of a run's key.

    Raises:
        SetupError: It is missing or has changed.
    """
    given = inputs.pretrained_files
    if given.keys().isdisjoint(names_of_weights(spec.network)):
        for job in job_files:
            files = job.get("weights")
            path = files.get(spec.network) if isinstance(files, dict) else None
            if path and Path(path).is_file() and weights_digest(Path(path)) == spec.weights:
                return Path(path)
    published = NETWORKS[spec.network].pretrained or spec.network
    path = find_given_weights(spec.network, published, given)
    if weights_digest(path) != spec.weights:
        raise SetupError(
            f"{path} does not hold the weights that {spec.key} was planned with. Name their file "
            f"with --weights {spec.network}=FILE, or plan the run again with kdreid run."
        )
    return path

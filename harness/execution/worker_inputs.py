"""Open a worker's inputs, and compare them with what the keys of its runs contain."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.core.errors import SetupError
from harness.core.files import file_exists, read_json
from harness.core.lease import current_holder, describe_holder
from harness.core.session import RunContext
from harness.data.dataset import Dataset
from harness.execution.cluster.job_spec import JobSpec
from harness.models.pretrained import weights_digest
from harness.planning.run_data import dataset_of_run
from harness.plugins.digest import method_digest
from harness.plugins.lookup import resolve_method
from harness.runs.layout import RECORD, SPEC
from harness.runs.spec import RunSpec
from harness.runs.stored_spec import check_spec

POLL_SECONDS = 2.0


def read_specs(job_spec: JobSpec, runs: Path) -> list[RunSpec]:
    """Return the runs of a job, from their folders.

    Raises:
        SetupError: A folder has no spec, or one of another version of this program.
    """
    specs = []
    for key in job_spec.runs:
        path = runs / key / SPEC
        content = read_json(path)
        if content is None:
            raise SetupError(f"There is no {path}. Is the runs folder visible on this machine?")
        try:
            specs.append(RunSpec.from_json(content))
            check_spec(content, key)
        except ValueError as error:
            raise SetupError(f"{path} does not fit this code: {error}.") from error
    return specs


def open_inputs(
    job_spec: JobSpec, specs: Sequence[RunSpec], context: RunContext
) -> tuple[Dataset, dict[str, Path]]:
    """Return the dataset and the files of initial weights that the runs were planned with.

    Args:
        job_spec: The job.
        specs: Its runs.
        context: Runs folder and reporter.

    Raises:
        SetupError: Data, weights or a method's code are missing or have changed.
    """
    root = Path(job_spec.data_root)
    if not root.is_dir():
        raise SetupError(
            f"The data root {root} does not exist on this machine. Put the data on a disk that the "
            "compute nodes can read, and name it with --data-root."
        )
    weights = {network: Path(path) for network, path in job_spec.weights.items()}
    for spec in specs:
        digest = method_digest(resolve_method(spec.method), spec.method)
        _require_unchanged(spec.method, digest, spec.source)
        if spec.device != job_spec.device.partition(":")[0]:
            raise SetupError(
                f"{spec.key} is a run on {spec.device}, but its job is on {job_spec.device}."
            )
        if spec.threads != job_spec.threads:  # other sums, and so other numbers
            raise SetupError(
                f"{spec.key} is a run with {spec.threads} threads, but its job has "
                f"{job_spec.threads}. Submit the run again."
            )
        if spec.weights != "none":
            _require_weights(spec, weights)
    dataset, _ = dataset_of_run(specs[0], [root], context, allow_partial=job_spec.allow_partial)
    for spec in specs:
        _require_unchanged(f"{spec.dataset} in {root}", dataset.fingerprint, spec.fingerprint)
    return dataset, weights


def wait_for_teachers(specs: Sequence[RunSpec], context: RunContext) -> None:
    """Return when the teachers of all runs are done; their files are checked when they are read.

    Raises:
        RunInterrupted: A stop was requested.
        SetupError: A teacher is not done, and no process trains it.
    """
    runs = context.runs
    for teacher in dict.fromkeys(teacher for spec in specs for teacher in spec.teachers):
        is_reported = False
        while not file_exists(runs / teacher.key / RECORD):
            context.stop.raise_if_requested()
            if current_holder(runs / teacher.key) is None and not _appears(runs, teacher):
                raise SetupError(f"The teacher {teacher.key} is not done. Run it first.")
            if not is_reported:
                work = f"trains the teacher {teacher.key}"
                context.reporter.info(describe_holder(runs / teacher.key, work))
                is_reported = True
            time.sleep(POLL_SECONDS)


def _appears(runs: Path, teacher: RunSpec) -> bool:
    """Return whether the record of a run that nobody holds appears after all.

    Its writer writes it and then releases the lease, possibly between the checks of the two.
    """
    time.sleep(POLL_SECONDS)
    return file_exists(runs / teacher.key / RECORD)


def _require_weights(spec: RunSpec, weights: Mapping[str, Path]) -> None:
    """Check the file of a run's initial weights.

    Raises:
        SetupError: It is missing or has changed.
    """
    path = weights.get(spec.network)
    if path is None or not path.is_file():
        raise SetupError(
            f"The weights {path} of {spec.network} do not exist on this machine. Put them on a "
            f"disk that the compute nodes can read: --weights {spec.network}=FILE."
        )
    _require_unchanged(str(path), weights_digest(path), spec.weights)


def _require_unchanged(what: str, digest: str, planned: str) -> None:
    if digest != planned:
        raise SetupError(
            f"{what} is not what the run was planned with (its digest is {digest}, not {planned}). "
            "Plan the runs again, or restore the former content."
        )

"""A worker's inputs, compared with what its runs' keys say of them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from harness.core.errors import SetupError
from harness.core.files import read_json
from harness.core.lease import current_holder
from harness.core.progress import Reporter
from harness.core.signals import StopRequest
from harness.data.dataset import Dataset
from harness.data.synthetic.generator import SyntheticSettings
from harness.execution.cluster.job_spec import JobSpec
from harness.models.pretrained import weights_digest
from harness.planning.datasets import open_dataset
from harness.planning.schema import load_dataset
from harness.plugins.digest import method_digest
from harness.plugins.lookup import resolve_method
from harness.runs.layout import RECORD, SPEC
from harness.runs.spec import RunSpec

POLL = 2.0  # seconds between two looks at a teacher in training


def read_specs(order: JobSpec, runs: Path) -> list[RunSpec]:
    """The runs of an order, from their folders.

    Raises:
        SetupError: a folder does not tell of its run, or of another version's.
    """
    specs = []
    for key in order.runs:
        path = runs / key / SPEC
        content = read_json(path)
        if content is None:
            raise SetupError(f"{path} cannot be read. Is the runs folder visible on this machine?")
        try:
            specs.append(RunSpec.from_json(content))
        except ValueError as error:
            raise SetupError(f"{path} does not fit this code: {error}.") from error
    return specs


def open_inputs(
    order: JobSpec, specs: Sequence[RunSpec], runs: Path, reporter: Reporter
) -> tuple[Dataset, dict[str, Path]]:
    """The dataset, and the files of initial weights, that the runs were planned with.

    Raises:
        SetupError: data, weights or a method's code are absent or are others than planned.
    """
    file = load_dataset(order.dataset)
    root = Path(order.data_root)
    if not root.is_dir():
        raise SetupError(
            f"The data root {root} does not exist on this machine. Put the data on a disk that the "
            "compute nodes see, and name it with --data-root."
        )
    dataset = open_dataset(
        order.dataset,
        file,
        SyntheticSettings(),
        root,
        runs,
        order.workers,
        reporter,
        allow_partial=order.allow_partial,
    )
    weights = {network: Path(path) for network, path in order.weights.items()}
    for spec in specs:
        _require_same(f"{order.dataset} in {root}", dataset.fingerprint, spec.fingerprint)
        _require_same(spec.method, method_digest(resolve_method(spec.method)), spec.source)
        if spec.device != order.device.partition(":")[0]:
            raise SetupError(f"{spec.key} is for {spec.device}, its job is on {order.device}.")
        if spec.weights != "none":
            path = weights.get(spec.network)
            if path is None or not path.is_file():
                raise SetupError(
                    f"The weights {path} of {spec.network} do not exist on this machine. Put them "
                    f"on a disk that the compute nodes see: --weights {spec.network}=FILE."
                )
            _require_same(str(path), weights_digest(path), spec.weights)
    return dataset, weights


def wait_for_teachers(
    specs: Sequence[RunSpec], runs: Path, stop: StopRequest, reporter: Reporter
) -> None:
    """Return when the teachers of all runs are done; their files are checked when they are read.

    Raises:
        InterruptedRunError: a stop was requested.
        SetupError: a teacher is not done and nobody trains it.
    """
    for teacher in dict.fromkeys(teacher for spec in specs for teacher in spec.teachers):
        told = False
        while not (runs / teacher.key / RECORD).exists():
            stop.raise_if_requested()
            if current_holder(runs / teacher.key) is None and not _comes_now(runs, teacher):
                raise SetupError(f"The teacher {teacher.key} is not done. Run it first.")
            if not told:
                reporter.info(f"waiting for the teacher {teacher.key}")
                told = True
            time.sleep(POLL)


def _comes_now(runs: Path, teacher: RunSpec) -> bool:
    """Whether the record is there after all: its trainer writes it, then gives the lease back."""
    time.sleep(POLL)
    return (runs / teacher.key / RECORD).exists()


def _require_same(what: str, found: str, planned: str) -> None:
    if found != planned:
        raise SetupError(
            f"{what} is not what the run was planned with (its digest is {found}, not {planned}). "
            "Plan the runs again, or bring the former content back."
        )

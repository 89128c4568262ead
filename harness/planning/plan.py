"""Turn a request into a plan: the runs in cohorts, with their data and initial weights."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.core.errors import ErrorCollector, UsageError
from harness.core.name_lists import split_names
from harness.core.progress import Reporter
from harness.core.session import RunContext
from harness.data.dataset import Dataset
from harness.planning.device_choice import choose_device, choose_threads
from harness.planning.drafts import Drafts
from harness.planning.names import resolve_request
from harness.planning.other_code import find_other_code
from harness.planning.request import RunRequest
from harness.planning.schema import DatasetFile, StudyFile, load_dataset, load_study
from harness.planning.unused_options import require_used_options
from harness.planning.weights import MISSING_DIGEST
from harness.runs.spec import RunSpec

if TYPE_CHECKING:
    from harness.data.images import OpenedDataset

DEFAULT_COHORT_SIZE = 16

_Images = tuple[str, tuple[int, int], tuple[int, int] | None]  # dataset, student's, teacher's size
DevicePolicy = Callable[[str], tuple[str, int]]  # from a dataset to a device and its CPU threads


@dataclass
class Plan:
    """Runs in cohorts, with everything that is needed to carry them out."""

    cohorts: list[tuple[RunSpec, ...]]  # teachers first
    datasets: dict[str, Dataset]
    context: RunContext
    roots: dict[str, Path] = field(default_factory=dict)  # from which to open the datasets again
    cache: bool = True  # whether images are decoded ahead
    notes: tuple[str, ...] = ()  # for readers of the plan, a sentence each
    _opened: dict[_Images, OpenedDataset] = field(default_factory=dict)

    @property
    def specs(self) -> list[RunSpec]:
        """All runs, cohort by cohort."""
        return [spec for cohort in self.cohorts for spec in cohort]

    @property
    def runs(self) -> Path:
        """The runs folder."""
        return self.context.runs

    def open_data(self, spec: RunSpec) -> OpenedDataset:
        """Return the decoded images of a run and its teacher, opened once for each pair of sizes.

        Raises:
            SetupError: Some images cannot be read.
        """
        from harness.planning.images import open_run_images

        key = (spec.dataset, spec.recipe.size, spec.teacher_size)
        if key not in self._opened:
            dataset = self.datasets[spec.dataset]
            self._opened[key] = open_run_images(dataset, spec, self.context, cache=self.cache)
        return self._opened[key]


def is_provisional(spec: RunSpec) -> bool:
    """Return whether a run's key will be another once missing weights are there."""
    return MISSING_DIGEST in (spec.weights, *(teacher.weights for teacher in spec.teachers))


def make_plan(
    request: RunRequest,
    reporter: Reporter,
    policy: DevicePolicy | None = None,
    *,
    is_preview: bool = False,
) -> Plan:
    """Resolve a request into a plan.

    Args:
        request: As typed.
        reporter: Receives progress.
        policy: Devices of the runs, which need not exist on this machine; by default the runs
            are for this machine.
        is_preview: The plan is to be printed, not carried out. Initial weights may then be
            missing, which is noted, and torch is not imported where the plan does not need it.

    Raises:
        UsageError: Parts of the request are wrong. All problems that can be found are listed,
            missing data and weights among them.
        SetupError: Data, weights or the device are missing.
    """
    errors = ErrorCollector()
    study = StudyFile()
    with errors.collect():
        study = load_study(request.study) if request.study else study
    files = _load_datasets(request, study, errors)
    resolved = resolve_request(request, study, errors)
    devices: dict[str, tuple[str, int]] = {}
    with errors.collect():
        devices = _find_devices(request, files, policy, is_preview=is_preview)
    context = RunContext(
        runs=request.runs,
        reporter=reporter,
        workers=request.workers,
        device_name=next((device for device, _ in devices.values()), "cpu"),
    )
    with errors.collect():
        require_used_options(request, resolved, files)
    drafts = Drafts(request, study, context, errors)
    for name, file in files.items():
        device, threads = devices.get(name, (context.device_name, 0))
        kind = device.partition(":")[0]
        drafts.add(replace(resolved, dataset=name, device=kind, threads=threads), file)
    drafts.check_weights(allow_missing=is_preview)
    errors.raise_if_any()
    return _plan_of(drafts, request, request.pack or study.pack or DEFAULT_COHORT_SIZE)


def _plan_of(drafts: Drafts, request: RunRequest, size: int) -> Plan:
    """Return the plan of drafts without problems, with cohorts of at most `size` runs."""
    cohorts = drafts.to_cohorts(size)
    runs = (spec for cohort in cohorts for spec in cohort)
    if others := find_other_code(runs, drafts.context.runs):
        drafts.notes[others.describe(again=request.again)] = None
    return Plan(
        cohorts=cohorts,
        datasets={draft.request.dataset: draft.dataset for draft in drafts.drafts},
        context=replace(drafts.context, pretrained_files=drafts.weights.files),
        roots=drafts.roots,
        cache=request.cache,
        notes=tuple(drafts.notes),
    )


def _find_devices(
    request: RunRequest, datasets: Iterable[str], policy: DevicePolicy | None, *, is_preview: bool
) -> dict[str, tuple[str, int]]:
    """Return the device and the CPU threads of the runs on each dataset.

    Raises:
        UsageError: No device has the requested name, or the policy's settings are wrong.
        SetupError: This machine does not have the device.
    """
    if policy is not None:
        return {name: policy(name) for name in datasets}
    device = choose_device(request.device)
    if device != "cpu" and request.threads is not None:
        raise UsageError(
            f"--threads sets the CPU threads of training, but the runs are on "
            f"{device.partition(':')[0]}. Leave it out, or add --device cpu."
        )
    threads = choose_threads(request.threads, is_preview=is_preview) if device == "cpu" else 0
    return dict.fromkeys(datasets, (device, threads))


def _load_datasets(
    request: RunRequest, study: StudyFile, errors: ErrorCollector
) -> dict[str, DatasetFile]:
    """Read the files of the requested datasets."""
    texts = list(request.datasets) or ([study.dataset] if study.dataset else [])
    with errors.collect():
        if not texts and errors.is_empty:  # otherwise the study, which may name one, is wrong
            raise UsageError(
                "No dataset is given: use --dataset NAME (kdreid list prints the names) or --study."
            )
    files = {}
    for name in split_names(texts):
        with errors.collect():
            files[name] = load_dataset(name)
    return files

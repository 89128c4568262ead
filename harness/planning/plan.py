"""From what the user typed to a plan, with the data and the weights that the plan needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from harness.core.devices import find_device, set_threads
from harness.core.errors import UsageError, did_you_mean
from harness.core.progress import Reporter
from harness.data.batches import make_sampler
from harness.data.dataset import Dataset
from harness.data.images import OpenedDataset
from harness.models.pretrained import weights_digest
from harness.planning.datasets import dataset_root, open_dataset, open_images
from harness.planning.grid import ResolvedRequest, expand_runs, pack_cohorts
from harness.planning.names import method_names, network_name
from harness.planning.overrides import resolve_settings
from harness.planning.schema import StudyFile, load_dataset, load_study
from harness.planning.weights import initial_weights
from harness.runs.spec import HEADS, RunSpec

DEFAULT_COHORT_SIZE = 16  # students behind one teacher forward, unless said otherwise


@dataclass(frozen=True)
class RunRequest:
    """The command line as typed; None and empty mean: as the study or the default says."""

    methods: Sequence[str] = ()
    exclude: Sequence[str] = ()
    datasets: Sequence[str] = ()
    data_root: Path | None = None
    study: str | None = None
    teacher: str | None = None
    student: str | None = None
    head: str | None = None
    seeds: str | None = None
    teacher_seed: str = "0"
    pack: int | None = None
    overrides: Sequence[str] = ()
    pretrained: Sequence[str] = ()
    runs: Path = Path("runs")
    device: str = "auto"
    precision: str | None = None
    threads: int | None = None
    workers: int = 2
    allow_partial: bool = False
    cache: bool = True


@dataclass
class Plan:
    """A plan with everything that is needed to carry it out."""

    cohorts: list[tuple[RunSpec, ...]]
    device: torch.device
    pretrained_files: Mapping[str, Path]
    datasets: dict[str, Dataset]
    runs: Path
    workers: int
    reporter: Reporter
    cache: bool = True
    roots: dict[str, Path] = field(default_factory=dict)  # where to open the datasets again
    _opened: dict[tuple[str, int, int], OpenedDataset] = field(default_factory=dict)

    @property
    def specs(self) -> list[RunSpec]:
        """All runs, cohort by cohort."""
        return [spec for cohort in self.cohorts for spec in cohort]

    def open_data(self, spec: RunSpec) -> OpenedDataset:
        """The decoded data that a run works on; opened once for each size."""
        where = (spec.dataset, spec.recipe.height, spec.recipe.width)
        if where not in self._opened:
            dataset = self.datasets[spec.dataset]
            self._opened[where] = open_images(
                dataset, spec.recipe, self.runs, self.workers, self.reporter, cache=self.cache
            )
        return self._opened[where]


DevicePolicy = Callable[[str], tuple[str, int]]  # from a dataset to device and CPU threads


def make_plan(asked: RunRequest, reporter: Reporter, place: DevicePolicy | None = None) -> Plan:
    """Resolve names, settings, data and weights into a plan.

    With `place` the runs are for devices elsewhere, which need not be there on this machine.

    Raises:
        UsageError: something asked for does not exist or cannot be.
        SetupError: data, weights or a device are missing.
    """
    study = load_study(asked.study) if asked.study else StudyFile()
    names = list(asked.datasets) or ([study.dataset] if study.dataset else [])
    if not names:
        raise UsageError(
            "Say on which data: --dataset NAME (kdreid list shows the names) or --study."
        )
    files = {name: load_dataset(name) for text in names for name in text.replace(",", " ").split()}
    if place is None:
        device = find_device(asked.device)
        here = device.type, set_threads(asked.threads) if device.type == "cpu" else 0
    else:
        device = torch.device(place(next(iter(files)))[0])
    plan: list[tuple[RunSpec, ...]] = []
    weights: dict[str, Path] = {}
    datasets: dict[str, Dataset] = {}
    roots: dict[str, Path] = {}
    for name, file in files.items():
        on, threads = place(name) if place else here
        precision = [f"recipe.precision={asked.precision}"] if asked.precision else []
        request = _request(asked, study, name, on, threads)
        points = [
            resolve_settings([file, study], [*swept, *asked.overrides, *precision], request.methods)
            for swept in study.swept
        ]
        for point in points:
            weights |= initial_weights(request, point, asked.pretrained)
        datasets[name] = open_dataset(
            name,
            file,
            points[0].data,
            asked.data_root,
            asked.runs,
            asked.workers,
            reporter,
            allow_partial=asked.allow_partial,
        )
        roots[name] = dataset_root(file, asked.data_root, datasets[name])
        for recipe in {r for point in points for r in (point.recipe, point.teacher_recipe)}:
            make_sampler(
                datasets[name], recipe, ""
            )  # which says if not even one batch can be drawn
        digests = {network: weights_digest(path) for network, path in weights.items()}
        fingerprint = datasets[name].fingerprint
        wanted = [
            spec for point in points for spec in expand_runs(request, point, fingerprint, digests)
        ]
        plan += pack_cohorts(
            list(dict.fromkeys(wanted)), asked.pack or study.pack or DEFAULT_COHORT_SIZE
        )
    return Plan(
        plan, device, weights, datasets, asked.runs, asked.workers, reporter, asked.cache, roots
    )


def _request(
    request: RunRequest, study: StudyFile, name: str, device: str, threads: int
) -> ResolvedRequest:
    head = request.head or study.head or "bnneck"
    if head not in HEADS:
        raise UsageError(f"No head is called {head!r}.{did_you_mean(head, HEADS)}")
    if request.teacher_seed != "same" and not request.teacher_seed.isdigit():
        raise UsageError(f"--teacher-seed is a number or `same`, given {request.teacher_seed!r}.")
    seeds = _numbers(request.seeds) if request.seeds else study.seeds
    return ResolvedRequest(
        dataset=name,
        methods=method_names(list(request.methods) or study.methods or ["all"], request.exclude),
        teacher=request.teacher or study.teacher or "resnet101",
        student=network_name(request.student or study.student or "resnet18"),
        seeds=tuple(dict.fromkeys(seeds or [0])),
        head=head,
        device=device,
        threads=threads,
        teacher_seed=request.teacher_seed,
    )


def _numbers(text: str) -> list[int]:
    words = text.replace(",", " ").split()
    if not words or not all(word.isdigit() for word in words):
        raise UsageError(f"--seeds takes whole numbers such as 0,1,2; given {text!r}.")
    return [int(word) for word in words]

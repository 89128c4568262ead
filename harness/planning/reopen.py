"""From runs on disk back to a plan: their data and weights, found again and compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import torch

from harness.core.errors import KDReIDError, SetupError
from harness.core.files import read_json
from harness.core.progress import Reporter
from harness.core.session import RunContext
from harness.data.datasets import Dataset, market1501
from harness.data.images import OpenedDataset
from harness.data.synthetic.generator import SyntheticSettings
from harness.models import NETWORKS
from harness.models.pretrained import find_weights, weights_digest
from harness.planning.datasets import SYNTHETIC, find_dataset, open_dataset, open_images
from harness.planning.grid import pack_cohorts
from harness.planning.plan import Plan
from harness.planning.schema import load_dataset
from harness.runs.groups import GROUPS
from harness.runs.spec import RunSpec
from harness.runs.submissions import last_submission


@dataclass(frozen=True, slots=True)
class InputLocations:
    """Where to look for data and weights before looking where the runs had them."""

    data_root: Path | None = None
    pretrained_files: Mapping[str, Path] = field(default_factory=dict)
    allow_partial: bool = False
    workers: int = 2


def rebuild_plan(
    specs: Sequence[RunSpec], runs: Path, inputs: InputLocations, pack: int, reporter: Reporter
) -> Plan:
    """The plan of these runs, with the very data and weights that their keys speak of.

    Raises:
        SetupError: they are not to be found.
    """
    orders = [read_json(path) or {} for path in _orders(specs, runs)]
    datasets, roots, weights = {}, {}, {}
    for spec in specs:
        if spec.dataset not in datasets:
            found, root = _dataset(spec, orders, runs, inputs, reporter)
            datasets[spec.dataset], roots[spec.dataset] = found, root
        if spec.weights != "none":
            weights[spec.network] = _weights(spec, orders, inputs)
    plan = pack_cohorts(specs, pack)
    device = torch.device(specs[0].device)
    return Plan(plan, device, weights, datasets, runs, inputs.workers, reporter, roots=roots)


def _orders(specs: Sequence[RunSpec], runs: Path) -> Iterator[Path]:
    """What the workers of the last submissions were told."""
    for spec in specs:
        if last := last_submission(runs, spec.key):
            yield runs / GROUPS / last.group / f"{last.number}.json"


def _dataset(
    spec: RunSpec,
    orders: Sequence[Mapping[str, object]],
    runs: Path,
    inputs: InputLocations,
    reporter: Reporter,
) -> tuple[Dataset, Path]:
    """The dataset of a run, with its root.

    Raises:
        SetupError: no copy is the one that the run was planned with.
    """
    file = load_dataset(spec.dataset)
    places: list[Path | None] = [
        Path(str(o["data_root"])) for o in orders if o.get("dataset") == spec.dataset
    ]
    if file.loader == SYNTHETIC:
        places += sorted((runs / "data").glob(f"{SYNTHETIC}-*-????????"))
    else:
        places.append(None)  # where its file or the environment says
    if inputs.data_root:
        places = [inputs.data_root]
    tried: list[str] = []
    for root in dict.fromkeys(places):
        try:
            dataset = open_dataset(
                spec.dataset,
                file,
                SyntheticSettings(),
                root,
                runs,
                inputs.workers,
                reporter,
                allow_partial=inputs.allow_partial,
            )
        except KDReIDError as error:
            tried.append(str(error))
            continue
        if dataset.fingerprint == spec.fingerprint:
            return dataset, (root or dataset.root).absolute()
        tried.append(f"{root or dataset.root} holds other images.")
    raise SetupError(
        f"The data of {spec.key} was not found again. {' '.join(tried) or 'It lies elsewhere.'} "
        "Name the folder with --data-root DIR, or plan the runs anew with kdreid run."
    )


def _weights(spec: RunSpec, orders: Sequence[Mapping[str, object]], inputs: InputLocations) -> Path:
    """The file of initial weights that a run's key speaks of.

    Raises:
        SetupError: no file is that one.
    """
    told = [w for o in orders if isinstance(w := o.get("weights"), dict) and spec.network in w]
    if spec.network not in inputs.pretrained_files:
        for path in (Path(weights[spec.network]) for weights in told):
            if path.is_file() and weights_digest(path) == spec.weights:
                return path
    published = NETWORKS[spec.network].pretrained or spec.network
    given = inputs.pretrained_files.get(spec.network)
    path = find_weights(published, {published: given} if given else {})
    if weights_digest(path) != spec.weights:
        raise SetupError(
            f"{path} is not the file of weights that {spec.key} was planned with. Name that one "
            f"with --weights {spec.network}=FILE, or plan the runs anew with kdreid run."
        )
    return path


def open_own(spec: RunSpec, root: Path | None, context: RunContext) -> OpenedDataset:
    """The run's own data: from `root`, or where its dataset's file or the environment says.

    Raises:
        SetupError: it is not there, or is not the data of the run.
    """
    file = load_dataset(spec.dataset)
    if file.loader == SYNTHETIC:
        found = list(_generated(spec.dataset, root, context.runs / "data"))
    else:
        found = [find_dataset(spec.dataset, file, root)]
    for dataset in found:
        if dataset.fingerprint == spec.fingerprint:
            return open_images(
                dataset, spec.recipe, context.runs, context.workers, context.reporter
            )
    where = ", ".join(f"{d.root} ({d.fingerprint})" for d in found) or "nothing"
    raise SetupError(
        f"The data of {spec.key} has the fingerprint {spec.fingerprint}; found {where}. "
        "Say where its data is with --data-root DIR."
    )


def _generated(name: str, root: Path | None, drawn: Path) -> Iterator[Dataset]:
    """The images in `root`; without it, all that were ever drawn for this runs folder."""
    for place in [root] if root else sorted(drawn.glob(f"{SYNTHETIC}-*")):
        with suppress(SetupError):  # not, or only half, drawn
            yield market1501.load_folders(name, place, market1501.FOLDERS, market1501.NAME)

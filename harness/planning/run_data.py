"""Find the data of a run again: the images whose fingerprint is part of its key."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from harness.core.errors import KDReIDError, SetupError
from harness.core.session import RunContext
from harness.data.datasets import Dataset
from harness.data.synthetic.generator import SyntheticSettings
from harness.planning.datasets import SYNTHETIC, generated_folders, open_dataset
from harness.planning.schema import load_dataset
from harness.runs.spec import RunSpec

if TYPE_CHECKING:
    from harness.data.images import OpenedDataset

_load_dataset = lru_cache(load_dataset)
SAMPLE_NOTE = "by the fingerprint of version 0.2.0, which covers a sample of the images"


def is_generated(dataset: str) -> bool:
    """Return whether the images of a dataset are generated below the runs folder.

    Raises:
        UsageError: No dataset has this name.
    """
    return _load_dataset(dataset).loader == SYNTHETIC


def candidate_roots(
    dataset: str, runs: Path, recorded: Iterable[Path] = (), root: Path | None = None
) -> list[Path | None]:
    """Return the folders that may hold the data of a run, the likeliest first.

    Args:
        dataset: Name of the dataset.
        runs: The runs folder.
        recorded: Folders in which the data were before.
        root: The only candidate, if given.

    Returns:
        Folders; None means the one that the dataset's file or the environment names.

    Raises:
        UsageError: No dataset has this name.
    """
    if root is not None:
        return [root]
    usual = generated_folders(runs) if is_generated(dataset) else [None]
    return list(dict.fromkeys([*recorded, *usual]))


def dataset_of_run(
    spec: RunSpec,
    roots: Iterable[Path | None],
    context: RunContext,
    *,
    allow_partial: bool = True,
    accept_sample: bool = False,
) -> tuple[Dataset, Path]:
    """Return the dataset that a run was planned with, and its root.

    Args:
        spec: The run.
        roots: Candidates, as `candidate_roots` returns them; the first that fits is taken.
        context: Runs folder and reporter.
        allow_partial: Accept an incomplete dataset, as it was accepted when the run was planned.
        accept_sample: Accept images that agree by the fingerprint of version 0.2.0, if the run has
            that; it covers a sample of the images only, which is said in a line.

    Raises:
        SetupError: No candidate holds the run's images; the message names what each one holds.
        UsageError: No dataset has the name of the run's.
    """
    try:
        return find_fingerprint(
            spec.dataset,
            spec.fingerprint,
            roots,
            context,
            allow_partial=allow_partial,
            accept_sample=accept_sample,
        )
    except SetupError as error:
        raise SetupError(f"{spec.key}: {error}") from error


def find_fingerprint(
    name: str,
    fingerprint: str,
    roots: Iterable[Path | None],
    context: RunContext,
    *,
    allow_partial: bool = True,
    accept_sample: bool = False,
    keep_digests: bool = True,
) -> tuple[Dataset, Path]:
    """Return the dataset with a name and a fingerprint, and its root.

    `keep_digests` is that of `open_dataset`; other args and errors are those of `dataset_of_run`.
    """
    config = _load_dataset(name)
    refused: list[str] = []
    for root in roots:
        try:
            dataset = open_dataset(
                name,
                config,
                SyntheticSettings(),
                root,
                context,
                allow_partial=allow_partial,
                keep_digests=keep_digests,
            )
            is_former = dataset.sample_fingerprint == fingerprint
            if dataset.fingerprint == fingerprint or (is_former and accept_sample):
                if is_former:
                    context.reporter.info(f"{dataset.root} was recognised {SAMPLE_NOTE}.")
                return dataset, (root or dataset.root).absolute()
        except KDReIDError as error:
            refused.append(str(error))
            continue
        found = f"holds images that agree only {SAMPLE_NOTE}" if is_former else "holds other images"
        refused.append(f"{root or dataset.root} {found} ({dataset.fingerprint}).")
    raise SetupError(
        f"The images of {name} with the fingerprint {fingerprint} were not found. "
        f"{' '.join(refused) or 'None were generated in this runs folder.'} Name their folder with "
        "--data-root DIR, or plan the runs again with kdreid run."
    )


def open_run_data(spec: RunSpec, root: Path | None, context: RunContext) -> OpenedDataset:
    """Open the images that a run was trained and scored on.

    Args:
        spec: The run.
        root: The dataset's folder or its parent; by default the usual places are searched.
        context: Runs folder, decoding threads and reporter.

    Raises:
        SetupError: The images are not there, are others, or cannot be read.
    """
    from harness.planning.images import open_images

    roots = candidate_roots(spec.dataset, context.runs, root=root)
    dataset, _ = dataset_of_run(spec, roots, context, accept_sample=True)
    return open_images(dataset, spec.recipe, context)

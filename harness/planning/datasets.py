"""Open datasets by name: find or generate their images, and check them."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from harness.core.errors import SetupError, UsageError, did_you_mean
from harness.core.session import RunContext
from harness.data.completeness import require_complete, require_scorable
from harness.data.datasets import LOADERS, Dataset, market1501
from harness.data.file_digests import FileDigester
from harness.data.synthetic.generator import SyntheticSettings
from harness.planning.generated import (
    SYNTHETIC,
    describe_changes,
    generate_images,
    generated_folders,
    is_generated_folder,
    require_as_drawn,
)
from harness.planning.schema import DatasetFile
from harness.runs.data_flags import DataFlag
from harness.runs.layout import CACHE_FOLDER

__all__ = [
    "DATA_ROOT_VARIABLE",
    "GENERATED_NOTE",
    "SYNTHETIC",
    "dataset_root",
    "find_dataset",
    "generated_folders",
    "open_dataset",
]

DATA_ROOT_VARIABLE = "KDREID_DATA"  # environment variable: folder of the real datasets
GENERATED_NOTE = "Generated data: drawn images in this dataset's layout, no photographs."


def open_dataset(
    name: str,
    config: DatasetFile,
    settings: SyntheticSettings,
    root: Path | None,
    context: RunContext,
    *,
    allow_partial: bool = False,
    keep_digests: bool = True,
) -> Dataset:
    """Open a dataset, checked; a generated one is drawn if it is missing.

    Args:
        name: Name of the dataset.
        config: Its file.
        settings: Of the images to generate; unused for a real dataset or with a `root`.
        root: Folder of the dataset or its parent; by default the one that its file, or for a real
            dataset the environment, names.
        context: Runs folder for generated images, processes that draw them, and a reporter.
        allow_partial: Accept an incomplete copy of a real dataset; its notes then state it.
        keep_digests: Keep the digests of the images in the runs folder, for later commands.

    Raises:
        SetupError: The dataset is not there, is incomplete, or has nothing to score.
        UsageError: Its file names an unknown loader.
    """
    root = root or config.root
    digester = _make_digester(context) if keep_digests else FileDigester()
    if config.loader == SYNTHETIC:
        home = root or generate_images(settings, context)
        dataset = replace(market1501.load_folders(name, home), digester=digester)
        require_as_drawn(dataset)
        require_scorable(dataset)
        return dataset
    if config.loader not in LOADERS:
        raise UsageError(
            f"{name}: no loader is called {config.loader!r}.{did_you_mean(config.loader, LOADERS)}"
        )
    dataset = find_dataset(name, config, root, digester)
    notes = require_complete(dataset, config.expected, allow_partial=allow_partial)
    require_scorable(dataset)
    flags = (DataFlag.PARTIAL,) if notes else ()
    return replace(
        dataset,
        notes=(*dataset.notes, *notes),
        data_flags=(*dataset.data_flags, *flags),
    )


def find_dataset(
    name: str, config: DatasetFile, root: Path | None, digester: FileDigester | None = None
) -> Dataset:
    """Return a real dataset, complete or not; a generated copy is flagged as such.

    Args:
        name: Name of the dataset.
        config: Its file.
        root: Folder of the dataset or its parent; by default the one that its file or the
            environment variable KDREID_DATA names.
        digester: Computes the digests of the images; by default all images are read.

    Raises:
        SetupError: The dataset is not there.
    """
    root = _data_root(config, root)
    about = f" {config.availability}" if config.availability else ""
    if root is None:
        raise SetupError(
            f"{name}: the data root is not given. Name the folder that holds the dataset, as "
            f"unpacked, with --data-root DIR or in the environment variable {DATA_ROOT_VARIABLE}."
            f"{about}"
        )
    _require_folder(name, root, about)
    dataset = replace(LOADERS[config.loader](root), digester=digester or FileDigester())
    if not is_generated_folder(dataset.root):
        return dataset
    return replace(
        dataset,
        notes=(*dataset.notes, GENERATED_NOTE, *describe_changes(dataset)),
        data_flags=(DataFlag.GENERATED,),
    )


def dataset_root(config: DatasetFile, root: Path | None, dataset: Dataset) -> Path:
    """Return the absolute root from which another process can open the same dataset.

    Args:
        config: The dataset's file.
        root: The root that this process was given.
        dataset: The opened dataset.
    """
    given = dataset.root if config.loader == SYNTHETIC else _data_root(config, root)
    return (given or dataset.root).absolute()


def _data_root(config: DatasetFile, root: Path | None) -> Path | None:
    variable = os.environ.get(DATA_ROOT_VARIABLE)
    return root or config.root or (Path(variable) if variable else None)


def _require_folder(name: str, root: Path, about: str) -> None:
    """Check that the data root is a folder.

    Raises:
        SetupError: It is not.
    """
    try:
        if root.is_dir():
            return
        what = "is not a folder" if os.path.lexists(root) else "does not exist"
    except OSError as error:
        what = f"cannot be read ({error.strerror})"
    raise SetupError(f"{name}: the data root {root} {what}.{about}")


def _make_digester(context: RunContext) -> FileDigester:
    """Return what computes digests of images, and keeps them next to the decoded ones."""
    return FileDigester(context.runs / CACHE_FOLDER, max(4, context.workers), context.reporter)

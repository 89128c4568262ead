"""From a dataset's name to its images on disk, generated if need be, and to its decoded pixels."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, replace
from pathlib import Path

from harness.core.errors import SetupError, UsageError, did_you_mean
from harness.core.lease import acquire_blocking
from harness.core.progress import Reporter
from harness.data.completeness import require_complete, require_scorable
from harness.data.datasets import LOADERS, Dataset, market1501
from harness.data.images import FileImages, OpenedDataset
from harness.data.pixel_cache import CachedImages, DiskTooSmallError, open_cache
from harness.data.synthetic.generator import GENERATOR_VERSION, SyntheticSettings, generate
from harness.data.synthetic.writer import MANIFEST
from harness.planning.schema import DatasetFile
from harness.runs.data_flags import DataFlag
from harness.runs.spec import Recipe

SYNTHETIC = "synthetic"
DATA_ROOT_VARIABLE = "KDREID_DATA"  # environment variable: where the real datasets are
GENERATED_NOTE = "Generated data: drawn images in this dataset's layout, no photographs."


def open_dataset(
    name: str,
    file: DatasetFile,
    settings: SyntheticSettings,
    root: Path | None,
    runs: Path,
    workers: int,
    reporter: Reporter,
    *,
    allow_partial: bool = False,
) -> Dataset:
    """The dataset called `name`, from `root` or, if it is the generated one, drawn when missing.

    Raises:
        SetupError: it is not where it should be, not complete and that is not allowed, or there
            is nothing to score.
        UsageError: its file names an unknown loader.
    """
    root = root or file.root
    if file.loader == SYNTHETIC:
        if root is None:
            root = _generated(settings, runs, workers, reporter)
        dataset = market1501.load_folders(name, root, market1501.FOLDERS, market1501.NAME)
        require_scorable(dataset)
        return dataset
    if file.loader not in LOADERS:
        raise UsageError(
            f"{name}: no loader is called {file.loader!r}.{did_you_mean(file.loader, LOADERS)}"
        )
    dataset = find_dataset(name, file, root)
    notes = require_complete(dataset, file.expected, allow_partial=allow_partial)
    require_scorable(dataset)
    flags = (DataFlag.PARTIAL,) if notes else ()
    return replace(
        dataset,
        notes=(*dataset.notes, *notes),
        data_flags=(*dataset.data_flags, *flags),
    )


def find_dataset(name: str, file: DatasetFile, root: Path | None) -> Dataset:
    """A real dataset below `root`, or where its file or KDREID_DATA says, whole or not.

    A generated copy of one says so in its notes, and so will every number from it.

    Raises:
        SetupError: it is not there.
    """
    root = _root(file, root)
    about = f" {file.availability}" if file.availability else ""
    if root is None:
        raise SetupError(
            f"{name}: say where it is with --data-root DIR (the folder that holds it, as unpacked) "
            f"or in the environment variable {DATA_ROOT_VARIABLE}.{about}"
        )
    if not root.is_dir():
        raise SetupError(f"{name}: the data root {root} does not exist.{about}")
    dataset = LOADERS[file.loader](root)
    if not (dataset.root / MANIFEST).is_file():
        return dataset
    return replace(
        dataset, notes=(*dataset.notes, GENERATED_NOTE), data_flags=(DataFlag.GENERATED,)
    )


def dataset_root(file: DatasetFile, root: Path | None, dataset: Dataset) -> Path:
    """The root with which another process opens the same dataset, wherever it is started."""
    given = dataset.root if file.loader == SYNTHETIC else _root(file, root)
    return (given or dataset.root).absolute()


def _root(file: DatasetFile, root: Path | None) -> Path | None:
    place = os.environ.get(DATA_ROOT_VARIABLE)
    return root or file.root or (Path(place) if place else None)


def open_images(
    dataset: Dataset,
    recipe: Recipe,
    runs: Path,
    workers: int,
    reporter: Reporter,
    *,
    cache: bool = True,
) -> OpenedDataset:
    """The dataset with its images at the recipe's size: decoded ahead, or as they are needed.

    Without `cache`, or where the disk has no room for one, training is slower and no bit different.

    Raises:
        SetupError: images are unreadable.
    """
    size = (recipe.height, recipe.width)
    if cache:
        try:
            return OpenedDataset(dataset, *build_cache(dataset, size, runs, workers, reporter))
        except DiskTooSmallError as error:
            reporter.info(f"{error} Going on without: images are decoded as they are needed.")
    train, test = (
        FileImages(dataset.root, images, size) for images in (dataset.train, dataset.test)
    )
    return OpenedDataset(dataset, train, test)


def build_cache(
    dataset: Dataset, size: tuple[int, int], runs: Path, workers: int, reporter: Reporter
) -> tuple[CachedImages, CachedImages]:
    """Training and test images at `size` (height, width) from the cache below `runs`.

    Raises:
        SetupError: images are unreadable.
        DiskTooSmallError: there is no room.
    """
    with reporter.task(f"decoding {dataset.name}") as progress:
        return open_cache(
            dataset,
            size,
            runs / "cache",
            workers=workers,
            say=reporter.info,
            progress=lambda done, total: progress(done, total, ""),
        )


def _generated(settings: SyntheticSettings, runs: Path, workers: int, reporter: Reporter) -> Path:
    content = json.dumps([GENERATOR_VERSION, asdict(settings)])
    digest = hashlib.sha256(content.encode()).hexdigest()[:8]
    root = runs / "data" / f"{SYNTHETIC}-{settings.kind}-{digest}"
    with (
        acquire_blocking(root.with_suffix(".drawing")),
        reporter.task("drawing images") as progress,
    ):
        try:
            generate(
                root,
                settings,
                workers=max(1, workers),
                progress=lambda done, total: progress(done, total, ""),
            )
        except ValueError as error:
            raise UsageError(str(error)) from error
    return root

"""Open datasets by name: find or generate their images, check them, and decode them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import asdict, replace
from pathlib import Path

from harness.core.errors import SetupError, UsageError, did_you_mean
from harness.core.file_errors import unwritable_file
from harness.core.lease import acquire_blocking
from harness.core.session import RunContext
from harness.data.completeness import require_complete, require_scorable
from harness.data.datasets import LOADERS, Dataset, market1501
from harness.data.images import FileImages, OpenedDataset
from harness.data.pixel_cache import CachedImages, CacheUnavailableError, open_cache
from harness.data.synthetic.digests import find_lost
from harness.data.synthetic.generator import (
    GENERATOR_VERSION,
    SyntheticSettings,
    describe_lost,
    find_lost_files,
    generate,
    is_complete,
)
from harness.data.synthetic.writer import MANIFEST
from harness.planning.schema import DatasetFile
from harness.runs.data_flags import DataFlag
from harness.runs.layout import CACHE_FOLDER, DATA_FOLDER
from harness.runs.spec import Recipe, RunSpec

SYNTHETIC = "synthetic"
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

    Raises:
        SetupError: The dataset is not there, is incomplete, or has nothing to score.
        UsageError: Its file names an unknown loader.
    """
    root = root or config.root
    if config.loader == SYNTHETIC:
        if root is not None:
            _require_nothing_lost(root)
        dataset = market1501.load_folders(name, root or _generate(settings, context))
        require_scorable(dataset)
        return dataset
    if config.loader not in LOADERS:
        raise UsageError(
            f"{name}: no loader is called {config.loader!r}.{did_you_mean(config.loader, LOADERS)}"
        )
    dataset = find_dataset(name, config, root)
    notes = require_complete(dataset, config.expected, allow_partial=allow_partial)
    require_scorable(dataset)
    flags = (DataFlag.PARTIAL,) if notes else ()
    return replace(
        dataset,
        notes=(*dataset.notes, *notes),
        data_flags=(*dataset.data_flags, *flags),
    )


def find_dataset(name: str, config: DatasetFile, root: Path | None) -> Dataset:
    """Return a real dataset, complete or not; a generated copy is flagged as such.

    Args:
        name: Name of the dataset.
        config: Its file.
        root: Folder of the dataset or its parent; by default the one that its file or the
            environment variable KDREID_DATA names.

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
    if not root.is_dir():
        raise SetupError(f"{name}: the data root {root} does not exist.{about}")
    dataset = LOADERS[config.loader](root)
    if not (dataset.root / MANIFEST).is_file():
        return dataset
    _require_nothing_lost(dataset.root)
    return replace(
        dataset, notes=(*dataset.notes, GENERATED_NOTE), data_flags=(DataFlag.GENERATED,)
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


def generated_folders(runs: Path) -> list[Path]:
    """Return the folders of images that were generated below a runs folder."""
    return sorted((runs / DATA_FOLDER).glob(f"{SYNTHETIC}-*-????????"))


def open_images(
    dataset: Dataset, recipe: Recipe, context: RunContext, *, cache: bool = True
) -> OpenedDataset:
    """Open the images of a dataset at the size of a recipe.

    The images are decoded ahead into a cache below the runs folder. Without it, or if the disk has
    no room for it, they are decoded on the fly, which is slower and gives the same pixels.

    Args:
        dataset: The dataset.
        recipe: Its height and width are those of the images.
        context: Runs folder, decoding threads and reporter.
        cache: Whether to use the cache.

    Raises:
        SetupError: Some images cannot be read.
    """
    size = recipe.size
    if cache:
        try:
            return OpenedDataset(dataset, *build_cache(dataset, size, context))
        except CacheUnavailableError as error:
            context.reporter.info(f"{error} Images are decoded on the fly instead.")
    train, test = (
        FileImages(dataset.root, images, size) for images in (dataset.train, dataset.test)
    )
    return OpenedDataset(dataset, train, test)


def open_run_images(
    dataset: Dataset, spec: RunSpec, context: RunContext, *, cache: bool = True
) -> OpenedDataset:
    """Open the images that a run trains on, and those that its teacher sees at another size.

    Both sizes are resized from the image files: a student's pixels do not depend on its teacher,
    and a teacher sees the pixels that it was trained with.

    Args and errors are those of `open_images`.
    """
    opened = open_images(dataset, spec.recipe, context, cache=cache)
    if spec.teacher_size is None:
        return opened
    teacher = open_images(dataset, spec.teachers[0].recipe, context, cache=cache)
    return replace(opened, teacher_train=teacher.train)


def build_cache(
    dataset: Dataset, size: tuple[int, int], context: RunContext
) -> tuple[CachedImages, CachedImages]:
    """Open the cache of a dataset below the runs folder; build it first if it is missing.

    Args:
        dataset: The dataset.
        size: Height and width in pixels.
        context: Runs folder, decoding threads and reporter.

    Returns:
        Training and test images.

    Raises:
        SetupError: Some images cannot be read.
        CacheUnavailableError: The cache cannot be read or written, for example on a full disk.
    """
    with context.reporter.task(f"decoding {dataset.name}") as progress:
        return open_cache(
            dataset,
            size,
            context.runs / CACHE_FOLDER,
            workers=context.workers,
            progress=progress,
            on_repair=context.reporter.info,
            before_poll=context.stop.raise_if_requested,
        )


def _require_nothing_lost(root: Path) -> None:
    """Check that a folder of generated images has all its files, at their sizes.

    Raises:
        SetupError: It has not, or its list of files is damaged.
    """
    if lost := find_lost(root):
        raise SetupError(
            f"{describe_lost(root, lost)}. Remove {root} and draw it again: with kdreid data make, "
            "or with kdreid run if it is below a runs folder."
        )


def _data_root(config: DatasetFile, root: Path | None) -> Path | None:
    variable = os.environ.get(DATA_ROOT_VARIABLE)
    return root or config.root or (Path(variable) if variable else None)


def _generate(settings: SyntheticSettings, context: RunContext) -> Path:
    """Generate images below the runs folder, unless they are there; return their folder.

    Raises:
        UsageError: The settings are impossible, or the folder holds something else.
        SetupError: The images cannot be written, or those that are there cannot be read.
    """
    content = json.dumps([GENERATOR_VERSION, asdict(settings)])
    digest = hashlib.sha256(content.encode()).hexdigest()[:8]
    root = context.runs / DATA_FOLDER / f"{SYNTHETIC}-{settings.kind}-{digest}"
    try:
        # First, as it also works where nothing can be written.
        if is_complete(root, settings) and not find_lost_files(root, settings):
            return root
        with (
            acquire_blocking(
                root.with_suffix(".drawing"),
                work="draws images",
                report=context.reporter.info,
                before_poll=context.stop.raise_if_requested,
            ),
            context.reporter.task("drawing images") as progress,
        ):
            for leftover in root.parent.glob(f".{root.name}.*.partial"):  # of a killed process
                shutil.rmtree(leftover, ignore_errors=True)
            return generate(
                root,
                settings,
                workers=max(1, context.workers),
                progress=progress,
                report=context.reporter.info,
            )
    except ValueError as error:
        raise UsageError(str(error)) from error
    except OSError as error:
        raise unwritable_file(root, error) from None

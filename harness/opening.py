"""From a dataset's name to its images on disk, generated if need be, and to its decoded pixels."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from harness.config import DatasetFile
from harness.data import LOADERS, Dataset, market1501
from harness.data.pixels import open_pixels
from harness.data.synthetic import GENERATOR_VERSION, Synthetic, generate
from harness.errors import SetupError, UsageError, nearest
from harness.execute import Data
from harness.lease import waiting
from harness.progress import Reporter
from harness.settings import settle
from harness.spec import Recipe

GENERATED = "synthetic"


def open_dataset(
    name: str,
    file: DatasetFile,
    settings: Synthetic,
    root: Path | None,
    runs: Path,
    workers: int,
    reporter: Reporter,
) -> Dataset:
    """The dataset called `name`, from `root` or, if it is the generated one, drawn when missing.

    Raises:
        SetupError: it is not where it should be, or not complete.
        UsageError: its file names an unknown loader.
    """
    root = root or file.root
    if file.loader == GENERATED:
        if root is None:
            root = _generated(settings, runs, workers, reporter)
        return market1501.load_folders(name, root, market1501.FOLDERS, market1501.NAME)
    if file.loader not in LOADERS:
        raise UsageError(
            f"{name}: no loader is called {file.loader!r}.{nearest(file.loader, LOADERS)}"
        )
    if root is None:
        raise SetupError(
            f"{name}: say where it is with --data-root DIR (the folder that holds it, as unpacked)."
        )
    if not root.is_dir():
        raise SetupError(f"{name}: the data root {root} does not exist.")
    return LOADERS[file.loader](root)


def open_data(
    dataset: Dataset, recipe: Recipe, runs: Path, workers: int, reporter: Reporter
) -> Data:
    """The dataset with all its images decoded at the recipe's size.

    Raises:
        SetupError: images are unreadable.
    """
    with reporter.task(f"decoding {dataset.name}") as progress:
        train, test = open_pixels(
            dataset,
            (recipe.height, recipe.width),
            runs / "cache",
            workers=workers,
            progress=lambda done, total: progress(done, total, ""),
        )
    return Data(dataset, train, test)


def draw(target: Path, assignments: Sequence[str], workers: int) -> Path:
    """Generate images into `target` with the given `name=value` settings.

    Raises:
        UsageError: a setting is unknown or impossible, or `target` holds something else.
    """
    settings = settle([], [f"data.{assignment}" for assignment in assignments]).data
    try:
        return generate(target, settings, workers=workers)
    except ValueError as error:
        raise UsageError(str(error)) from error


def _generated(settings: Synthetic, runs: Path, workers: int, reporter: Reporter) -> Path:
    content = json.dumps([GENERATOR_VERSION, asdict(settings)])
    digest = hashlib.sha256(content.encode()).hexdigest()[:8]
    root = runs / "data" / f"{GENERATED}-{settings.kind}-{digest}"
    with waiting(root.with_suffix(".drawing")), reporter.task("drawing images") as progress:
        try:
            generate(
                root, settings, workers=max(1, workers),
                progress=lambda done, total: progress(done, total, ""),
            )  # fmt: skip
        except ValueError as error:
            raise UsageError(str(error)) from error
    return root

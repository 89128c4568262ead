"""From a dataset's name to its images on disk, generated if need be, and to its decoded pixels."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from harness.config import DatasetFile
from harness.data import LOADERS, Dataset, market1501
from harness.data.census import CENSUSES, scaled
from harness.data.census import plan as plan_census
from harness.data.check import require_whole
from harness.data.pixels import open_pixels
from harness.data.relay import LAYOUTS, VEHICLES, relay
from harness.data.studio import STATEMENT, Shot, Studio
from harness.data.synthetic import GENERATOR_VERSION, Synthetic, generate, plan, statement
from harness.errors import SetupError, UsageError, nearest
from harness.execute import Data
from harness.lease import waiting
from harness.progress import Reporter
from harness.settings import settle
from harness.spec import Recipe

GENERATED = "synthetic"
PLACE = "KDREID_DATA"  # environment variable: where the real datasets are
OWN_LAYOUT = "market1501"  # of the generated dataset
FULL = "full"  # `--images`: as many as the dataset has
FREE = ("kind", "seed", "height", "width", "difficulty")  # settings that count nothing
MADE = "Generated data: drawn images in this dataset's layout, no photographs."


def open_dataset(
    name: str,
    file: DatasetFile,
    settings: Synthetic,
    root: Path | None,
    runs: Path,
    workers: int,
    reporter: Reporter,
    *,
    allow_partial: bool = False,
) -> Dataset:
    """The dataset called `name`, from `root` or, if it is the generated one, drawn when missing.

    Raises:
        SetupError: it is not where it should be, or not complete and that is not allowed.
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
    dataset = find_dataset(name, file, root)
    notes = require_whole(dataset, file.expected, allow_partial=allow_partial)
    return replace(dataset, notes=(*dataset.notes, *notes))


def find_dataset(name: str, file: DatasetFile, root: Path | None) -> Dataset:
    """A real dataset below `root`, or where its file or KDREID_DATA says, whole or not.

    A generated copy of one says so in its notes, and so will every number from it.

    Raises:
        SetupError: it is not there.
    """
    root = root or file.root or (Path(os.environ[PLACE]) if os.environ.get(PLACE) else None)
    about = f" {file.availability}" if file.availability else ""
    if root is None:
        raise SetupError(
            f"{name}: say where it is with --data-root DIR (the folder that holds it, as unpacked) "
            f"or in the environment variable {PLACE}.{about}"
        )
    if not root.is_dir():
        raise SetupError(f"{name}: the data root {root} does not exist.{about}")
    dataset = LOADERS[file.loader](root)
    made = (MADE,) if (dataset.root / STATEMENT).is_file() else ()
    return replace(dataset, notes=(*dataset.notes, *made))


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


def draw(
    target: Path,
    assignments: Sequence[str],
    workers: int,
    like: str | None = None,
    images: str | None = None,
    reporter: Reporter | None = None,
) -> Path:
    """Generate images with the given `name=value` settings; the folder that holds them.

    They go into `target` in Market-1501's layout or, with `like`, below it in that dataset's. With
    `images`, a number or "full", there are so many in that dataset's proportions, or as many as it
    has.

    Raises:
        UsageError: a setting is unknown or impossible, or the folder holds something else.
    """
    if like is not None and like not in LAYOUTS:
        raise UsageError(f"No layout is called {like!r}.{nearest(like, LAYOUTS)}")
    if like is None and images is not None:
        raise UsageError("--images counts as a real dataset does: name it with --like.")
    kind = ["data.kind=vehicles"] if like in VEHICLES else []
    settings = settle([], [*kind, *(f"data.{assignment}" for assignment in assignments)]).data
    try:
        with (reporter or Reporter(quiet=True)).task("drawing images") as progress:

            def shown(done: int, total: int) -> None:
                progress(done, total, "")

            if like is None:
                return generate(target, settings, workers=workers, progress=shown)
            if images is None:
                what: What = settings.studio, plan(settings), _stated(settings, like)
            else:
                what = _counted(settings, like, images, assignments)
            return relay(target, like, *what, workers=workers, progress=shown)
    except ValueError as error:
        raise UsageError(str(error)) from error


What = tuple[Studio, list[Shot], dict[str, object] | None]  # shared, images, what the folder says


def _stated(settings: Synthetic, like: str) -> dict[str, object] | None:
    """What a folder of these settings says: in all layouts but their own, nothing."""
    return statement(settings) if like == OWN_LAYOUT else None


def _counted(settings: Synthetic, like: str, images: str, assignments: Sequence[str]) -> What:
    """What `--images` asks for: what images share, the images, and what their folder says.

    Raises:
        UsageError: it is no number and not "full", or a setting is given that it decides.
        ValueError: the number is out of range.
    """
    for name in (assignment.partition("=")[0].strip() for assignment in assignments):
        if name not in FREE:
            raise UsageError(
                f"--images {images} decides {name}; beside it --set takes {', '.join(FREE)}."
            )
    if images != FULL and not images.isdecimal():
        raise UsageError(f"--images takes a number or {FULL}, given {images!r}.")
    full = CENSUSES[like]
    census = full if images == FULL else scaled(full, int(images))
    studio = replace(settings.studio, cameras=census.cameras, subjects=census.subjects)
    stated: dict[str, object] = {"generator_version": GENERATOR_VERSION, "like": like}
    stated |= {"studio": asdict(studio), "census": asdict(census)}
    return studio, plan_census(census, settings.seed), stated


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

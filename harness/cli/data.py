"""Prepare datasets: `kdreid data make`, `check`, `cache` and `sheet`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import options
from harness.cli.data_check import check_data
from harness.cli.terminal import echo
from harness.core.errors import UsageError, did_you_mean
from harness.core.progress import Reporter

if TYPE_CHECKING:
    from harness.data.synthetic.generator import SyntheticSettings
    from harness.data.synthetic.writer import ImageSpec, RenderSettings

    RenderPlan = tuple[RenderSettings, list[ImageSpec], dict[str, object]]  # with the manifest

FULL = "full"  # of --images: as many as the dataset has
FREE_SETTINGS = ("kind", "seed", "height", "width", "difficulty")  # that --images does not decide

data = typer.Typer(no_args_is_help=True)


@data.command()
def make(
    target: Annotated[
        Path,
        typer.Argument(metavar="DIR", help="Folder to write; with --like the data root."),
    ],
    assignments: Annotated[
        options.Names,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="Change a setting; repeatable: kind=vehicles, seed=3, train_identities=200.",
        ),
    ] = None,
    like: Annotated[
        str | None,
        typer.Option(
            metavar="DATASET",
            help="Use the layout of market1501, dukemtmc, msmt17, veri776 or vehicleid.",
            show_default="that of market1501, in DIR itself",
        ),
    ] = None,
    images: Annotated[
        str | None,
        typer.Option(
            metavar="N|full",
            help="With --like: number of images (12 or more, in the dataset's proportions), or "
            "full for as many as the dataset has.",
            show_default="from the settings",
        ),
    ] = None,
    workers: options.Processes = 2,
) -> None:
    """Draw images of synthetic people or vehicles in the layout of a real dataset."""
    echo(draw_images(target, assignments or (), workers, like, images, Reporter()))


@data.command(name="check")
def check(
    dataset: options.DatasetName,
    data_root: options.DataRoot = None,
    deep: Annotated[
        bool,
        typer.Option(
            "--deep", help="Read every image again, decode it, and look for damage in its codes."
        ),
    ] = False,
    runs: options.Runs = Path("runs"),
    workers: options.Processes = 2,
) -> None:
    """Compare a copy of a dataset with its published counts; exit code 3 if it is incomplete."""
    raise typer.Exit(check_data(dataset, data_root, runs, deep=deep, workers=workers))


@data.command(name="cache")
def cache(
    dataset: options.DatasetName,
    data_root: options.DataRoot = None,
    size: Annotated[
        str | None,
        typer.Option(
            metavar="HEIGHTxWIDTH",
            help="Size in pixels, such as 256x128.",
            show_default="from the dataset's recipe",
        ),
    ] = None,
    runs: options.Runs = Path("runs"),
    workers: options.DecodingThreads = 2,
    allow_partial: options.AllowPartial = False,
) -> None:
    """Decode all images into the cache that runs share."""
    cache_data(dataset, data_root, runs, size, workers, allow_partial=allow_partial)


@data.command()
def sheet(
    source: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder in the layout of Market-1501.")
    ],
    target: Annotated[Path, typer.Argument(metavar="FILE", help="PNG file to write.")],
) -> None:
    """Draw a contact sheet: a row for each identity, its images ordered by camera."""
    from harness.data.synthetic.drawing.contact_sheet import write_contact_sheet

    try:
        write_contact_sheet(source, target)
    except ValueError as error:
        raise UsageError(str(error)) from error
    echo(target)


def draw_images(
    target: Path,
    assignments: Sequence[str],
    workers: int,
    like: str | None = None,
    images: str | None = None,
    reporter: Reporter | None = None,
) -> Path:
    """Draw synthetic images and return the folder that contains them.

    Args:
        target: Folder to write in the layout of Market-1501; with `like` the parent of the folder.
        assignments: Settings as NAME=VALUE.
        workers: Processes at a time.
        like: Dataset whose layout the images get.
        images: Number of images in that dataset's proportions, or "full" for as many as it has.
        reporter: Shows the progress.

    Raises:
        UsageError: A setting is unknown or impossible, or the folder contains something else.
    """
    from harness.data.synthetic.generator import generate, manifest, plan_from_settings
    from harness.data.synthetic.layouts import LAYOUTS, VEHICLE_LAYOUTS, render_like
    from harness.planning.overrides import resolve_settings

    if like is not None and like not in LAYOUTS:
        raise UsageError(f"No layout is called {like!r}.{did_you_mean(like, LAYOUTS)}")
    if like is None and images is not None:
        raise UsageError("--images needs a real dataset to count like: name it with --like.")
    kind = ["data.kind=vehicles"] if like in VEHICLE_LAYOUTS else []
    overrides = [*kind, *(f"data.{assignment}" for assignment in assignments)]
    settings = resolve_settings([], overrides).data
    try:
        with (reporter or Reporter(quiet=True)).task("drawing images") as progress:
            if like is None:
                return generate(target, settings, workers=workers, progress=progress)
            if images is None:
                plan: RenderPlan = (
                    settings.render_settings,
                    plan_from_settings(settings),
                    manifest(settings),
                )
            else:
                plan = _plan_counted(settings, like, images, assignments)
            return render_like(target, like, *plan, workers=workers, progress=progress)
    except ValueError as error:
        raise UsageError(str(error)) from error


def _plan_counted(
    settings: SyntheticSettings, like: str, images: str, assignments: Sequence[str]
) -> RenderPlan:
    """Return the plan of `--images`: how to draw, the images, and their folder's manifest.

    Raises:
        UsageError: `images` is neither a number nor "full", or decides one of the settings.
        ValueError: The number is out of range.
    """
    from harness.data.synthetic.counts import REAL_COUNTS, plan_from_counts, scale_counts
    from harness.data.synthetic.generator import GENERATOR_VERSION

    for name in (assignment.partition("=")[0].strip() for assignment in assignments):
        if name not in FREE_SETTINGS:
            raise UsageError(
                f"--images {images} decides {name}. Together with it, --set takes only "
                f"{', '.join(FREE_SETTINGS)}."
            )
    if images != FULL and not images.isdecimal():
        raise UsageError(f"--images takes a number or {FULL}, given {images!r}.")
    full = REAL_COUNTS[like]
    counts = full if images == FULL else scale_counts(full, int(images))
    rendering = replace(settings.render_settings, cameras=counts.cameras, subjects=counts.subjects)
    content: dict[str, object] = {"generator_version": GENERATOR_VERSION, "like": like}
    content |= {"studio": asdict(rendering), "census": asdict(counts)}
    return rendering, plan_from_counts(counts, settings.seed), content


def cache_data(
    name: str,
    root: Path | None,
    runs: Path,
    size: str | None,
    workers: int,
    *,
    allow_partial: bool,
) -> None:
    """Build the cache of a dataset below `runs`, unless it exists, and print where it is.

    Raises:
        SetupError: The dataset is missing, incomplete or unreadable, or the disk is too small.
        UsageError: `size` is not HEIGHTxWIDTH.
    """
    from harness.core.files import ensure_writable
    from harness.core.session import RunContext
    from harness.planning.datasets import open_dataset
    from harness.planning.images import build_cache
    from harness.planning.overrides import resolve_settings
    from harness.planning.schema import load_dataset

    file = load_dataset(name)
    settings = resolve_settings([file], [])
    height, width = settings.recipe.height, settings.recipe.width
    if size is not None:
        height, width = options.parse_size(size)
    ensure_writable(runs)
    context = RunContext(runs=runs, workers=workers)
    dataset = open_dataset(name, file, settings.data, root, context, allow_partial=allow_partial)
    train, test = build_cache(dataset, (height, width), context)
    gigabytes = (train.array.nbytes + test.array.nbytes) / 1e9
    echo(
        f"{name}: {len(train):,} training and {len(test):,} test images at {height}x{width}, "
        f"{gigabytes:.2f} GB in {train.path.parent}"
    )

"""`kdreid data make`: images drawn in the layout of a real dataset, few or as many as it has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from harness.core.errors import UsageError, did_you_mean
from harness.core.progress import Reporter
from harness.data.synthetic.counts import REAL_COUNTS, scale_counts
from harness.data.synthetic.counts import plan_images as plan_census
from harness.data.synthetic.generator import (
    GENERATOR_VERSION,
    SyntheticSettings,
    generate,
    manifest,
    plan_images,
)
from harness.data.synthetic.layouts import LAYOUTS, VEHICLES, render_like
from harness.data.synthetic.writer import ImageSpec, RenderSettings
from harness.planning.overrides import resolve_settings

FULL = "full"  # `--images`: as many as the dataset has
FREE = ("kind", "seed", "height", "width", "difficulty")  # settings that count nothing

What = tuple[
    RenderSettings, list[ImageSpec], dict[str, object]
]  # shared, images, what the folder says


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
        raise UsageError(f"No layout is called {like!r}.{did_you_mean(like, LAYOUTS)}")
    if like is None and images is not None:
        raise UsageError("--images counts as a real dataset does: name it with --like.")
    kind = ["data.kind=vehicles"] if like in VEHICLES else []
    settings = resolve_settings(
        [], [*kind, *(f"data.{assignment}" for assignment in assignments)]
    ).data
    try:
        with (reporter or Reporter(quiet=True)).task("drawing images") as progress:

            def shown(done: int, total: int) -> None:
                progress(done, total, "")

            if like is None:
                return generate(target, settings, workers=workers, progress=shown)
            if images is None:
                what: What = settings.studio, plan_images(settings), manifest(settings)
            else:
                what = _counted(settings, like, images, assignments)
            return render_like(target, like, *what, workers=workers, progress=shown)
    except ValueError as error:
        raise UsageError(str(error)) from error


def _counted(
    settings: SyntheticSettings, like: str, images: str, assignments: Sequence[str]
) -> What:
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
    full = REAL_COUNTS[like]
    census = full if images == FULL else scale_counts(full, int(images))
    studio = replace(settings.studio, cameras=census.cameras, subjects=census.subjects)
    stated: dict[str, object] = {"generator_version": GENERATOR_VERSION, "like": like}
    stated |= {"studio": asdict(studio), "census": asdict(census)}
    return studio, plan_census(census, settings.seed), stated

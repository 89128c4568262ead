"""`kdreid data make`: images drawn in the layout of a real dataset, few or as many as it has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from harness.core.errors import UsageError, nearest
from harness.core.progress import Reporter
from harness.data.synthetic.counts import CENSUSES, scaled
from harness.data.synthetic.counts import plan as plan_census
from harness.data.synthetic.generator import GENERATOR_VERSION, Synthetic, generate, plan, statement
from harness.data.synthetic.layouts import LAYOUTS, VEHICLES, relay
from harness.data.synthetic.writer import Shot, Studio
from harness.planning.overrides import settle

FULL = "full"  # `--images`: as many as the dataset has
FREE = ("kind", "seed", "height", "width", "difficulty")  # settings that count nothing

What = tuple[Studio, list[Shot], dict[str, object]]  # shared, images, what the folder says


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
                what: What = settings.studio, plan(settings), statement(settings)
            else:
                what = _counted(settings, like, images, assignments)
            return relay(target, like, *what, workers=workers, progress=shown)
    except ValueError as error:
        raise UsageError(str(error)) from error


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

"""`kdreid data cache`: decode a dataset ahead of the runs that will read it."""

from __future__ import annotations

import re
from pathlib import Path

import typer

from harness.core.errors import UsageError
from harness.core.files import ensure_writable
from harness.core.progress import Reporter
from harness.planning.datasets import build_cache, open_dataset
from harness.planning.overrides import resolve_settings
from harness.planning.schema import load_dataset

SIZE = re.compile(r"(\d+)x(\d+)")


def cache_data(
    name: str,
    root: Path | None,
    runs: Path,
    size: str | None,
    workers: int,
    *,
    allow_partial: bool,
) -> None:
    """Build the cache of a dataset below `runs`, or find it built, and say where it is.

    Raises:
        SetupError: the data are absent, incomplete or unreadable, or the disk has no room.
        UsageError: `size` is not HEIGHTxWIDTH.
    """
    file = load_dataset(name)
    settings = resolve_settings([file], [])
    height, width = settings.recipe.height, settings.recipe.width
    if size is not None:
        match = SIZE.fullmatch(size)
        if match is None or "0" in match.groups():
            raise UsageError(f"--size is HEIGHTxWIDTH in pixels, as 256x128; given {size!r}.")
        height, width = int(match[1]), int(match[2])
    ensure_writable(runs)
    reporter = Reporter()
    dataset = open_dataset(
        name, file, settings.data, root, runs, workers, reporter, allow_partial=allow_partial
    )
    train, test = build_cache(dataset, (height, width), runs, workers, reporter)
    size_on_disk = (train.array.nbytes + test.array.nbytes) / 1e9
    typer.echo(
        f"{name}: {len(train):,} training and {len(test):,} test images at {height}x{width}, "
        f"{size_on_disk:.2f} GB in {train.path.parent}"
    )

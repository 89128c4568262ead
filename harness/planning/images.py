"""Decode the images of a dataset, ahead into a cache or on the fly."""

from __future__ import annotations

from dataclasses import replace

from harness.core.session import RunContext
from harness.data.dataset import Dataset
from harness.data.images import FileImages, OpenedDataset
from harness.data.pixel_cache import CachedImages, CacheUnavailableError, open_cache
from harness.runs.layout import CACHE_FOLDER
from harness.runs.spec import Recipe, RunSpec


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
        FileImages(dataset.root, images, size, dataset.digests)
        for images in (dataset.train, dataset.test)
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

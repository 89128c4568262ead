"""A check of every image of a dataset: what cannot be decoded, and what decoders pass over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from harness.core.progress import ProgressCallback
from harness.core.subprocesses import exit_with_parent
from harness.data.dataset import Dataset
from harness.data.decoding import UnreadableError, decode_content, read_orientation
from harness.data.image_files import read_image_file
from harness.data.jpeg_scan import inspect_jpeg

IMAGES_PER_TASK = 100
MIN_FOR_PROCESSES = 1000  # images from which on processes save more time than their start takes


@dataclass(frozen=True, slots=True)
class ImageFinding:
    """Finding in an image file.

    Attributes:
        kind: "unreadable" (it cannot be decoded), "suspicious" (it can, but may show what was never
            photographed) or "rotated" (it has an EXIF orientation, which is ignored).
        text: `file: reason`.
        is_damage: Whether content was lost for certain.
    """

    kind: str
    text: str
    is_damage: bool


def inspect_images(
    dataset: Dataset, workers: int, progress: ProgressCallback
) -> Iterator[ImageFinding]:
    """Decode every image and read its codes; yield what is wrong, file by file.

    Args:
        dataset: The copy to check.
        workers: Number of processes, or of threads for a small dataset.
        progress: Called after every 100 images and after the last.
    """
    files = sorted({image.file for image in (*dataset.train, *dataset.test)})
    tasks = [files[at : at + IMAGES_PER_TASK] for at in range(0, len(files), IMAGES_PER_TASK)]
    done = 0
    with _make_pool(len(files), workers) as pool:
        for task, findings in zip(
            tasks, pool.map(_inspect_files, [dataset.root] * len(tasks), tasks), strict=True
        ):
            done += len(task)
            progress(done, len(files))
            yield from findings


def _make_pool(images: int, workers: int) -> Executor:
    """Return processes for a large dataset, as Python reads codes in one thread at a time."""
    if workers == 1 or images < MIN_FOR_PROCESSES:
        return ThreadPoolExecutor(workers)
    return ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=exit_with_parent
    )


def _inspect_files(root: Path, files: Sequence[str]) -> list[ImageFinding]:
    """Return what is wrong with some files."""
    return [finding for file in files for finding in _inspect_file(root, file)]


def _inspect_file(root: Path, file: str) -> Iterator[ImageFinding]:
    """Yield what is wrong with a file."""
    try:
        content, _ = read_image_file(root / file)
        decode_content(content)
    except UnreadableError as error:
        yield ImageFinding("unreadable", f"{file}: {error}", is_damage=True)
        return
    report = inspect_jpeg(content)
    if report.damage or report.remarks:
        reasons = "; ".join([*report.damage, *report.remarks])
        yield ImageFinding("suspicious", f"{file}: {reasons}", is_damage=bool(report.damage))
    if (orientation := read_orientation(content)) != 1:
        yield ImageFinding("rotated", f"{file}: EXIF orientation {orientation}", is_damage=False)

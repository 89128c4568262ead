"""Rendering of a folder of synthetic images, by one or several processes.

Each image has a random stream named by its content (`harness/data/synthetic/drawing`). So equal
plans give equal bytes with the same versions of numpy and Pillow, in any order and with any number
of processes.
"""

from __future__ import annotations

import io
import shutil
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path

from harness.core.errors import DamagedFileError
from harness.core.file_errors import damaged_file
from harness.core.files import atomic_directory
from harness.core.progress import ProgressCallback, ignore_progress
from harness.core.subprocesses import exit_with_parent
from harness.data.synthetic.digests import digest_file, read_digests, write_digests
from harness.data.synthetic.drawing.camera import Camera, sample_camera
from harness.data.synthetic.drawing.identities import make_identities
from harness.data.synthetic.drawing.photograph import photograph
from harness.data.synthetic.drawing.randomness import random_stream

MANIFEST = "synthetic.json"  # in every folder of synthetic images: the settings that made them
IMAGES_PER_TASK = 32  # images that a process draws before it reports progress


@dataclass(frozen=True, slots=True)
class RenderSettings:
    """Settings that all images of a folder share; its fields are part of the manifest."""

    kind: str  # "people" or "vehicles"
    seed: int
    height: int  # pixels
    width: int  # pixels
    difficulty: float  # 0 to 1
    cameras: int  # number of cameras
    subjects: int  # number of different people or vehicles


@dataclass(frozen=True, slots=True)
class ImageSpec:
    """An image to draw. All fields but `frame` name its random stream."""

    role: str  # train, validation, query, gallery, distractor or junk
    subject: int  # from 0
    camera: int  # from 0
    index: int  # among the images of the same role, subject and camera, from 0
    frame: int  # unique number, used in file names


@dataclass(frozen=True, slots=True)
class FolderPlan:
    """Content of a folder to write; all paths are relative to it."""

    images: dict[str, ImageSpec]
    copies: dict[str, str] = field(default_factory=dict)  # original by copy
    texts: dict[str, str] = field(default_factory=dict)  # content by file


def render_folder(
    root: Path,
    settings: RenderSettings,
    plan: FolderPlan,
    *,
    workers: int = 1,
    progress: ProgressCallback = ignore_progress,
) -> None:
    """Write a folder of synthetic images.

    Everything is written to a folder next to `root`, which is renamed when it is complete.

    Args:
        root: Folder to write; missing or empty.
        settings: Settings that all images share.
        plan: Images and other files.
        workers: Number of processes; more than one needs an importable main module, as
            `multiprocessing` does.
        progress: Called with the number of images drawn.

    Raises:
        ValueError: `workers` is not positive.
        OSError: `root` is not empty, or the files cannot be written.
    """
    if workers < 1:
        raise ValueError(f"workers is {workers}; it must be 1 or more.")
    with atomic_directory(root) as partial:
        _write_plan(partial, settings, plan, workers, progress)
        write_digests(partial)


def redraw_files(
    root: Path,
    settings: RenderSettings,
    plan: FolderPlan,
    lost: Collection[str],
    *,
    workers: int = 1,
    progress: ProgressCallback = ignore_progress,
) -> None:
    """Draw files of a folder of synthetic images again, whose bytes are those that were lost.

    Args:
        root: The folder.
        settings: Settings that all images share.
        plan: Images and other files of the whole folder.
        lost: The files to write.
        workers: Number of processes.
        progress: Called with the number of images drawn.

    Raises:
        DamagedFileError: The bytes differ from those that were drawn first.
        OSError: The files cannot be written.
    """
    originals = {plan.copies[file] for file in lost if file in plan.copies}
    wanted = originals | set(lost)
    part = FolderPlan(
        {file: spec for file, spec in plan.images.items() if file in wanted},
        {file: original for file, original in plan.copies.items() if file in wanted},
        {file: text for file, text in plan.texts.items() if file in wanted},
    )
    try:
        digests = read_digests(root) or {}
    except DamagedFileError:
        digests = {}
    drawn = root.with_name(f".{root.name}.{uuid.uuid4().hex[:8]}.partial")
    try:
        _write_plan(drawn, settings, part, workers, progress)
        for file in lost:
            if digests.get(file, digest := digest_file(drawn / file)) != digest:
                reason = "numpy or Pillow of another version drew it; remove the whole folder"
                raise damaged_file(root / file, reason)
        for file in lost:
            (root / file).parent.mkdir(parents=True, exist_ok=True)
            (drawn / file).replace(root / file)
    finally:
        shutil.rmtree(drawn, ignore_errors=True)
    if not digests.keys() >= {*lost}:
        write_digests(root)


def _write_plan(
    folder: Path,
    settings: RenderSettings,
    plan: FolderPlan,
    workers: int,
    progress: ProgressCallback,
) -> None:
    """Write images and other files into a new folder."""
    for parent in {(folder / file).parent for file in (*plan.images, *plan.copies)}:
        parent.mkdir(parents=True, exist_ok=True)
    done = 0
    for count in _render_all(settings, plan.images, folder, workers):
        done += count
        progress(done, len(plan.images))
    for copy, original in plan.copies.items():
        shutil.copy(folder / original, folder / copy)
    for file, text in plan.texts.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(text)


def _render_all(
    settings: RenderSettings, images: Mapping[str, ImageSpec], folder: Path, workers: int
) -> Iterator[int]:
    """Draw all images; after each task, yield its number of images."""
    specs = list(images.items())
    tasks = [
        specs[start : start + IMAGES_PER_TASK] for start in range(0, len(specs), IMAGES_PER_TASK)
    ]
    if min(workers, len(tasks)) <= 1:  # starting processes would take longer than drawing
        for task in tasks:
            yield _render_images(settings, folder, task)
        return
    # Forked children would inherit the locks of the caller's threads; spawned ones do not.
    pool = ProcessPoolExecutor(
        min(workers, len(tasks)), mp_context=get_context("spawn"), initializer=exit_with_parent
    )
    try:
        futures = [pool.submit(_render_images, settings, folder, task) for task in tasks]
        for future in as_completed(futures):
            yield future.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _render_images(
    settings: RenderSettings, folder: Path, images: Sequence[tuple[str, ImageSpec]]
) -> int:
    """Draw images into their files; return their number."""
    size = (settings.height, settings.width)
    subjects = make_identities(settings.kind, settings.seed, settings.subjects)
    cameras = _make_cameras(settings)
    for file, spec in images:
        camera = cameras[spec.camera]
        random = random_stream(
            "image", settings.seed, settings.kind, spec.role, spec.subject, spec.camera, spec.index
        )
        image = photograph(
            subjects[spec.subject],
            camera,
            random,
            size,
            settings.difficulty,
            is_junk=spec.role == "junk",
        )
        content = io.BytesIO()  # written at once: Pillow hides why a file cannot be written
        image.save(content, "JPEG", quality=camera.quality)
        (folder / file).write_bytes(content.getvalue())
    return len(images)


@lru_cache(maxsize=2)
def _make_cameras(settings: RenderSettings) -> tuple[Camera, ...]:
    """Make all cameras; cached, because their backgrounds take a while to draw."""
    return tuple(
        sample_camera(
            random_stream("camera", settings.seed, settings.kind, number),
            number,
            settings.height,
            settings.width,
            settings.difficulty,
        )
        for number in range(settings.cameras)
    )

"""Drawing a folder of images: what they share, what each is of, and the processes that draw them.

Each image has a random stream named after what it shows (`harness/data/drawing`), so that equal
plans give equal bytes with one installation of numpy and Pillow, in whatever order and by however
many processes they are drawn.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path

from harness.core.files import atomic_directory
from harness.core.subprocesses import exit_with_parent
from harness.data.synthetic.drawing.camera import Camera, sample_camera
from harness.data.synthetic.drawing.identities import make_identities
from harness.data.synthetic.drawing.photograph import photograph
from harness.data.synthetic.drawing.randomness import stream

MANIFEST = "synthetic.json"  # in every folder of drawn images: how they were made
CHUNK = 32  # images drawn between two reports of progress


@dataclass(frozen=True, slots=True)
class RenderSettings:
    """What all images of one drawing share."""

    kind: str  # "people" or "vehicles"
    seed: int
    height: int  # pixels
    width: int
    difficulty: float  # 0 to 1
    cameras: int
    subjects: int  # how many different people or vehicles there are


@dataclass(frozen=True, slots=True)
class ImageSpec:
    """One image to draw: of which member of the roster, by which camera, in which role."""

    role: str  # train, validation, query, gallery, distractor or junk
    subject: int  # from 0
    camera: int  # from 0
    index: int  # among the images of its role, subject and camera
    frame: int  # a number that no other image has


@dataclass(frozen=True, slots=True)
class FolderPlan:
    """What shall lie in a folder; all paths are below it."""

    pictures: dict[str, ImageSpec]
    copies: dict[str, str] = field(default_factory=dict)  # copy and original
    texts: dict[str, str] = field(default_factory=dict)


def render_folder(
    root: Path,
    studio: RenderSettings,
    tree: FolderPlan,
    *,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Draw and write all of the tree in a folder beside `root` that takes its name when complete.

    `progress` is called with (images drawn, images in all). `workers` is a number of processes;
    more than one needs a main module that can be imported, as `multiprocessing` does.

    Raises:
        ValueError: `workers` is not positive.
        OSError: `root` holds something, or the disk does not take the files.
    """
    if workers < 1:
        raise ValueError(f"workers is {workers}; allowed is 1 or more.")
    with atomic_directory(root) as partial:
        for parent in {(partial / file).parent for file in (*tree.pictures, *tree.copies)}:
            parent.mkdir(parents=True, exist_ok=True)
        done = 0
        for drawn in _draw_all(studio, tree.pictures, partial, workers):
            done += drawn
            if progress is not None:
                progress(done, len(tree.pictures))
        for copy, original in tree.copies.items():
            shutil.copy(partial / original, partial / copy)
        for file, text in tree.texts.items():
            (partial / file).parent.mkdir(parents=True, exist_ok=True)
            (partial / file).write_text(text)


def _draw_all(
    studio: RenderSettings, pictures: Mapping[str, ImageSpec], folder: Path, workers: int
) -> Iterator[int]:
    """Draw every picture; yield how many were drawn each time some are."""
    wanted = list(pictures.items())
    chunks = [wanted[start : start + CHUNK] for start in range(0, len(wanted), CHUNK)]
    if workers == 1:
        for chunk in chunks:
            yield _draw(studio, folder, chunk)
        return
    # Forked children would inherit the locks of the caller's threads; spawned ones do not.
    pool = ProcessPoolExecutor(
        min(workers, len(chunks)), mp_context=get_context("spawn"), initializer=exit_with_parent
    )
    try:
        for future in as_completed([pool.submit(_draw, studio, folder, c) for c in chunks]):
            yield future.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _draw(studio: RenderSettings, folder: Path, pictures: Sequence[tuple[str, ImageSpec]]) -> int:
    """Draw some pictures into their files."""
    size = (studio.height, studio.width)
    subjects = make_identities(studio.kind, studio.seed, studio.subjects)
    cameras = _cameras(studio)
    for file, shot in pictures:
        camera = cameras[shot.camera]
        moment = stream(
            "image", studio.seed, studio.kind, shot.role, shot.subject, shot.camera, shot.index
        )
        picture = photograph(
            subjects[shot.subject],
            camera,
            moment,
            size,
            studio.difficulty,
            bad=shot.role == "junk",
        )
        picture.save(folder / file, "JPEG", quality=camera.quality)
    return len(pictures)


@lru_cache(maxsize=2)
def _cameras(studio: RenderSettings) -> tuple[Camera, ...]:
    """All cameras of the studio; kept, because their streets take a while to draw."""
    return tuple(
        sample_camera(
            stream("camera", studio.seed, studio.kind, number),
            number,
            studio.height,
            studio.width,
            studio.difficulty,
        )
        for number in range(studio.cameras)
    )

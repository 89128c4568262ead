"""Images drawn rather than photographed, on disk in Market-1501's layout.

An identity is a combination of visible attributes; a camera has colours, sharpness, light, a street
and a usual point of view of its own; every image has its own moment. Each draws from a random
stream named after it (`harness/data/drawing`), so that equal settings give equal bytes with one
installation of numpy and Pillow, in whatever order and by however many processes they are drawn.
"""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import product
from multiprocessing import get_context
from pathlib import Path

from harness.data.drawing.camera import Camera, sample_camera
from harness.data.drawing.photograph import photograph
from harness.data.drawing.randomness import stream
from harness.data.drawing.roster import SIZES, roster
from harness.data.drawing.sheet import contact_sheet
from harness.orphans import end_with_parent

__all__ = ["GENERATOR_VERSION", "Synthetic", "contact_sheet", "generate"]

GENERATOR_VERSION = 1  # to be raised with any change that moves a byte
TRAIN, GALLERY, QUERY = "bounding_box_train", "bounding_box_test", "query"
STATEMENT = "synthetic.json"
MOST_IDENTITIES, MOST_IMAGES = 9999, 999_999  # what four and six digits can name
CHUNK = 32  # images drawn between two reports of progress

LIMITS: dict[str, tuple[float, float]] = {
    "seed": (0, 2**63 - 1),
    "train_identities": (1, MOST_IDENTITIES),
    "train_images": (1, 1000),
    "test_identities": (1, MOST_IDENTITIES),
    "queries": (1, 9),
    "gallery_images": (1, 1000),
    "distractors": (0, 100_000),
    "junk": (0, 100_000),
    "cameras": (2, 9),
    "height": (16, 1024),
    "width": (16, 1024),
    "difficulty": (0.0, 1.0),
}


@dataclass(frozen=True, slots=True)
class Synthetic:
    """Everything that can change a byte of the drawn images.

    A height or width of 0 is replaced by the kind's own: 128 x 64 pixels for people, 80 x 112 for
    vehicles.

    Raises:
        ValueError: a value is out of its range.
    """

    kind: str = "people"  # or "vehicles"
    seed: int = 0
    train_identities: int = 80
    train_images: int = 3  # per identity and camera
    test_identities: int = 50
    queries: int = 2  # per test identity, each from another camera
    gallery_images: int = 2  # per test identity and camera
    distractors: int = 40  # people in no query, named 0000_...
    junk: int = 12  # boxes around a part of somebody, named -1_...
    cameras: int = 6
    height: int = 0  # pixels
    width: int = 0
    difficulty: float = 0.4  # 0 to 1: how much cameras and images differ

    def __post_init__(self) -> None:
        if self.kind not in SIZES:
            raise ValueError(f"kind is {self.kind!r}; allowed are {', '.join(SIZES)}.")
        height, width = SIZES[self.kind]
        object.__setattr__(self, "height", self.height or height)
        object.__setattr__(self, "width", self.width or width)
        for name, (low, high) in LIMITS.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"{name} is {value}; allowed is {low} to {high}.")
        if self.queries > self.cameras:
            raise ValueError(
                f"queries is {self.queries}; allowed is 1 to {self.cameras}, the number of "
                f"cameras, as each query of an identity comes from another one."
            )
        if self.train_identities + self.test_identities > MOST_IDENTITIES:
            raise ValueError(
                f"train_identities + test_identities is "
                f"{self.train_identities + self.test_identities}; allowed is up to "
                f"{MOST_IDENTITIES}."
            )
        if self.images > MOST_IMAGES:
            raise ValueError(
                f"The settings ask for {self.images} images in all; allowed is up to {MOST_IMAGES}."
            )

    @property
    def images(self) -> int:
        """How many files there will be."""
        trained = self.train_identities * self.cameras * self.train_images
        tested = self.test_identities * (self.cameras * self.gallery_images + self.queries)
        return trained + tested + self.distractors + self.junk


@dataclass(frozen=True, slots=True)
class Shot:
    """One image to draw: where it goes, of which member of the roster, by which camera."""

    file: str  # below the root
    role: str  # train, query, gallery, distractor or junk
    subject: int
    camera: int  # from 0
    index: int  # among the images of its role, subject and camera


def generate(
    root: Path,
    settings: Synthetic,
    *,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Draw the images below `root`, or keep them if they are there; return `root`.

    Everything is made in a folder beside `root` that takes its name when complete. `progress` is
    called with (images drawn, images in all). `workers` is a number of processes; more than one
    needs a main module that can be imported, as `multiprocessing` does.

    Raises:
        ValueError: `root` holds something else, or `workers` is not positive.
    """
    if workers < 1:
        raise ValueError(f"workers is {workers}; allowed is 1 or more.")
    if _finished(root, settings):
        return root
    partial = root.with_name(f".{root.name}.{uuid.uuid4().hex[:8]}.partial")
    try:
        for folder in (TRAIN, GALLERY, QUERY):
            (partial / folder).mkdir(parents=True)
        done = 0
        for drawn in _draw_all(settings, partial, workers):
            done += drawn
            if progress is not None:
                progress(done, settings.images)
        (partial / STATEMENT).write_text(json.dumps(_statement(settings), indent=1) + "\n")
        try:
            partial.rename(root)
        except OSError:
            if not _finished(root, settings):  # unless somebody else has just made the same
                raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return root


def _statement(settings: Synthetic) -> dict[str, object]:
    """What the folder says about itself."""
    return {"generator_version": GENERATOR_VERSION, "settings": asdict(settings)}


def _finished(root: Path, settings: Synthetic) -> bool:
    """Whether `root` holds just these images; False if it is absent or empty.

    Raises:
        ValueError: it holds anything else.
    """
    if not root.exists() or (root.is_dir() and not any(root.iterdir())):
        return False
    try:
        stated = json.loads((root / STATEMENT).read_text())
    except (OSError, ValueError):
        raise ValueError(
            f"{root} holds something other than generated images (no readable {STATEMENT}); "
            f"name a new folder."
        ) from None
    wanted = _statement(settings)
    if stated != wanted:
        raise ValueError(
            f"{root} holds images generated with other settings or another version of the "
            f"generator ({json.dumps(stated)}, asked for {json.dumps(wanted)}); name a new folder "
            f"or delete this one."
        )
    return True


def _draw_all(settings: Synthetic, folder: Path, workers: int) -> Iterator[int]:
    """Draw every shot; yield how many were drawn each time some are."""
    shots = plan(settings)
    chunks = [shots[start : start + CHUNK] for start in range(0, len(shots), CHUNK)]
    if workers == 1:
        for chunk in chunks:
            yield _draw(settings, folder, chunk)
        return
    # Forked children would inherit the locks of the caller's threads; spawned ones do not.
    pool = ProcessPoolExecutor(
        min(workers, len(chunks)), mp_context=get_context("spawn"), initializer=end_with_parent
    )
    try:
        for future in as_completed([pool.submit(_draw, settings, folder, c) for c in chunks]):
            yield future.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _draw(settings: Synthetic, folder: Path, shots: Sequence[Shot]) -> int:
    """Draw some shots into their files."""
    size = (settings.height, settings.width)
    everybody = settings.train_identities + settings.test_identities + settings.distractors
    subjects = roster(settings.kind, settings.seed, everybody)
    cameras = _cameras(settings)
    for shot in shots:
        camera = cameras[shot.camera]
        moment = stream(
            "image", settings.seed, settings.kind, shot.role, shot.subject, shot.camera, shot.index
        )
        picture = photograph(
            subjects[shot.subject], camera, moment, size, settings.difficulty,
            bad=shot.role == "junk",
        )  # fmt: skip
        picture.save(folder / shot.file, "JPEG", quality=camera.quality)
    return len(shots)


@lru_cache(maxsize=2)
def _cameras(settings: Synthetic) -> tuple[Camera, ...]:
    """All cameras of the settings; kept, because their streets take a while to draw."""
    return tuple(
        sample_camera(
            stream("camera", settings.seed, settings.kind, number),
            number, settings.height, settings.width, settings.difficulty,
        )
        for number in range(settings.cameras)
    )  # fmt: skip


def plan(settings: Synthetic) -> list[Shot]:
    """Every image to draw; the roster holds training identities, test identities, distractors."""
    first = settings.train_identities
    last = first + settings.test_identities
    wanted = [  # folder, role, subject, camera, index
        *((TRAIN, "train", *rest) for rest in _each(settings, range(first), settings.train_images)),
        *((QUERY, "query", *rest) for rest in _queries(settings, range(first, last))),
        *(
            (GALLERY, "gallery", *rest)
            for rest in _each(settings, range(first, last), settings.gallery_images)
        ),
        *(
            (GALLERY, "distractor", last + number, number % settings.cameras, 0)
            for number in range(settings.distractors)
        ),
        *(
            (
                GALLERY,
                "junk",
                first + number % settings.test_identities,
                number % settings.cameras,
                number,
            )
            for number in range(settings.junk)
        ),
    ]
    return [
        Shot(f"{folder}/{_name(role, subject, camera, frame)}", role, subject, camera, index)
        for frame, (folder, role, subject, camera, index) in enumerate(wanted, start=1)
    ]


def _each(settings: Synthetic, subjects: range, images: int) -> Iterator[tuple[int, int, int]]:
    """(subject, camera, index) of `images` images of every subject by every camera."""
    return product(subjects, range(settings.cameras), range(images))


def _queries(settings: Synthetic, subjects: range) -> Iterator[tuple[int, int, int]]:
    """(subject, camera, 0) of every query: each subject has cameras of its own."""
    for subject in subjects:
        chooser = stream("queries", settings.seed, settings.kind, subject)
        chosen = chooser.permutation(settings.cameras)[: settings.queries]
        for camera in sorted(chosen.tolist()):
            yield subject, camera, 0


def _name(role: str, subject: int, camera: int, frame: int) -> str:
    """A file name of Market-1501; `frame` is unique, and box 00 marks a query."""
    label = {"distractor": "0000", "junk": "-1"}.get(role, f"{subject + 1:04d}")
    return f"{label}_c{camera + 1}s1_{frame:06d}_{'00' if role == 'query' else '01'}.jpg"

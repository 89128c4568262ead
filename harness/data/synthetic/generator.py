"""Synthetic images of people or vehicles, written to disk in the layout of Market-1501.

An identity is a combination of visible attributes. A camera has its own colours, sharpness, light,
background and usual point of view. Every image has its own pose, framing and noise. Equal settings
give equal bytes (`harness/data/synthetic/writer.py`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

from harness.core.errors import DamagedFileError
from harness.core.fields import documented_field
from harness.core.file_errors import unreadable_file
from harness.core.files import read_json
from harness.core.progress import ProgressCallback, ignore_progress
from harness.data.synthetic.digests import find_lost
from harness.data.synthetic.drawing.identities import DEFAULT_SIZES
from harness.data.synthetic.drawing.randomness import random_stream
from harness.data.synthetic.layouts import arrange_market1501
from harness.data.synthetic.writer import (
    MANIFEST,
    FolderPlan,
    ImageSpec,
    RenderSettings,
    redraw_files,
    render_folder,
)

GENERATOR_VERSION = 1  # raise it with every change that changes a byte of an image
MAX_IDENTITIES, MAX_IMAGES = 9999, 999_999  # limits of the four and six digits in file names

LIMITS: dict[str, tuple[float, float]] = {
    "seed": (0, 2**63 - 1),
    "train_identities": (1, MAX_IDENTITIES),
    "train_images": (1, 1000),
    "test_identities": (1, MAX_IDENTITIES),
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
class SyntheticSettings:
    """All settings of synthetic images.

    A height or width of 0 stands for the default of the kind: 128 x 64 pixels for people, 80 x 112
    for vehicles.

    Raises:
        ValueError: A value is out of range.
    """

    kind: str = documented_field("people", "Subjects: people or vehicles")
    seed: int = documented_field(0, "Seed of all images")
    train_identities: int = documented_field(80, "Training identities")
    train_images: int = documented_field(3, "Training images per identity and camera")
    test_identities: int = documented_field(50, "Test identities")
    queries: int = documented_field(2, "Queries per test identity, each from another camera")
    gallery_images: int = documented_field(2, "Gallery images per test identity and camera")
    distractors: int = documented_field(40, "Gallery images of people in no query, named 0000_...")
    junk: int = documented_field(12, "Gallery images of a part of an identity, named -1_...")
    cameras: int = documented_field(6, "Cameras")
    height: int = documented_field(0, "Height of an image; 0: the kind's own", "pixels")
    width: int = documented_field(0, "Width of an image; 0: the kind's own", "pixels")
    difficulty: float = documented_field(0.4, "Variation between cameras and images, 0 to 1")

    def __post_init__(self) -> None:
        if self.kind not in DEFAULT_SIZES:
            raise ValueError(f"kind is {self.kind!r}; it must be {' or '.join(DEFAULT_SIZES)}.")
        height, width = DEFAULT_SIZES[self.kind]
        object.__setattr__(self, "height", self.height or height)
        object.__setattr__(self, "width", self.width or width)
        for name, (low, high) in LIMITS.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"{name} is {value}; it must be {low} to {high}.")
        if self.queries > self.cameras:
            raise ValueError(
                f"queries is {self.queries}; it must be 1 to {self.cameras}, the number of "
                f"cameras, because each query of an identity comes from another camera."
            )
        if self.train_identities + self.test_identities > MAX_IDENTITIES:
            raise ValueError(
                f"train_identities + test_identities is "
                f"{self.train_identities + self.test_identities}; it must be at most "
                f"{MAX_IDENTITIES}."
            )
        if self.images > MAX_IMAGES:
            raise ValueError(
                f"The settings give {self.images} images in total; at most {MAX_IMAGES} are "
                "allowed."
            )

    @property
    def render_settings(self) -> RenderSettings:
        """Settings that all images share."""
        subjects = self.train_identities + self.test_identities + self.distractors
        return RenderSettings(
            self.kind, self.seed, self.height, self.width, self.difficulty, self.cameras, subjects
        )

    @property
    def images(self) -> int:
        """Total number of images."""
        train = self.train_identities * self.cameras * self.train_images
        test = self.test_identities * (self.cameras * self.gallery_images + self.queries)
        return train + test + self.distractors + self.junk


def _ignore(text: str) -> None:
    """Report nothing."""


def generate(
    root: Path,
    settings: SyntheticSettings,
    *,
    workers: int = 1,
    progress: ProgressCallback = ignore_progress,
    report: Callable[[str], object] = _ignore,
) -> Path:
    """Write synthetic images to `root`, unless they are there already.

    Everything is written to a folder next to `root`, which is renamed when it is complete. Files
    that were lost or damaged since are drawn again.

    Args:
        root: Folder to write.
        settings: Settings of the images.
        workers: Number of processes; more than one needs an importable main module, as
            `multiprocessing` does.
        progress: Called with the number of images drawn.
        report: Called with a line if files are drawn again.

    Returns:
        `root`.

    Raises:
        ValueError: `root` contains anything else, or `workers` is not positive.
        SetupError: The files cannot be written, or those that are there cannot be read or cannot
            be drawn again with the same bytes.
    """
    plan = _plan_folder(settings)
    if is_complete(root, settings):
        if lost := find_lost_files(root, settings):
            again = "drawing it again" if len(lost) == 1 else "drawing them again"
            report(f"{describe_lost(root, lost)}; {again}.")
            drawing = settings.render_settings
            redraw_files(root, drawing, plan, lost, workers=workers, progress=progress)
        return root
    try:
        render_folder(root, settings.render_settings, plan, workers=workers, progress=progress)
    except OSError:
        if not is_complete(root, settings):  # another process may have written the same meanwhile
            raise
    return root


def find_lost_files(root: Path, settings: SyntheticSettings) -> list[str]:
    """Return the files of a complete folder that are missing or not as they were drawn.

    Raises:
        UnreadableFileError: A file cannot be read.
    """
    plan = _plan_folder(settings)
    return find_lost(root, [*plan.images, *plan.copies, *plan.texts])


def describe_lost(root: Path, lost: Sequence[str]) -> str:
    """Return which files of a folder were lost, as the beginning of a sentence."""
    if len(lost) == 1:
        return f"{root / lost[0]}, a generated file, was lost or damaged"
    return f"{root / lost[0]} and {len(lost) - 1} more generated files were lost or damaged"


def _plan_folder(settings: SyntheticSettings) -> FolderPlan:
    plan = arrange_market1501(plan_from_settings(settings))
    plan.texts[MANIFEST] = json.dumps(manifest(settings), indent=1) + "\n"
    return plan


def manifest(settings: SyntheticSettings) -> dict[str, object]:
    """Return the content of the folder's manifest, from which the images can be made again."""
    return {"generator_version": GENERATOR_VERSION, "settings": asdict(settings)}


def is_complete(root: Path, settings: SyntheticSettings) -> bool:
    """Return True if `root` contains exactly these images, False if it is missing or empty.

    Raises:
        ValueError: It contains anything else.
        UnreadableFileError: It cannot be read.
    """
    try:
        if not root.exists() or (root.is_dir() and not any(root.iterdir())):
            return False
        stored = read_json(root / MANIFEST) if root.is_dir() else None
    except DamagedFileError:
        stored = None
    except OSError as error:
        raise unreadable_file(root, error) from error
    if stored is None:
        raise ValueError(
            f"{root} contains something other than generated images (no readable {MANIFEST}). "
            f"Choose a new folder."
        )
    expected = manifest(settings)
    if stored != expected:
        raise ValueError(
            f"{root} contains images generated with other settings or by another version of the "
            f"generator ({json.dumps(stored)} instead of {json.dumps(expected)}). Choose a new "
            f"folder or delete this one."
        )
    return True


def plan_from_settings(settings: SyntheticSettings) -> list[ImageSpec]:
    """Plan all images of a dataset with the given settings.

    Subjects are numbered: training identities first, then test identities, then distractors.
    """
    first = settings.train_identities
    end = first + settings.test_identities
    train, test = range(first), range(first, end)
    specs = [  # role, subject, camera, index
        *(("train", *spec) for spec in _plan_subjects(settings, train, settings.train_images)),
        *(("query", *spec) for spec in _plan_queries(settings, test)),
        *(("gallery", *spec) for spec in _plan_subjects(settings, test, settings.gallery_images)),
        *(
            ("distractor", end + number, number % settings.cameras, 0)
            for number in range(settings.distractors)
        ),
        *(
            ("junk", first + number % settings.test_identities, number % settings.cameras, number)
            for number in range(settings.junk)
        ),
    ]
    return [ImageSpec(*spec, frame) for frame, spec in enumerate(specs, start=1)]


def _plan_subjects(
    settings: SyntheticSettings, subjects: range, images: int
) -> Iterator[tuple[int, int, int]]:
    """Return (subject, camera, index) of `images` images of every subject from every camera."""
    return product(subjects, range(settings.cameras), range(images))


def _plan_queries(settings: SyntheticSettings, subjects: range) -> Iterator[tuple[int, int, int]]:
    """Yield (subject, camera, 0) of every query; each subject has its own choice of cameras."""
    for subject in subjects:
        random = random_stream("queries", settings.seed, settings.kind, subject)
        chosen = random.permutation(settings.cameras)[: settings.queries]
        for camera in sorted(chosen.tolist()):
            yield subject, camera, 0

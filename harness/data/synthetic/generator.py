"""Images drawn rather than photographed, on disk in Market-1501's layout.

An identity is a combination of visible attributes; a camera has colours, sharpness, light, a street
and a usual point of view of its own; every image has its own moment. Equal settings give equal
bytes (`harness/data/synthetic/writer.py`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

from harness.data.synthetic.drawing.contact_sheet import contact_sheet
from harness.data.synthetic.drawing.identities import SIZES
from harness.data.synthetic.drawing.randomness import stream
from harness.data.synthetic.layouts import market1501
from harness.data.synthetic.writer import MANIFEST, ImageSpec, RenderSettings, render_folder

__all__ = ["GENERATOR_VERSION", "SyntheticSettings", "contact_sheet", "generate"]

GENERATOR_VERSION = 1  # to be raised with any change that moves a byte
MOST_IDENTITIES, MOST_IMAGES = 9999, 999_999  # what four and six digits can name

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
class SyntheticSettings:
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
    def studio(self) -> RenderSettings:
        """What all the images share."""
        subjects = self.train_identities + self.test_identities + self.distractors
        return RenderSettings(
            self.kind, self.seed, self.height, self.width, self.difficulty, self.cameras, subjects
        )

    @property
    def images(self) -> int:
        """How many files there will be."""
        trained = self.train_identities * self.cameras * self.train_images
        tested = self.test_identities * (self.cameras * self.gallery_images + self.queries)
        return trained + tested + self.distractors + self.junk


def generate(
    root: Path,
    settings: SyntheticSettings,
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
    if _finished(root, settings):
        return root
    tree = market1501(plan_images(settings))
    tree.texts[MANIFEST] = json.dumps(manifest(settings), indent=1) + "\n"
    try:
        render_folder(root, settings.studio, tree, workers=workers, progress=progress)
    except OSError:
        if not _finished(root, settings):  # unless somebody else has just made the same
            raise
    return root


def manifest(settings: SyntheticSettings) -> dict[str, object]:
    """What the folder says about itself."""
    return {"generator_version": GENERATOR_VERSION, "settings": asdict(settings)}


def _finished(root: Path, settings: SyntheticSettings) -> bool:
    """Whether `root` holds just these images; False if it is absent or empty.

    Raises:
        ValueError: it holds anything else.
    """
    if not root.exists() or (root.is_dir() and not any(root.iterdir())):
        return False
    try:
        stated = json.loads((root / MANIFEST).read_text())
    except (OSError, ValueError):
        raise ValueError(
            f"{root} holds something other than generated images (no readable {MANIFEST}); "
            f"name a new folder."
        ) from None
    wanted = manifest(settings)
    if stated != wanted:
        raise ValueError(
            f"{root} holds images generated with other settings or another version of the "
            f"generator ({json.dumps(stated)}, asked for {json.dumps(wanted)}); name a new folder "
            f"or delete this one."
        )
    return True


def plan_images(settings: SyntheticSettings) -> list[ImageSpec]:
    """Every image to draw; the roster holds training identities, test identities, distractors."""
    first = settings.train_identities
    last = first + settings.test_identities
    wanted = [  # role, subject, camera, index
        *(("train", *rest) for rest in _each(settings, range(first), settings.train_images)),
        *(("query", *rest) for rest in _queries(settings, range(first, last))),
        *(
            ("gallery", *rest)
            for rest in _each(settings, range(first, last), settings.gallery_images)
        ),
        *(
            ("distractor", last + number, number % settings.cameras, 0)
            for number in range(settings.distractors)
        ),
        *(
            ("junk", first + number % settings.test_identities, number % settings.cameras, number)
            for number in range(settings.junk)
        ),
    ]
    return [ImageSpec(*what, frame) for frame, what in enumerate(wanted, start=1)]


def _each(
    settings: SyntheticSettings, subjects: range, images: int
) -> Iterator[tuple[int, int, int]]:
    """(subject, camera, index) of `images` images of every subject by every camera."""
    return product(subjects, range(settings.cameras), range(images))


def _queries(settings: SyntheticSettings, subjects: range) -> Iterator[tuple[int, int, int]]:
    """(subject, camera, 0) of every query: each subject has cameras of its own."""
    for subject in subjects:
        chooser = stream("queries", settings.seed, settings.kind, subject)
        chosen = chooser.permutation(settings.cameras)[: settings.queries]
        for camera in sorted(chosen.tolist()):
            yield subject, camera, 0

"""Images per second and core: from the pixel cache, and by the usual per-image pipeline.

The usual one opens a file with Pillow, resizes, flips, pads and crops it with torchvision, makes a
tensor, normalises and erases, one image at a time in every epoch. Ours decodes once and augments a
batch. Both read files that the system has in memory, on one thread, and take turns.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torchvision import transforms

from harness.core.seeding import make_generator
from harness.data.augmentation import (
    ERASED_AREA,
    ERASED_RATIO,
    MEAN,
    STD,
    apply_augmentation,
    sample_augmentation,
)
from harness.data.datasets.market1501 import FOLDERS, NAME, load_folders
from harness.data.decoding import decode
from harness.data.pixel_cache import open_cache
from harness.data.synthetic.generator import SyntheticSettings, generate
from harness.runs.spec import Recipe

CAMERAS = 4


@dataclass(frozen=True, slots=True)
class Source:
    """Images as a dataset distributes them: what they show and how large they are, in pixels.

    All of Market-1501's are 128 x 64; of the others, whose sizes vary, it is a typical one.
    """

    kind: str
    height: int
    width: int
    size: tuple[int, int]  # that networks are trained at


SOURCES = {
    "market1501": Source("people", 128, 64, (256, 128)),
    "dukemtmc": Source("people", 240, 110, (256, 128)),
    "msmt17": Source("people", 350, 140, (256, 128)),
    "veri776": Source("vehicles", 250, 280, (256, 256)),
    "vehicleid": Source("vehicles", 400, 460, (256, 256)),
}


@dataclass(frozen=True, slots=True)
class LoaderThroughput:
    """Images per second on one core; `decoding`: of the one pass that fills the cache."""

    usual: float
    ours: float
    decoding: float

    @property
    def ratio(self) -> float:
        """How many times faster ours is."""
        return self.ours / self.usual


def measure_loader(source: Source, images: int, rounds: int) -> LoaderThroughput:
    """Load and augment about `images` images `rounds` times in both ways; medians of the rounds."""
    height, width = source.size
    recipe = Recipe(height=height, width=width)
    settings = SyntheticSettings(
        kind=source.kind,
        train_identities=max(1, images // (2 * CAMERAS)),
        train_images=2,
        test_identities=1,
        queries=1,
        gallery_images=1,
        distractors=0,
        junk=0,
        cameras=CAMERAS,
        height=source.height,
        width=source.width,
    )
    with tempfile.TemporaryDirectory() as folder, _one_thread():
        data = load_folders("bench", generate(Path(folder) / "x", settings), FOLDERS, NAME)
        began = time.perf_counter()
        train, _ = open_cache(data, source.size, Path(folder) / "cache")
        decoding = (len(data.train) + len(data.test)) / (time.perf_counter() - began)
        files = [data.root / image.file for image in data.train]
        usual = usual_pipeline(recipe)

        def ours(number: int) -> Tensor:
            random = make_generator("bench", number)
            return apply_augmentation(
                train[range(len(files))], sample_augmentation(len(files), recipe, random)
            )

        def theirs(number: int) -> Tensor:
            torch.manual_seed(number)
            return torch.stack([usual(file) for file in files])

        seconds: dict[str, list[float]] = {"usual": [], "ours": []}
        for number in range(rounds + 1):  # the first round is not counted
            for name, way in (("usual", theirs), ("ours", ours)):
                began = time.perf_counter()
                way(number)
                seconds[name].append(time.perf_counter() - began)
        speed = {name: len(files) / statistics.median(t[1:]) for name, t in seconds.items()}
    return LoaderThroughput(speed["usual"], speed["ours"], decoding)


def usual_pipeline(recipe: Recipe) -> Callable[[Path], Tensor]:
    """From a file to an augmented (3, H, W) float32 image by torchvision's operators on Pillow."""
    steps = transforms.Compose(
        [
            transforms.Resize((recipe.height, recipe.width)),
            transforms.RandomHorizontalFlip(recipe.flip),
            transforms.Pad(recipe.pad),
            transforms.RandomCrop((recipe.height, recipe.width)),
            transforms.ToTensor(),
            transforms.Normalize(MEAN, STD),
            transforms.RandomErasing(recipe.erase, ERASED_AREA, ERASED_RATIO),
        ]
    )

    def load(file: Path) -> Tensor:
        image: Tensor = steps(decode(file))
        return image

    return load


@contextmanager
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)

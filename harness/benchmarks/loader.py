"""Benchmark of loading from the pixel cache against the usual pipeline per image, on one core.

The baseline decodes a file with Pillow and resizes, flips, pads, crops, normalises and erases it
with torchvision, one image at a time in every epoch. The cache decodes once, and batches are
augmented as a whole. Both read files that the system holds in memory, and take turns.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
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
from harness.data.datasets.market1501 import FILENAME_PATTERN, FOLDER_NAMES, load_folders
from harness.data.decoding import decode_image
from harness.data.pixel_cache import open_cache
from harness.data.synthetic.generator import SyntheticSettings, generate
from harness.runs.spec import Recipe

CAMERAS = 4


@dataclass(frozen=True, slots=True)
class ImageSource:
    """Images as a dataset distributes them.

    Attributes:
        kind: What they show, "people" or "vehicles".
        height: Height in pixels; a typical one where the sizes vary.
        width: Width in pixels.
        size: Height and width at which networks are trained.
    """

    kind: str
    height: int
    width: int
    size: tuple[int, int]


IMAGE_SOURCES = {
    "market1501": ImageSource("people", 128, 64, (256, 128)),
    "dukemtmc": ImageSource("people", 240, 110, (256, 128)),
    "msmt17": ImageSource("people", 350, 140, (256, 128)),
    "veri776": ImageSource("vehicles", 250, 280, (256, 256)),
    "vehicleid": ImageSource("vehicles", 400, 460, (256, 256)),
}


@dataclass(frozen=True, slots=True)
class LoaderThroughput:
    """Images per second on one core.

    Attributes:
        baseline: By torchvision's operators.
        cached: From the pixel cache.
        filling: In the single pass that fills the cache.
    """

    baseline: float
    cached: float
    filling: float

    @property
    def ratio(self) -> float:
        """Throughput of the cache divided by that of the baseline."""
        return self.cached / self.baseline


def measure_throughput(source: ImageSource, images: int, rounds: int) -> LoaderThroughput:
    """Measure the loading and augmentation of generated images in both ways.

    Args:
        source: Kind and size of the images.
        images: Approximate number of images per round.
        rounds: Timed rounds, of which the median counts, after one round to warm up.
    """
    height, width = source.size
    recipe = Recipe(height=height, width=width)
    with tempfile.TemporaryDirectory() as folder, _one_thread():
        root = generate(Path(folder) / "images", _settings(source, images))
        data = load_folders("bench", root, FOLDER_NAMES, FILENAME_PATTERN)
        start = time.perf_counter()
        train, _ = open_cache(data, source.size, Path(folder) / "cache")
        filling = (len(data.train) + len(data.test)) / (time.perf_counter() - start)
        files = [data.root / image.file for image in data.train]
        load_image = torchvision_pipeline(recipe)

        def load_baseline(number: int) -> Tensor:
            torch.manual_seed(number)
            return torch.stack([load_image(file) for file in files])

        def load_cached(number: int) -> Tensor:
            augmentation = sample_augmentation(len(files), recipe, make_generator("bench", number))
            return apply_augmentation(train[range(len(files))], augmentation)

        baseline, cached = _median_seconds((load_baseline, load_cached), rounds)
    return LoaderThroughput(len(files) / baseline, len(files) / cached, filling)


def _settings(source: ImageSource, images: int) -> SyntheticSettings:
    """Return settings for about `images` training images and a minimal test set."""
    return SyntheticSettings(
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


def _median_seconds(loaders: Sequence[Callable[[int], Tensor]], rounds: int) -> list[float]:
    """Time functions of the round's number in turns; the first round is not counted."""
    seconds: list[list[float]] = [[] for _ in loaders]
    for number in range(rounds + 1):
        for load, times in zip(loaders, seconds, strict=True):
            start = time.perf_counter()
            load(number)
            times.append(time.perf_counter() - start)
    return [statistics.median(times[1:]) for times in seconds]


def torchvision_pipeline(recipe: Recipe) -> Callable[[Path], Tensor]:
    """Return the baseline: a function from a file to an augmented image, (3, H, W) float32."""
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
        image: Tensor = steps(decode_image(file))
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

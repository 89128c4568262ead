"""Image counts of the real datasets, and plans of rendered images with the same counts.

Numbers that the datasets' authors do not publish, such as the number of images of each identity and
camera, are random: some identities have many images and most have few, and each is seen by its own
selection of cameras. Every query has a match in the gallery from another camera.

The counts of subsets are also in configs/dataset/*.yaml, which copies are checked against; a test
compares the two.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from harness.data.synthetic.drawing.randomness import random_stream
from harness.data.synthetic.writer import ImageSpec

MIN_IMAGES = 12  # of a scaled-down copy
GAMMA_SHAPE = 2.0  # of the gamma distribution that weights images per identity; small: more uneven

UnnumberedSpec = tuple[str, int, int, int]  # an `ImageSpec` without frame: role to index


@dataclass(frozen=True, slots=True)
class SubsetCounts:
    """Number of identities and of their images."""

    identities: int
    images: int


@dataclass(frozen=True, slots=True)
class DatasetCounts:
    """Counts of a dataset."""

    cameras: int
    train: SubsetCounts  # validation included
    tests: tuple[SubsetCounts, ...]  # searched identities; each nested test list adds one entry
    queries: int = 0  # of the identities of `tests`, not among their images; 0: sampled at scoring
    validation: int = 0  # of the training images
    distractors: SubsetCounts = SubsetCounts(0, 0)
    junk: int = 0

    @property
    def images(self) -> int:
        """Total number of images."""
        subsets = (self.train, *self.tests, self.distractors)
        return sum(subset.images for subset in subsets) + self.queries + self.junk

    @property
    def subjects(self) -> int:
        """Total number of people or vehicles."""
        subsets = (self.train, *self.tests, self.distractors)
        return sum(subset.identities for subset in subsets)


# Market-1501: 13,115 + 2,798 + 3,819 = 19,732 files in its gallery. The number of images of Duke's
# 408 distractors is not published; here each has as many as the other identities. VeRi: 9,901 and
# 1,678 queries are the 11,579 images of its gallery. VehicleID: the released lists; its images
# have cameras that no file names.
REAL_COUNTS = {
    "market1501": DatasetCounts(
        cameras=6,
        train=SubsetCounts(751, 12_936),
        tests=(SubsetCounts(750, 13_115),),
        queries=3368,
        distractors=SubsetCounts(2798, 2798),
        junk=3819,
    ),
    "dukemtmc": DatasetCounts(
        cameras=8,
        train=SubsetCounts(702, 16_522),
        tests=(SubsetCounts(702, 11_170),),
        queries=2228,
        distractors=SubsetCounts(408, 6491),
    ),
    "msmt17": DatasetCounts(
        cameras=15,
        train=SubsetCounts(1041, 32_621),
        tests=(SubsetCounts(3060, 82_161),),
        queries=11_659,
        validation=2373,
    ),
    "veri776": DatasetCounts(
        cameras=20,
        train=SubsetCounts(576, 37_778),
        tests=(SubsetCounts(200, 9901),),
        queries=1678,
    ),
    "vehicleid": DatasetCounts(
        cameras=12,
        train=SubsetCounts(13_164, 113_346),
        tests=(SubsetCounts(800, 6493), SubsetCounts(800, 6884), SubsetCounts(800, 6400)),
    ),
}


def scale_counts(counts: DatasetCounts, images: int) -> DatasetCounts:
    """Return the counts of a smaller dataset with the same proportions.

    Whatever the dataset has, the smaller one has at least once, with at least two training
    identities and two images of every identity. Below 20 images this may add one or two more.

    Args:
        counts: Counts of the whole dataset.
        images: Total number of images of the smaller one.

    Raises:
        ValueError: `images` is below `MIN_IMAGES` or above the number of the whole dataset.
    """
    if not MIN_IMAGES <= images <= counts.images:
        raise ValueError(
            f"The number of images is {images:,}; it must be {MIN_IMAGES} to {counts.images:,}."
        )
    share = images / counts.images

    def scale(subset: SubsetCounts, min_identities: int, min_images: int) -> SubsetCounts:
        identities = 0
        if subset.identities:
            identities = max(min_identities, round(subset.identities * share))
        return SubsetCounts(identities, max(min_images * identities, round(subset.images * share)))

    tests = tuple(scale(test, 1 if len(counts.tests) > 1 else 2, 2) for test in counts.tests)
    searched = sum(test.identities for test in tests)
    queries = min(max(searched, round(counts.queries * share)), searched * counts.cameras)
    scaled = DatasetCounts(
        counts.cameras,
        scale(counts.train, 2, 2),
        tests,
        queries=queries if counts.queries else 0,
        validation=round(counts.validation * share),
        distractors=scale(counts.distractors, 1, 1),
        junk=max(1, round(counts.junk * share)) if counts.junk else 0,
    )
    # The training set takes what rounding has left over or used too much.
    train, rest = scaled.train, images - scaled.images + scaled.train.images
    return replace(scaled, train=SubsetCounts(train.identities, max(2 * train.identities, rest)))


def plan_from_counts(counts: DatasetCounts, seed: int) -> list[ImageSpec]:
    """Plan all images of a dataset with the given counts.

    Subjects are numbered: training identities first, then test identities, then distractors.
    """
    first = counts.train.identities
    end = first + sum(test.identities for test in counts.tests)
    specs = [
        *_plan_training(counts, seed),
        *_plan_test(counts, seed, range(first, end)),
        *_plan_subset(counts, seed, "distractor", counts.distractors, end),
        *(
            ("junk", first + number % (end - first), number % counts.cameras, number)
            for number in range(counts.junk)
        ),
    ]
    return [ImageSpec(*spec, frame) for frame, spec in enumerate(specs, start=1)]


def _plan_training(counts: DatasetCounts, seed: int) -> Iterator[UnnumberedSpec]:
    """Plan the training images, with the validation images evenly spread among them."""
    part, total = counts.validation, counts.train.images
    specs = _plan_subset(counts, seed, "train", counts.train, 0)
    for number, (role, subject, camera, index) in enumerate(specs):
        is_validation = (number + 1) * part // total > number * part // total
        yield "validation" if is_validation else role, subject, camera, index


def _plan_subset(
    counts: DatasetCounts, seed: int, role: str, subset: SubsetCounts, first: int
) -> Iterator[UnnumberedSpec]:
    """Plan the images of one subset, whose subjects are numbered from `first`."""
    least = min(2, subset.images // subset.identities) if subset.identities else 0
    images_each = random_partition(
        subset.images, subset.identities, least, random_stream("census", seed, role, first)
    )
    for subject, count in enumerate(images_each, first):
        random = random_stream("census", seed, "cameras", subject)
        order = random.permutation(counts.cameras).tolist()
        cameras = order[: int(random.integers(2, len(order) + 1))]
        yield from _plan_subject(role, subject, cameras, count, random)


def _plan_test(counts: DatasetCounts, seed: int, subjects: range) -> Iterator[UnnumberedSpec]:
    """Plan queries, each of a subject from another camera, and the gallery images."""
    if not counts.queries:
        start = subjects.start
        for subset in counts.tests:
            yield from _plan_subset(counts, seed, "gallery", subset, start)
            start += subset.identities
        return
    random = random_stream("census", seed, "queries")
    queries_each = random_partition(counts.queries, len(subjects), 1, random, most=counts.cameras)
    (test,) = counts.tests
    images_each = random_partition(
        test.images, len(subjects), 2, random_stream("census", seed, "gallery")
    )
    for subject, queries, images in zip(subjects, queries_each, images_each, strict=True):
        random = random_stream("census", seed, "cameras", subject)
        order = random.permutation(counts.cameras).tolist()
        yield from (("query", subject, camera, 0) for camera in order[:queries])
        yield from _plan_subject("gallery", subject, order[: max(2, queries)], images, random)


def _plan_subject(
    role: str, subject: int, cameras: Sequence[int], count: int, random: np.random.Generator
) -> Iterator[UnnumberedSpec]:
    """Plan `count` images of one subject: one from each camera in order, then from random ones."""
    for index in range(count):
        position = index if index < len(cameras) else int(random.integers(len(cameras)))
        yield role, subject, cameras[position], index


def random_partition(
    total: int, count: int, least: int, random: np.random.Generator, *, most: int | None = None
) -> list[int]:
    """Split a number into a few large and many small random parts.

    Args:
        total: Sum of the parts.
        count: Number of parts.
        least: Smallest part allowed.
        random: Random generator.
        most: Largest part allowed; by default `total`.

    Raises:
        ValueError: No such parts exist.
    """
    most = total if most is None else most
    if not least * count <= total <= most * count:
        raise ValueError(f"{total} is not a sum of {count} numbers from {least} to {most}.")
    weights = random.gamma(GAMMA_SHAPE, size=count)
    parts = np.full(count, least)
    # Parts that reach `most` drop out of the next round, until nothing is left to distribute.
    while rest := total - int(parts.sum()):
        free = np.flatnonzero(parts < most)
        added = random.multinomial(rest, weights[free] / weights[free].sum())
        parts[free] += np.minimum(added, most - parts[free])
    return [int(part) for part in parts]

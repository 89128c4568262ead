"""How many images of whom a real dataset holds, and a plan of drawn ones that counts the same.

Numbers that the datasets' authors do not state, such as how the images spread over identities and
cameras, are drawn: some identities have many images and some few, and each is seen by cameras of
its own. Every query has a match in the gallery that another camera saw.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from harness.data.synthetic.drawing.randomness import stream
from harness.data.synthetic.writer import ImageSpec

FEWEST = 12  # images that a smaller copy can be asked to have
UNEVEN = 2.0  # shape of the gamma distribution that images per identity come from


@dataclass(frozen=True, slots=True)
class SubsetCounts:
    """Some identities and all their images."""

    identities: int
    images: int


@dataclass(frozen=True, slots=True)
class DatasetCounts:
    """What one dataset counts."""

    cameras: int
    train: SubsetCounts  # validation included
    tests: tuple[SubsetCounts, ...]  # identities to search for; nested test lists add one part each
    queries: int = 0  # of the identities of `tests`, beside their images; 0: drawn when scoring
    validation: int = 0  # of the training images
    distractors: SubsetCounts = SubsetCounts(0, 0)
    junk: int = 0

    @property
    def images(self) -> int:
        """How many images there are in all."""
        parts = (self.train, *self.tests, self.distractors)
        return sum(part.images for part in parts) + self.queries + self.junk

    @property
    def subjects(self) -> int:
        """How many people or vehicles there are in all."""
        parts = (self.train, *self.tests, self.distractors)
        return sum(part.identities for part in parts)


# Market-1501: 13,115 + 2,798 + 3,819 = 19,732 files in its gallery. How many images show Duke's 408
# distractors is not stated: here as many each as of the others. VeRi: 9,901 + 1,678 queries =
# 11,579 in its gallery. VehicleID: as released; its images have cameras that nothing names.
REAL_COUNTS = {
    "market1501": DatasetCounts(
        6,
        SubsetCounts(751, 12_936),
        (SubsetCounts(750, 13_115),),
        queries=3368,
        distractors=SubsetCounts(2798, 2798),
        junk=3819,
    ),
    "dukemtmc": DatasetCounts(
        8,
        SubsetCounts(702, 16_522),
        (SubsetCounts(702, 11_170),),
        queries=2228,
        distractors=SubsetCounts(408, 6491),
    ),
    "msmt17": DatasetCounts(
        15,
        SubsetCounts(1041, 32_621),
        (SubsetCounts(3060, 82_161),),
        queries=11_659,
        validation=2373,
    ),
    "veri776": DatasetCounts(
        20, SubsetCounts(576, 37_778), (SubsetCounts(200, 9901),), queries=1678
    ),
    "vehicleid": DatasetCounts(
        12,
        SubsetCounts(13_164, 113_346),
        (SubsetCounts(800, 6493), SubsetCounts(800, 6884), SubsetCounts(800, 6400)),
    ),
}


def scale_counts(census: DatasetCounts, images: int) -> DatasetCounts:
    """A smaller dataset of `images` images in the same proportions.

    Everything that the dataset has is there at least once, two training identities and two images
    of every identity at least, so that fewer than 20 images may become one or two more.

    Raises:
        ValueError: `images` is less than `FEWEST` or more than there are.
    """
    if not FEWEST <= images <= census.images:
        raise ValueError(
            f"The number of images is {images:,}; allowed is {FEWEST} to {census.images:,}."
        )
    share = images / census.images

    def part(whole: SubsetCounts, identities: int, each: int) -> SubsetCounts:
        people = max(identities, round(whole.identities * share)) if whole.identities else 0
        return SubsetCounts(people, max(each * people, round(whole.images * share)))

    tests = tuple(part(test, 1 if len(census.tests) > 1 else 2, 2) for test in census.tests)
    people = sum(test.identities for test in tests)
    queries = min(max(people, round(census.queries * share)), people * census.cameras)
    found = DatasetCounts(
        census.cameras,
        part(census.train, 2, 2),
        tests,
        queries=queries if census.queries else 0,
        validation=round(census.validation * share),
        distractors=part(census.distractors, 1, 1),
        junk=max(1, round(census.junk * share)) if census.junk else 0,
    )
    train, left = found.train, images - found.images + found.train.images
    return replace(found, train=SubsetCounts(train.identities, max(2 * train.identities, left)))


def plan_images(census: DatasetCounts, seed: int) -> list[ImageSpec]:
    """Every image to draw; the roster holds training identities, test identities, distractors."""
    first = census.train.identities
    strangers = first + sum(test.identities for test in census.tests)
    wanted = [  # role, subject, camera, index
        *_train(census, seed),
        *_tests(census, seed, range(first, strangers)),
        *_each(census, seed, "distractor", census.distractors, strangers),
        *(
            ("junk", first + number % (strangers - first), number % census.cameras, number)
            for number in range(census.junk)
        ),
    ]
    return [ImageSpec(*what, frame) for frame, what in enumerate(wanted, start=1)]


What = tuple[str, int, int, int]  # role, subject, camera, index


def _train(census: DatasetCounts, seed: int) -> Iterator[What]:
    """The training images, those that validate evenly among them."""
    part, total = census.validation, census.train.images
    images = _each(census, seed, "train", census.train, 0)
    for number, (role, subject, camera, index) in enumerate(images):
        validates = (number + 1) * part // total > number * part // total
        yield "validation" if validates else role, subject, camera, index


def _each(
    census: DatasetCounts, seed: int, role: str, part: SubsetCounts, first: int
) -> Iterator[What]:
    """The images of identities of one part, the roster's `first` and those after it."""
    least = min(2, part.images // part.identities) if part.identities else 0
    counts = random_partition(
        part.images, part.identities, least, stream("census", seed, role, first)
    )
    for subject, count in enumerate(counts, first):
        random = stream("census", seed, "cameras", subject)
        order = random.permutation(census.cameras).tolist()
        seen = order[: int(random.integers(2, len(order) + 1))]
        yield from _seen(role, subject, seen, count, random)


def _tests(census: DatasetCounts, seed: int, subjects: range) -> Iterator[What]:
    """Queries, one of an identity by each of some cameras, and what they are searched in."""
    if not census.queries:
        start = subjects.start
        for part in census.tests:
            yield from _each(census, seed, "gallery", part, start)
            start += part.identities
        return
    random = stream("census", seed, "queries")
    queries = random_partition(census.queries, len(subjects), 1, random, most=census.cameras)
    (test,) = census.tests
    counts = random_partition(test.images, len(subjects), 2, stream("census", seed, "gallery"))
    for subject, asked, count in zip(subjects, queries, counts, strict=True):
        random = stream("census", seed, "cameras", subject)
        order = random.permutation(census.cameras).tolist()
        yield from (("query", subject, camera, 0) for camera in order[:asked])
        yield from _seen("gallery", subject, order[: max(2, asked)], count, random)


def _seen(
    role: str, subject: int, cameras: Sequence[int], count: int, random: np.random.Generator
) -> Iterator[What]:
    """`count` images of one subject: one by each camera in order, then by any of them."""
    for index in range(count):
        place = index if index < len(cameras) else int(random.integers(len(cameras)))
        yield role, subject, cameras[place], index


def random_partition(
    total: int, count: int, least: int, random: np.random.Generator, *, most: int | None = None
) -> list[int]:
    """`total` as `count` whole numbers from `least` to `most`, a few large and many small.

    Raises:
        ValueError: there are no such numbers.
    """
    most = total if most is None else most
    if not least * count <= total <= most * count:
        raise ValueError(f"{total} is no sum of {count} numbers from {least} to {most}.")
    weights = random.gamma(UNEVEN, size=count)
    parts = np.full(count, least)
    while left := total - int(parts.sum()):
        free = np.flatnonzero(parts < most)
        added = random.multinomial(left, weights[free] / weights[free].sum())
        parts[free] += np.minimum(added, most - parts[free])
    return [int(part) for part in parts]

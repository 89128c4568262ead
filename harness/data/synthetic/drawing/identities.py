"""Distinguishable identities: any two differ in at least two visible attributes."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from harness.data.synthetic.drawing.person import sample_person
from harness.data.synthetic.drawing.photograph import Subject
from harness.data.synthetic.drawing.randomness import random_stream
from harness.data.synthetic.drawing.vehicle import sample_vehicle

SUBJECT_SAMPLERS: dict[str, Callable[[np.random.Generator], Subject]] = {
    "people": sample_person,
    "vehicles": sample_vehicle,
}
DEFAULT_SIZES = {"people": (128, 64), "vehicles": (80, 112)}  # height, width in pixels
MIN_DIFFERENCES = 2  # attributes in which any two identities differ
MAX_ATTEMPTS = 1000  # samples for one identity


@lru_cache(maxsize=4)
def make_identities(kind: str, seed: int, count: int) -> tuple[Subject, ...]:
    """Make the first `count` identities of a seed; a longer sequence begins with a shorter one.

    Args:
        kind: "people" or "vehicles".
        seed: Seed of the dataset.
        count: Number of identities.

    Raises:
        ValueError: Fewer sufficiently different identities were found.
    """
    subjects: list[Subject] = []
    codes: dict[str, int] = {}
    attributes = np.zeros((count, 0), np.int64)
    for number in range(count):
        for attempt in range(MAX_ATTEMPTS):
            subject = SUBJECT_SAMPLERS[kind](random_stream("identity", seed, kind, number, attempt))
            code = [codes.setdefault(name, len(codes)) for name in subject.attributes]
            if number == 0:
                attributes = np.zeros((count, len(code)), np.int64)
            differences = (attributes[:number] != code).sum(axis=1)
            if number == 0 or int(differences.min()) >= MIN_DIFFERENCES:
                break
        else:
            raise ValueError(
                f"{kind}: only {number} of {count} sufficiently different identities were found. "
                f"Reduce the number of identities or distractors."
            )
        attributes[number] = code
        subjects.append(subject)
    return tuple(subjects)

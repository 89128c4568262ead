"""Identities that can be told apart: any two differ in at least two visible attributes."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from harness.data.synthetic.drawing.person import sample_person
from harness.data.synthetic.drawing.photograph import Subject
from harness.data.synthetic.drawing.randomness import stream
from harness.data.synthetic.drawing.vehicle import sample_vehicle

KINDS: dict[str, Callable[[np.random.Generator], Subject]] = {
    "people": sample_person,
    "vehicles": sample_vehicle,
}
SIZES = {"people": (128, 64), "vehicles": (80, 112)}  # height and width in pixels
APART = 2
ATTEMPTS = 1000


@lru_cache(maxsize=4)
def make_identities(kind: str, seed: int, count: int) -> tuple[Subject, ...]:
    """The first `count` identities of a seed; a longer roster begins with the shorter one.

    Raises:
        ValueError: there are not that many sufficiently different identities.
    """
    subjects: list[Subject] = []
    codes: dict[str, int] = {}
    looks = np.zeros((count, 0), np.int64)
    for number in range(count):
        for attempt in range(ATTEMPTS):
            subject = KINDS[kind](stream("identity", seed, kind, number, attempt))
            look = [codes.setdefault(name, len(codes)) for name in subject.look]
            if number == 0:
                looks = np.zeros((count, len(look)), np.int64)
            if number == 0 or int((looks[:number] != look).sum(axis=1).min()) >= APART:
                break
        else:
            raise ValueError(
                f"{kind}: only {number} sufficiently different identities were found, "
                f"{count} were asked for."
            )
        looks[number] = look
        subjects.append(subject)
    return tuple(subjects)

"""Bounds of numbers that no training needs to exceed: what is beyond them is a slip."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

MAX_THREADS = 4096  # no machine has more cores, and torch takes 32 bits
MAX_WORKERS = 1024  # threads or processes that decode or draw
MAX_COHORT_SIZE = 10_000
MAX_JOBS = 1_000_000  # as many at a time as any cluster has; Slurm's arrays take no more
LARGEST: dict[str, tuple[int, str]] = {  # of a recipe, with the reason
    "epochs": (100_000, "longer trainings do not end"),
    "identities": (10_000, "no device holds a larger batch"),
    "images_each": (10_000, "no device holds a larger batch"),
    "batch": (100_000, "no device holds a larger batch"),
    "height": (4096, "no device holds maps of larger images"),
    "width": (4096, "no device holds maps of larger images"),
    "pad": (4096, "no image is as wide as the border"),
}


def number_rules(values: Mapping[str, Any]) -> Iterator[tuple[str, bool, str]]:
    """Yield a field, whether its value is allowed, and what is allowed, for each rule.

    Args:
        values: The values of all fields of a recipe by name.
    """
    for name, (most, reason) in LARGEST.items():
        yield name, values[name] <= most, f"at most {most:,}: {reason}"
    for name, value in values.items():
        for number in value if isinstance(value, tuple) else [value]:
            if isinstance(number, float):
                yield name, math.isfinite(number), "a finite number"

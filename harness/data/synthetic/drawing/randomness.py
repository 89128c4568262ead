"""Random streams named by their purpose, so that no sample depends on the order of work."""

import hashlib
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

Option = TypeVar("Option")


def random_stream(*labels: str | int) -> np.random.Generator:
    """Return a generator that depends on the labels alone, whose seed is their sha256."""
    digest = hashlib.sha256("/".join(str(label) for label in labels).encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest, "big")))


def choose(generator: np.random.Generator, options: Sequence[Option]) -> Option:
    """Choose one of the options with equal probabilities; a repeated option is more likely."""
    return options[int(generator.integers(len(options)))]


def uniform(generator: np.random.Generator, low: float, high: float) -> float:
    """Sample a number uniformly from [low, high)."""
    return float(low + (high - low) * generator.random())

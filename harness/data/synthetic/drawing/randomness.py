"""Random streams named by what they are for, so that no draw depends on the order of work."""

import hashlib
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

Option = TypeVar("Option")


def stream(*labels: str | int) -> np.random.Generator:
    """A generator that depends on the labels alone: the sha256 of all of them is its seed."""
    digest = hashlib.sha256("/".join(str(label) for label in labels).encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest, "big")))


def pick(generator: np.random.Generator, options: Sequence[Option]) -> Option:
    """One of the options, each equally likely; an option listed twice is twice as likely."""
    return options[int(generator.integers(len(options)))]


def between(generator: np.random.Generator, low: float, high: float) -> float:
    """A number drawn evenly from [low, high)."""
    return float(low + (high - low) * generator.random())

"""Randomness as a pure function of its purpose: the position of a generator is never state."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager

import torch


def derive_seed(*parts: object) -> int:
    """Return a 63-bit seed that depends on every one of `parts` (numbers and strings)."""
    content = json.dumps(parts, separators=(",", ":")).encode()
    return int.from_bytes(hashlib.sha256(content).digest()[:8], "big") >> 1


def make_generator(*parts: object) -> torch.Generator:
    """Return a new CPU generator at the start of the stream that `parts` name."""
    return torch.Generator().manual_seed(derive_seed(*parts))


@contextmanager
def seeded_rng(*parts: object) -> Iterator[None]:
    """Start torch's global generators from `parts` within the block; restore them after it."""
    with torch.random.fork_rng():
        torch.manual_seed(derive_seed(*parts))
        yield

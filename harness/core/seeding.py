"""Randomness as a pure function of what it is for: no generator's position is ever state."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager

import torch


def derive_seed(*parts: object) -> int:
    """A 63-bit seed that depends on every one of `parts` (numbers and strings)."""
    content = json.dumps(parts, separators=(",", ":")).encode()
    return int.from_bytes(hashlib.sha256(content).digest()[:8], "big") >> 1


def make_generator(*parts: object) -> torch.Generator:
    """A CPU generator of its own, at the start of the stream that `parts` name."""
    return torch.Generator().manual_seed(derive_seed(*parts))


@contextmanager
def seeded_rng(*parts: object) -> Iterator[None]:
    """Within the block torch's global generators start from `parts`; outside they are untouched."""
    with torch.random.fork_rng():
        torch.manual_seed(derive_seed(*parts))
        yield

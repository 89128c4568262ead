"""Free TCP ports."""

from __future__ import annotations

import random
import socket
from contextlib import suppress

# Below the range from which Linux takes the ports of outgoing connections.
LOWEST, HIGHEST = 20_000, 32_000


def free(count: int) -> tuple[int, ...]:
    """Ports nobody listens on; different at each call, so that clusters may start together."""
    found: list[int] = []
    for port in random.sample(range(LOWEST, HIGHEST), k=HIGHEST - LOWEST):
        if len(found) == count:
            break
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("", port))
            found.append(port)
    return tuple(found)

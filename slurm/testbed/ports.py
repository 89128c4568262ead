"""Find free TCP ports."""

from __future__ import annotations

import random
import socket
from contextlib import suppress

# Below the range from which Linux takes the ports of outgoing connections.
FIRST_PORT, LAST_PORT = 20_000, 31_999


def find_free_ports(count: int) -> tuple[int, ...]:
    """Return ports that no process listens on, at random, so that clusters may start together."""
    ports: list[int] = []
    for port in random.sample(range(FIRST_PORT, LAST_PORT + 1), k=LAST_PORT - FIRST_PORT + 1):
        if len(ports) == count:
            break
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("", port))
            ports.append(port)
    return tuple(ports)

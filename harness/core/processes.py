"""Identify processes: on one machine, after a restart, and between containers."""

from __future__ import annotations

import socket
from contextlib import suppress
from pathlib import Path


def machine_name() -> str:
    """Return the name of this machine, its boot and its process table: containers differ."""
    parts = [socket.gethostname()]
    with suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
        parts.append(str(Path("/proc/self/ns/pid").readlink()))
    return " ".join(parts)


def start_time(process: int) -> str | None:
    """Return when a process started, in clock ticks since boot; None if it has ended."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]

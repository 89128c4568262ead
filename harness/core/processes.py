"""Identify processes: on one machine, after a restart, and between containers."""

from __future__ import annotations

import os
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


def is_hidden(process: int) -> bool:
    """Return whether a process exists that `/proc` hides, as it may those of other users."""
    if process <= 0 or start_time(process) is not None:
        return False
    try:
        os.kill(process, 0)
    except PermissionError:
        return True
    except OSError:
        return False
    return False


def start_time(process: int) -> str | None:
    """Return when a process started, in clock ticks since boot; None if it has ended."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]

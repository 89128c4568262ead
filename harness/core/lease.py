"""Ownership of a folder (a run, a cache, generated data) by one process, on any shared disk.

A lease is a file in the folder, created exclusively, that names its holder. The holder renews its
modification time. A lease is dead if its holder's process has ended (same machine) or if it was not
renewed for `TIMEOUT_S` seconds (another machine). To take over a dead lease, a process must first
create the one `takeover` file that belongs to that lease, so two processes never both succeed.
There are no file locks, because not every network file system supports them.
"""

from __future__ import annotations

import json
import os
import socket
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from harness.core.errors import KDReIDError
from harness.core.files import read_json, write_json

LEASE = "lease"  # name of the file
HEARTBEAT_S, TIMEOUT_S = 5.0, 60.0  # seconds


class LeaseLostError(KDReIDError):
    """Error for a lease that another process took over, because it was not renewed in time."""


class Lease:
    """Ownership that this process holds until `release`; renewed by a background thread.

    Args:
        path: The lease's file, which contains `token`.
        token: Unique text by which the holder recognises its own lease.
    """

    def __init__(self, path: Path, token: str) -> None:
        self.path, self._token = path, token
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._renew, daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Check that this process still holds the lease, before it writes to the folder.

        Raises:
            LeaseLostError: It does not, for example because it was suspended for too long.
        """
        if (read_json(self.path) or {}).get("token") != self._token:
            raise LeaseLostError(f"Another process has taken over {self.path.parent}.")

    def release(self) -> None:
        """End the ownership; does nothing if it was lost before."""
        self._stop.set()
        self._thread.join()
        with suppress(LeaseLostError):
            self.check()
            self.path.unlink(missing_ok=True)

    def __enter__(self) -> Lease:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()

    def _renew(self) -> None:
        while not self._stop.wait(HEARTBEAT_S):
            with suppress(OSError):
                os.utime(self.path)


def try_acquire(folder: Path) -> Lease | None:
    """Return the lease on a folder; None while another living process holds it.

    The folder is created if needed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path, token = folder / LEASE, uuid.uuid4().hex
    if _create(path, _claim(token)):
        return Lease(path, token)
    holder = read_json(path)
    if holder is None:  # released a moment ago, or not written to its end yet
        if path.exists() and _age(path) > TIMEOUT_S:
            path.unlink(missing_ok=True)
        return None
    if _is_alive(path, holder) or not _start_takeover(path, holder):
        return None
    write_json(path, _claim(token))
    _takeover_path(path, holder).unlink(missing_ok=True)
    return Lease(path, token)


@contextmanager
def acquire_blocking(folder: Path, poll: float = 0.5) -> Iterator[Lease]:
    """Hold the lease on a folder within the block, waiting while another living process holds it.

    Args:
        folder: The folder, created if needed.
        poll: Seconds between two attempts.
    """
    while (lease := try_acquire(folder)) is None:
        time.sleep(poll)
    with lease:
        yield lease


def current_holder(folder: Path) -> dict[str, Any] | None:
    """Return the holder of a folder's lease (machine, host, process ...); None if it is free.

    The age of another machine's lease is measured by the disk's clock, with a temporary file;
    `inspect_lease` writes nothing.
    """
    path = folder / LEASE
    holder = read_json(path)
    return holder if holder is not None and _is_alive(path, holder) else None


@dataclass(frozen=True, slots=True)
class LeaseInfo:
    """Lease as read by a process that writes nothing."""

    holder: dict[str, Any]
    since: float  # Unix time of the acquisition; 0 if it is not recorded
    age: float  # seconds since the last renewal, by this machine's clock
    is_alive: bool  # whether the holder still works, as far as this machine can see


def inspect_lease(folder: Path) -> LeaseInfo | None:
    """Return a folder's lease without writing to the folder; None if there is no lease."""
    path = folder / LEASE
    holder = read_json(path)
    if holder is None:
        return None
    try:
        age = time.time() - path.stat().st_mtime
    except OSError:
        return None
    is_alive = _is_process_alive(holder) if is_local(holder) else age < TIMEOUT_S
    return LeaseInfo(holder, float(holder.get("since", 0)), age, is_alive)


def is_local(holder: dict[str, Any]) -> bool:
    """Return whether a lease's holder is a process of this machine and this process table."""
    return holder.get("machine") == _machine()


def _is_alive(path: Path, holder: dict[str, Any]) -> bool:
    """Return whether the holder of a lease still works."""
    return _is_process_alive(holder) if is_local(holder) else _age(path) < TIMEOUT_S


def _is_process_alive(holder: dict[str, Any]) -> bool:
    """Return whether a holder on this machine is still running.

    The start time tells it from a later process that was given the same number.
    """
    return _start_time(int(holder.get("process", 0))) == holder.get("started")


def _claim(token: str) -> dict[str, Any]:
    """Content of a lease that this process holds."""
    return {
        "token": token,
        "machine": _machine(),
        "host": socket.gethostname(),
        "process": os.getpid(),
        "started": _start_time(os.getpid()),
        "since": time.time(),
    }


def _create(path: Path, claim: dict[str, Any]) -> bool:
    """Create the file with its whole content in one step; False if it exists already."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=".lease.") as file:
        json.dump(claim, file)
        file.flush()
        try:
            os.link(file.name, path)
        except FileExistsError:
            return False
        except OSError:  # a disk without hard links: the content comes a moment after the file
            return _create_in_two_steps(path, claim)
    return True


def _create_in_two_steps(path: Path, claim: dict[str, Any]) -> bool:
    try:
        with path.open("x") as file:
            json.dump(claim, file)
    except FileExistsError:
        return False
    return True


def _takeover_path(path: Path, holder: dict[str, Any]) -> Path:
    return path.with_name(f"lease.takeover.{holder.get('token')}")


def _start_takeover(path: Path, holder: dict[str, Any]) -> bool:
    """Create the takeover file of a dead lease; False if another process is or was faster.

    A takeover file whose own process has ended is removed, so that the next attempt succeeds.
    """
    takeover = _takeover_path(path, holder)
    if _create(takeover, _claim("takeover")):
        # A process that read this dead lease earlier may have completed a takeover since.
        if read_json(path) == holder:
            return True
        takeover.unlink(missing_ok=True)
        return False
    other = read_json(takeover)
    if other is not None and not _is_alive(takeover, other):
        takeover.unlink(missing_ok=True)
    return False


def _age(path: Path) -> float:
    """Seconds since a file was renewed, by the clock of its disk, which all machines share."""
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".clock.") as probe:
            return Path(probe.name).stat().st_mtime - path.stat().st_mtime
    except OSError:
        return 0.0


def _machine() -> str:
    """Name of this machine, its boot and its process table: containers on one host differ."""
    parts = [socket.gethostname()]
    with suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
        parts.append(str(Path("/proc/self/ns/pid").readlink()))
    return " ".join(parts)


def _start_time(process: int) -> str | None:
    """Start time of a process in clock ticks since boot; None if it has ended."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]

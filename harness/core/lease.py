"""Ownership of a run, a cache or generated data: one process at a time, on any shared disk.

A lease is a file made with O_EXCL that names its holder, who renews its modification time. A
lease is dead when its holder's process is gone (same machine) or when it was not renewed for
`TIMEOUT_S` seconds (another machine). To take a dead lease over, a process must first make the one
`takeover` file that belongs to that very lease, so two takers can never both succeed. There are no
file locks: network file systems do not keep them.
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

HEARTBEAT_S, TIMEOUT_S = 5.0, 60.0  # seconds


class LeaseLostError(KDReIDError):
    """Another process took this lease over, having found no sign of life."""


class Lease:
    """Ownership that this process holds until `release`; renewed by a background thread."""

    def __init__(self, path: Path, token: str) -> None:
        self.path, self._token = path, token
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._renew, daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Make sure that the lease is still ours, before anything is written under it.

        Raises:
            LeaseLostError: it is not, for example after the process was suspended for long.
        """
        if (read_json(self.path) or {}).get("token") != self._token:
            raise LeaseLostError(f"{self.path.parent} was taken over by another process.")

    def release(self) -> None:
        """Give the ownership back; harmless when it was lost before."""
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
    """Own `folder`, or None while a living process does."""
    folder.mkdir(parents=True, exist_ok=True)
    path, token = folder / "lease", uuid.uuid4().hex
    if _create(path, _claim(token)):
        return Lease(path, token)
    holder = read_json(path)
    if holder is None:  # released a moment ago, or being written by its maker
        if path.exists() and _age(path) > TIMEOUT_S:
            path.unlink(missing_ok=True)
        return None
    if is_alive(path, holder) or not _may_take(path, holder):
        return None
    write_json(path, _claim(token))
    _takeover(path, holder).unlink(missing_ok=True)
    return Lease(path, token)


@contextmanager
def acquire_blocking(folder: Path, poll: float = 0.5) -> Iterator[Lease]:
    """Own `folder`, waiting for as long as another living process does."""
    while (lease := try_acquire(folder)) is None:
        time.sleep(poll)
    with lease:
        yield lease


def current_holder(folder: Path) -> dict[str, Any] | None:
    """Who holds a living lease on `folder`: machine, process and token; None if nobody does."""
    path = folder / "lease"
    holder = read_json(path)
    return holder if holder is not None and is_alive(path, holder) else None


@dataclass(frozen=True, slots=True)
class LeaseInfo:
    """A lease as seen by somebody who must not write: whose, since when, and how fresh."""

    holder: dict[str, Any]
    since: float  # Unix time when it was taken; 0 if it does not say
    age: float  # seconds since it was renewed, by this machine's clock
    living: bool


def inspect_lease(folder: Path) -> LeaseInfo | None:
    """The lease on `folder`, if there is one, without leaving any trace beside it."""
    path = folder / "lease"
    holder = read_json(path)
    if holder is None:
        return None
    try:
        age = time.time() - path.stat().st_mtime
    except OSError:
        return None
    living = age < TIMEOUT_S
    if is_local(holder):
        living = _started(int(holder.get("process", 0))) == holder.get("started")
    return LeaseInfo(holder, float(holder.get("since", 0)), age, living)


def is_local(holder: dict[str, Any]) -> bool:
    """Whether a lease's holder is a process of this machine, so that its number means something."""
    return holder.get("machine") == _machine()


def is_alive(path: Path, holder: dict[str, Any]) -> bool:
    """Whether the holder of a lease still works: looked up here, believed for a while elsewhere."""
    if is_local(holder):
        return _started(int(holder.get("process", 0))) == holder.get("started")
    return _age(path) < TIMEOUT_S


def _claim(token: str) -> dict[str, Any]:
    return {
        "token": token,
        "machine": _machine(),
        "host": socket.gethostname(),
        "process": os.getpid(),
        "started": _started(os.getpid()),
        "since": time.time(),
    }


def _create(path: Path, claim: dict[str, Any]) -> bool:
    """Make the file with its whole content in one step; False if there is one already."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=".lease.") as file:
        json.dump(claim, file)
        file.flush()
        try:
            os.link(file.name, path)
        except FileExistsError:
            return False
        except OSError:  # a disk without hard links: the content follows a moment after the name
            return _create_in_two_steps(path, claim)
    return True


def _create_in_two_steps(path: Path, claim: dict[str, Any]) -> bool:
    try:
        with path.open("x") as file:
            json.dump(claim, file)
    except FileExistsError:
        return False
    return True


def _takeover(path: Path, holder: dict[str, Any]) -> Path:
    return path.with_name(f"lease.takeover.{holder.get('token')}")


def _may_take(path: Path, holder: dict[str, Any]) -> bool:
    """Make the takeover file of this dead lease; remove one whose own maker died half way."""
    takeover = _takeover(path, holder)
    if _create(takeover, _claim("takeover")):
        if read_json(path) == holder:
            return True
        takeover.unlink(missing_ok=True)  # somebody else finished a takeover before us
        return False
    other = read_json(takeover)
    if other is not None and not is_alive(takeover, other):
        takeover.unlink(missing_ok=True)
    return False


def _age(path: Path) -> float:
    """Seconds since the file was renewed, by the clock of the disk it lies on."""
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".clock.") as probe:
            return Path(probe.name).stat().st_mtime - path.stat().st_mtime
    except OSError:
        return 0.0


def _machine() -> str:
    """This machine's present boot and process table: containers on one host differ."""
    parts = [socket.gethostname()]
    with suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
        parts.append(str(Path("/proc/self/ns/pid").readlink()))
    return " ".join(parts)


def _started(process: int) -> str | None:
    """When a process started, in clock ticks since boot; None if there is no such process."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]

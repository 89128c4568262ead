"""Ownership of a folder (a run, a cache, generated data) by one process, on any shared disk.

A lease is a file in the folder, created exclusively, that names its holder. The holder renews its
modification time. A lease is dead if its holder's process has ended (same machine) or if it was not
renewed for `TIMEOUT_S` seconds (another machine, or a lease whose content is damaged). To take over
a dead lease, a process must first create the one `takeover` file that belongs to that lease, so two
processes never both succeed. There are no file locks, because not every network file system
supports them.
"""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from harness.core.claims import (
    HEARTBEAT_S,
    TIMEOUT_S,
    Claim,
    create_claim,
    is_alive,
    is_damaged,
    is_dated_ahead,
    is_local,
    is_process_alive,
    make_claim,
    measure_age,
    read_claim,
)
from harness.core.errors import KDReIDError
from harness.core.file_errors import unwritable_file
from harness.core.files import write_json
from harness.core.text import printable
from harness.core.waiting import WaitNotice

LEASE = "lease"  # name of the file


class LeaseLostError(KDReIDError):
    """Error for a lease that another process took over, because it was not renewed in time."""


class Lease:
    """Ownership that this process holds until `release`; renewed by a background thread.

    Args:
        path: The lease's file.
        claim: Its content, with the token by which the holder recognises its own lease.
    """

    def __init__(self, path: Path, claim: Claim) -> None:
        self.path, self._claim = path, claim
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._renew, daemon=True)
        self._thread.start()

    def confirm(self) -> bool:
        """Return True while this process holds the lease, and write a damaged file again.

        It is lost if another process has taken the folder over, or if the lease was removed.
        """
        claim = read_claim(self.path)
        if claim is not None and is_damaged(claim) and measure_age(self.path) < TIMEOUT_S / 2:
            write_json(self.path, self._claim)  # nobody takes it over while it is so young
            return True
        return claim is not None and claim["token"] == self._claim["token"]

    def check(self) -> None:
        """Check that this process still holds the lease, before it writes to the folder.

        Raises:
            LeaseLostError: It does not, for example because it was suspended for too long.
        """
        if not self.confirm():
            raise LeaseLostError(f"Another process has taken over {self.path.parent}.")

    def release(self) -> None:
        """End the ownership; does nothing if it was lost before."""
        self._stop.set()
        self._thread.join()
        # A lease that cannot be removed is dead as soon as this process has ended.
        with suppress(LeaseLostError, OSError):
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
                if not self.confirm():  # renewing it would keep another process's lease alive
                    return
                os.utime(self.path)


def try_acquire(folder: Path) -> Lease | None:
    """Return the lease on a folder; None while another living process holds it.

    The folder is created if needed.

    Raises:
        UnwritableFileError: The folder or the lease cannot be written.
    """
    try:
        return _try_acquire(folder)
    except OSError as error:
        raise unwritable_file(folder / LEASE, error) from None


def _try_acquire(folder: Path) -> Lease | None:
    folder.mkdir(parents=True, exist_ok=True)
    path, claim = folder / LEASE, make_claim(uuid.uuid4().hex)
    if create_claim(path, claim):
        return Lease(path, claim)
    holder = read_claim(path)
    if holder is None or is_alive(path, holder) or not _start_takeover(path, holder):
        return None
    write_json(path, claim)
    _takeover_path(path, holder).unlink(missing_ok=True)
    return Lease(path, claim)


@contextmanager
def acquire_blocking(
    folder: Path,
    poll: float = 0.5,
    *,
    work: str = "works",
    report: Callable[[str], object] | None = None,
    before_poll: Callable[[], object] | None = None,
) -> Iterator[Lease]:
    """Hold the lease on a folder within the block, waiting while another living process holds it.

    Args:
        folder: The folder, created if needed.
        poll: Seconds between two attempts.
        work: What the holder does, for the line about a long wait: "draws images".
        report: Called with that line; by default it is written to standard error.
        before_poll: Called before each attempt after the first; an error that it raises ends the
            waiting.
    """
    notice = WaitNotice(report)
    while (lease := try_acquire(folder)) is None:
        notice.update(lambda: describe_holder(folder, work))
        time.sleep(poll)
        if before_poll is not None:
            before_poll()
    with lease:
        yield lease


def describe_holder(folder: Path, work: str) -> str:
    """Return a line about the process that a folder's lease keeps waiting for.

    Args:
        folder: The folder.
        work: What the holder does: "draws images".
    """
    holder, path = current_holder(folder), folder / LEASE
    if holder is None:
        return f"waiting for {path}"
    if is_damaged(holder):
        return f"waiting for an unknown process: {path} is damaged"
    line = f"waiting for process {holder.get('process')} on {holder.get('host')}, which {work}"
    if not is_local(holder) and is_dated_ahead(path):
        line += f" ({path} is dated in the future; unless renewed, it ends after {TIMEOUT_S:.0f} s)"
    return printable(line)


def current_holder(folder: Path) -> Claim | None:
    """Return the holder of a folder's lease (machine, host, process ...); None if it is free.

    The age of another machine's lease is measured by the disk's clock, with a temporary file;
    `inspect_lease` writes nothing.
    """
    path = folder / LEASE
    holder = read_claim(path)
    return holder if holder is not None and is_alive(path, holder) else None


@dataclass(frozen=True, slots=True)
class LeaseInfo:
    """Lease as read by a process that writes nothing."""

    holder: Claim
    since: float  # Unix time of the acquisition; 0 if it is not recorded
    age: float  # seconds since the last renewal, by this machine's clock
    is_alive: bool  # whether the holder still works, as far as this machine can see


def inspect_lease(folder: Path) -> LeaseInfo | None:
    """Return a folder's lease without writing to the folder; None if there is no lease.

    Another machine's lease counts as alive if this machine's clock is at most `TIMEOUT_S` from its
    date, before or after. One dated further ahead was set by a wrong clock, which nothing here can
    tell from that of a living holder without watching it; whoever takes the folder does watch it.
    """
    path = folder / LEASE
    holder = read_claim(path)
    if holder is None:
        return None
    try:
        age = time.time() - path.stat().st_mtime
    except OSError:
        return None
    works = is_process_alive(holder) if is_local(holder) else abs(age) < TIMEOUT_S
    return LeaseInfo(holder, float(holder.get("since", 0)), age, works)


def remove_stale_claims(folder: Path) -> None:
    """Remove what processes left that were killed while they tried to take a folder's lease.

    Args:
        folder: The folder, whose lease this process holds.
    """
    for pattern in (".lease.*", ".clock.*", "lease.takeover.*"):
        for path in [*folder.glob(pattern)]:
            if measure_age(path) > TIMEOUT_S:
                path.unlink(missing_ok=True)


def _takeover_path(path: Path, holder: Claim) -> Path:
    return path.with_name(f"lease.takeover.{holder.get('token')}")


def _start_takeover(path: Path, holder: Claim) -> bool:
    """Create the takeover file of a dead lease; False if another process is or was faster.

    A takeover file whose own process has ended is removed, so that the next attempt succeeds.
    """
    takeover = _takeover_path(path, holder)
    if create_claim(takeover, make_claim("takeover")):
        # A process that read this dead lease earlier may have completed a takeover since.
        if read_claim(path) == holder:
            return True
        takeover.unlink(missing_ok=True)
        return False
    other = read_claim(takeover)
    if other is not None and not is_alive(takeover, other):
        takeover.unlink(missing_ok=True)
    return False

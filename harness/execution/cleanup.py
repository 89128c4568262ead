"""Find and remove what killed processes leave behind below a runs folder (`kdreid clean`).

Nothing here belongs to a living process, and no run needs it: half-written files and folders,
leases of processes that have ended, files of an unfinished run next to its record, damaged files
that were set aside, and caches of images that no run uses. Records, networks, and checkpoints of
unfinished runs are never among them.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.core.claims import is_dated_ahead
from harness.core.errors import DamagedFileError, FileError
from harness.core.files import read_json
from harness.core.lease import LEASE, Lease, describe_holder, inspect_lease, try_acquire
from harness.core.waiting import WaitNotice
from harness.runs.layout import (
    CACHE_FOLDER,
    CHECKPOINT,
    DATA_FOLDER,
    FAILURE,
    PROGRESS,
    RECORD,
    SPEC,
    iter_run_folders,
)
from harness.runs.record import find_record, stored_teachers

POLL_S = 0.5  # while a lease is watched
STALE_S = 3600.0  # an unfinished file or folder that has not changed for so long is a leftover
HALF_WRITTEN = re.compile(r"\..+\.[0-9a-f]{8}\.(tmp|partial)")
PROBE = re.compile(r"\.(lease|clock)\.\w{8}|\.doctor-\w+")
TAKEOVER = re.compile(r"lease\.takeover\..+")
CACHE = re.compile(r"(?P<data>[^.].*-[0-9a-f]{16})-(?P<size>\d+x\d+)-.+")
HALF_CACHE = re.compile(r"\.(?P<cache>.+)\.[0-9a-f]{8}")
UNFINISHED = {  # files of a run that its record makes superfluous
    CHECKPOINT: "checkpoint of a finished run",
    PROGRESS: "progress of a finished run",
    FAILURE: "failure of a run that is done by now",
}


@dataclass(frozen=True, slots=True)
class Leftover:
    """File or folder that nobody needs.

    Attributes:
        path: It.
        reason: What it is.
        size: Bytes on the disk.
        guard: Folder whose lease must be free while it is removed; None if none could matter.
    """

    path: Path
    reason: str
    size: int
    guard: Path | None

    def as_json(self, runs: Path, *, is_removed: bool) -> dict[str, Any]:
        """Return the fields for `--json`, with the path relative to the runs folder."""
        return {
            "path": self.path.relative_to(runs).as_posix(),
            "reason": self.reason,
            "bytes": self.size,
            "removed": is_removed,
        }


def find_leftovers(runs: Path) -> tuple[list[Leftover], list[str]]:
    """Return the leftovers below a runs folder, and sentences about what could not be examined.

    Nothing is written.
    """
    problems: list[str] = []
    found = [*_scan(runs, problems), *_find_unused_caches(runs, problems)]
    return [_measure(*leftover) for leftover in found], problems


def remove_leftover(leftover: Leftover) -> str:
    """Remove a leftover; return why it was left, or an empty string."""
    with ExitStack() as stack:
        try:
            if leftover.guard is not None and leftover.guard.is_dir():
                lease = _acquire(leftover.guard)
                if lease is None:
                    return f"{leftover.path} is in use."
                # The lease that is to be removed was just taken over: releasing it removes it.
                stack.enter_context(lease)
            if leftover.path.name == LEASE and leftover.guard == leftover.path.parent:
                return ""
            if leftover.path.is_dir() and not leftover.path.is_symlink():
                shutil.rmtree(leftover.path)
            else:
                leftover.path.unlink(missing_ok=True)
        except OSError as error:
            return f"{leftover.path} cannot be removed ({error.strerror})."
    return ""


def _acquire(folder: Path) -> Lease | None:
    """Return the lease on a folder; None while another living process holds it.

    A lease dated in the future is watched until it is renewed, or for so long that it is dead.
    """
    notice, date = WaitNotice(), _date_of(folder / LEASE)
    while (lease := try_acquire(folder)) is None:
        if not is_dated_ahead(folder / LEASE) or _date_of(folder / LEASE) != date:
            return None
        notice.update(lambda: describe_holder(folder, "may still write there"))
        time.sleep(POLL_S)
    return lease


def _date_of(path: Path) -> int | None:
    """Return when a file was changed, in nanoseconds; None if it cannot be found."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return None


_Found = tuple[Path, str, Path | None]  # path, reason, guard


def _scan(folder: Path, problems: list[str]) -> Iterator[_Found]:
    """Yield the leftovers in a folder and, except in images, in the folders below it."""
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries)
    except FileNotFoundError:
        return
    except OSError as error:
        problems.append(f"{folder} was not examined: it cannot be read ({error.strerror}).")
        return
    if SPEC in names:
        yield from _scan_run(folder, names, problems)
    elif LEASE in names and not _is_held(folder):
        yield folder / LEASE, "lease of a process that has ended", folder
    for name in names:
        path = folder / name
        guard = _guard_of(path)
        if (reason := _reason_by_name(path)) is not None:
            if _is_stale(path) and (guard is None or not _is_held(guard)):
                yield path, reason, guard
        elif path.is_dir() and not path.is_symlink() and not _holds_images(path):
            yield from _scan(path, problems)


def _reason_by_name(path: Path) -> str | None:
    """Return what a file or folder of this name is, if it is a leftover once it is old."""
    name = path.name
    if HALF_WRITTEN.fullmatch(name):
        return "half-written"
    if PROBE.fullmatch(name) or TAKEOVER.fullmatch(name):
        return "temporary file of a process that has ended"
    if name.endswith(".damaged"):
        return "damaged, set aside"
    if path.parent.name == CACHE_FOLDER and HALF_CACHE.fullmatch(name):
        return "half-decoded images"
    return None


def _scan_run(folder: Path, names: list[str], problems: list[str]) -> Iterator[_Found]:
    """Yield what a finished run does not need any more."""
    try:
        if RECORD not in names or find_record(folder) is None or _is_held(folder):
            return
    except FileError as error:
        problems.append(f"{folder} was not examined: {error}")
        return
    if LEASE in names:
        yield folder / LEASE, "lease of a finished run", folder
    for name in set(names) & UNFINISHED.keys():
        yield folder / name, UNFINISHED[name], folder


def _guard_of(path: Path) -> Path | None:
    """Return the folder whose lease a process holds while it writes a file or folder."""
    folder = path.parent
    if folder.name == DATA_FOLDER and HALF_WRITTEN.fullmatch(path.name):
        return folder / f"{path.name[1:].rsplit('.', 2)[0]}.drawing"
    if folder.name == CACHE_FOLDER and (match := HALF_CACHE.fullmatch(path.name)):
        return folder / f"{match['cache']}.building"
    return folder if (folder / SPEC).exists() else None


def _holds_images(folder: Path) -> bool:
    """Return whether a folder holds generated or decoded images, which are not looked through."""
    is_one = folder.parent.name in (DATA_FOLDER, CACHE_FOLDER)
    return is_one and folder.suffix not in (".drawing", ".building")


def _find_unused_caches(runs: Path, problems: list[str]) -> Iterator[_Found]:
    """Yield the caches of images or sizes that no planned or finished run uses."""
    folders = sorted(path for path in (runs / CACHE_FOLDER).glob("*") if path.is_dir())
    caches = [(path, match) for path in folders if (match := CACHE.fullmatch(path.name))]
    if not caches:
        return
    try:
        used = _used_images(runs)
    except FileError as error:
        problems.append(f"The caches were not examined, as a run may use them: {error}")
        return
    for path, match in caches:
        guard = path.with_name(f"{path.name}.building")
        is_used = (match["data"].rpartition("-")[2], match["size"]) in used
        if not is_used and _is_stale(path) and not _is_held(guard):
            yield path, "decoded images that no run uses", guard


def _used_images(runs: Path) -> set[tuple[str, str]]:
    """Return fingerprint and size of the images of all runs and their teachers.

    Raises:
        FileError: The spec of a run cannot be read.
    """
    used = set()
    for folder in iter_run_folders(runs):
        specs = [read_json(folder / SPEC) or {}]
        for spec in specs:
            specs += stored_teachers(folder / SPEC, spec)
            recipe = spec.get("recipe")
            if not isinstance(recipe, dict) or "fingerprint" not in spec:
                message = f"{folder / SPEC} is damaged (it has no recipe or no fingerprint)."
                raise DamagedFileError(folder / SPEC, message)
            size = f"{recipe.get('height')}x{recipe.get('width')}"
            used.add((str(spec["fingerprint"]), size))
    return used


def _is_held(folder: Path) -> bool:
    lease = inspect_lease(folder)
    return lease is not None and lease.is_alive


def _is_stale(path: Path) -> bool:
    """Return whether nothing in a file or folder has changed for `STALE_S` seconds."""
    latest = max((status.st_mtime for status in _walk(path)), default=0.0)
    return time.time() - latest > STALE_S


def _measure(path: Path, reason: str, guard: Path | None) -> Leftover:
    return Leftover(path, reason, sum(status.st_size for status in _walk(path)), guard)


def _walk(path: Path) -> Iterator[os.stat_result]:
    """Yield the status of a file, or of a folder and everything in it."""
    try:
        yield path.lstat()
    except OSError:  # removed meanwhile
        return
    if path.is_dir() and not path.is_symlink():
        for folder, folders, files in os.walk(path):
            for name in (*folders, *files):
                try:
                    yield (Path(folder) / name).lstat()
                except OSError:
                    continue

"""Reading of image files as bytes: plain files of a sensible size, and never a pipe or a device."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import NamedTuple

from harness.core.files import SPECIAL_FILES

MAX_FILE_BYTES = (
    256_000_000  # the largest file that is read as an image; real ones have 0.1 % of it
)


class UnreadableError(Exception):
    """An image file is missing, damaged or not a JPEG file; the message gives the reason."""


class FileStamp(NamedTuple):
    """Size, times and inode of a file; writing to it or replacing it changes them.

    A copy with preserved times has another inode, and a file that is overwritten in place another
    time of its last change (ctime), which programs cannot set.
    """

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int


def stamp_of(status: os.stat_result) -> FileStamp:
    """Return the stamp in a result of `os.stat`."""
    return FileStamp(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


def read_image_file(path: Path) -> tuple[bytes, FileStamp]:
    """Return the content of an image file, and its stamp, which was the same before and after.

    Raises:
        UnreadableError: It is missing, too large, not a plain file, changes while it is read, or
            the operating system does not let it be read.
    """
    try:
        _require_plain_file(path.stat())
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            status = os.fstat(handle)
            _require_plain_file(status)  # it may have been replaced since
            content = _read_all(handle, status.st_size)
            after = stamp_of(os.fstat(handle))
        finally:
            os.close(handle)
    except OSError as error:
        raise UnreadableError(error.strerror or str(error)) from error
    if after != stamp_of(status) or len(content) != after.size:
        raise UnreadableError("it changed while it was read")
    return content, after


def _read_all(handle: int, size: int) -> bytes:
    """Return the rest of an open file, of which `size` bytes are expected."""
    parts, total = [], 0
    while chunk := os.read(handle, max(1, size + 1 - total)):
        parts.append(chunk)
        total += len(chunk)
        if total > MAX_FILE_BYTES:
            break
    return b"".join(parts)


def _require_plain_file(status: os.stat_result) -> None:
    """Raise `UnreadableError` for what is no file, or too large for an image."""
    if not stat.S_ISREG(status.st_mode):
        kind = SPECIAL_FILES.get(stat.S_IFMT(status.st_mode), "a special file")
        raise UnreadableError(f"it is {kind}, not a file")
    if status.st_size > MAX_FILE_BYTES:
        raise UnreadableError(
            f"it has {status.st_size / 1e6:,.0f} MB, too many for an image of a dataset"
        )

"""Zip archives, as torch.save and numpy.savez write them, with a digest of their own content.

The digest is the archive's comment, so the files stay what any program expects of them:
`torch.load`, `numpy.load` and `unzip -z` read them. It covers every byte before the comment. A file
without it, of 0.2.0 or older, is checked by the CRC-32 of its members, which torch itself does not
compare when it loads.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

from harness.core.errors import UnreadableFileError
from harness.core.file_errors import damaged_file, unreadable_file
from harness.core.files import atomic_write
from harness.core.text import printable

_COMMENT = re.compile(rb"kdreid sha256 ([0-9a-f]{64})")
_COMMENT_BYTES = len("kdreid sha256 ") + 64
_CHUNK_BYTES = 1 << 20
_DISK_ERRORS = (errno.EIO, errno.ESTALE, errno.EACCES, errno.EPERM, errno.ETIMEDOUT, errno.ENXIO)


def write_archive(
    path: Path,
    write: Callable[[IO[bytes]], object],
    before_replace: Callable[[], object] | None = None,
) -> None:
    """Replace a file by a zip archive with its digest, in one step.

    Args:
        path: The file.
        write: Writes the archive, without a comment, to the open file it is given.
        before_replace: Called when everything is written; an error that it raises leaves the old
            file as it is.
    """

    def content(file: IO[bytes]) -> None:
        write(file)
        _seal(file)
        if before_replace is not None:
            before_replace()

    atomic_write(path, content)


def verify_archive(path: Path) -> None:
    """Check that an archive is as it was written.

    Raises:
        UnreadableFileError: It is missing or cannot be read.
        DamagedFileError: It is not as it was written.
    """
    try:
        with _open_plain_file(path) as file:
            damage = _find_damage(file)
    except OSError as error:
        raise unreadable_file(path, error) from error
    if damage:
        raise damaged_file(path, damage)


def set_aside(path: Path) -> Path:
    """Rename a damaged file to `NAME.damaged`, or to a numbered name if that exists.

    Only the holder of the lease on its folder may do that.

    Returns:
        The new path.
    """
    number = 1
    while os.path.lexists(target := path.with_name(_damaged_name(path.name, number))):
        number += 1
    return path.rename(target)


def _damaged_name(name: str, number: int) -> str:
    return f"{name}.damaged" if number == 1 else f"{name}.{number}.damaged"


def _seal(file: IO[bytes]) -> None:
    """Append the digest as the comment of the archive that was written to a file."""
    file.flush()
    file.seek(-2, os.SEEK_END)  # the comment's length is the last field before the comment
    file.write(_COMMENT_BYTES.to_bytes(2, "little"))
    file.flush()
    with Path(file.name).open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    file.seek(0, os.SEEK_END)
    file.write(f"kdreid sha256 {digest}".encode())


def _open_plain_file(path: Path) -> IO[bytes]:
    """Open a file for reading, without waiting for the other end of a pipe.

    Raises:
        OSError: It cannot be opened.
        UnreadableFileError: It is a folder, a pipe or a device.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise UnreadableFileError(path, f"{path} is not a plain file: move it away.")
    return os.fdopen(handle, "rb")


def _find_damage(file: IO[bytes]) -> str:
    """Return how an archive differs from what was written, as a clause; empty if it does not.

    Raises:
        OSError: The disk does not let it be read.
    """
    size = file.seek(0, os.SEEK_END)
    if size == 0:
        return "it is empty"
    end = max(0, size - _COMMENT_BYTES)
    file.seek(end)
    if match := _COMMENT.fullmatch(file.read()):
        expected, found = match[1].decode(), _digest(file, end)
        return "" if found == expected else "its digest is not that of its content"
    try:
        return _find_damaged_member(file)
    except Exception as error:
        if isinstance(error, OSError) and _is_of_disk(error):
            raise
        return _describe(error)


def _find_damaged_member(file: IO[bytes]) -> str:
    """Return which member of an archive without a digest is damaged, as `_find_damage`."""
    with zipfile.ZipFile(file) as archive:
        if not archive.namelist():
            return "it is an archive of nothing"
        damaged = archive.testzip()
        if damaged is not None:
            return f"the checksum of {damaged!r} in it is wrong"
        for member in archive.infolist():
            is_stored = member.compress_type == zipfile.ZIP_STORED
            if is_stored and member.file_size != member.compress_size:
                return f"the size of {member.filename!r} in it is wrong"
    return ""


def _digest(file: IO[bytes], size: int) -> str:
    """Return the SHA-256 of the first `size` bytes of a file."""
    digest = hashlib.sha256()
    file.seek(0)
    while size > 0:
        chunk = file.read(min(size, _CHUNK_BYTES))
        digest.update(chunk)
        size -= len(chunk) or size
    return digest.hexdigest()


def _is_of_disk(error: OSError) -> bool:
    """Return whether an error is the disk's; a damaged archive can ask for impossible positions."""
    return error.errno in (*_DISK_ERRORS, errno.ENOENT)


def _describe(error: Exception) -> str:
    if isinstance(error, zipfile.BadZipFile):
        return "it is cut or is no archive"
    return printable(str(error) or type(error).__name__)

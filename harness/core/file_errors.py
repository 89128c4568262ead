"""Errors for files that cannot be read, are damaged or cannot be written.

The message of each names the file, states why it cannot be used, and ends with what to do about it.
"""

from __future__ import annotations

import errno
import os
import pwd
from pathlib import Path

from harness.core.errors import DamagedFileError, UnreadableFileError, UnwritableFileError


def unreadable_file(path: Path, error: OSError) -> UnreadableFileError:
    """Return the error for a file that the operating system does not let this process read."""
    reason, step = explain(path, error)
    return UnreadableFileError(path, f"{path} cannot be read ({reason}): {step}.", reason)


def unwritable_file(path: Path, error: OSError) -> UnwritableFileError:
    """Return the error for a file that the operating system does not let this process write.

    Args:
        path: The file, or a folder that cannot be created.
        error: The error of writing it or its temporary file.
    """
    if isinstance(error, UnwritableFileError):
        return error
    reason, step = explain(path, error)
    message = f"{path} cannot be written ({reason}): {step}."
    return UnwritableFileError(path, message, error, reason)


def damaged_file(path: Path, reason: str) -> DamagedFileError:
    """Return the error for a file that does not contain what it should.

    Args:
        path: The file.
        reason: What is wrong, as a clause that calls the file `it`.
    """
    return DamagedFileError(
        path,
        f"{path} is damaged ({reason}): restore it from a copy, or move it away and repeat the "
        "command.",
        reason,
    )


def explain(path: Path, error: OSError) -> tuple[str, str]:
    """Return why a file or folder cannot be used, and what to do about it, as two clauses."""
    reason, step = error.strerror or str(error), "check its disk, then repeat the command"
    match error.errno:
        case errno.EACCES | errno.EPERM:
            refusing, owner = _find_owner(path)
            reason += f"; {refusing} belongs to {owner}"
            step = "ask for access, or choose another folder"
        case errno.ENOSPC | errno.EDQUOT:
            what = "inodes" if _has_space(path.parent) else "space"
            reason = f"No {what} left on the disk of {path.parent}"
            reason += " within your quota" if error.errno == errno.EDQUOT else ""
            step = "remove files there, then repeat the command"
        case errno.EROFS:
            reason = f"the disk of {path.parent} is read-only"
            step = "choose another folder"
        case errno.EFBIG:
            step = "raise the largest size of a file (ulimit -f)"
        case errno.ENAMETOOLONG:
            step = "choose a shorter name"
        case errno.EISDIR:
            reason, step = "it is a folder", "move it away"
        case errno.ENOTEMPTY:
            reason, step = "it exists already and is not empty", "move it away"
        case errno.ENOTDIR | errno.EEXIST:
            parts = (path, *path.absolute().parents)
            file = next((part for part in parts if part.exists() and not part.is_dir()), path)
            reason, step = f"{file} is not a folder", "choose another folder"
    return reason, step


def _has_space(folder: Path) -> bool:
    """Return whether a disk that takes no more files still has space: then its inodes are used."""
    try:
        status = os.statvfs(folder)
    except OSError:
        return False
    return status.f_files > 0 and status.f_favail == 0 and status.f_bavail > 0


def _find_owner(path: Path) -> tuple[Path, str]:
    """Return what keeps this process from a file, the file or a folder above it, and its owner."""
    for part in (path, *path.absolute().parents):
        try:
            uid = part.stat().st_uid
        except OSError:
            continue
        try:
            return part, pwd.getpwuid(uid).pw_name
        except KeyError:
            return part, f"user {uid}"
    return path, "another user"

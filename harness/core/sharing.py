"""Find out whether what this process writes into a shared folder is open to its other users."""

from __future__ import annotations

import grp
import os
import pwd
import re
import shlex
import stat
from pathlib import Path


def describe_unshared(folder: Path) -> str | None:
    """Return what to do if files made in a shared folder would be closed to its other users.

    A folder is shared if it has the setgid bit or another owner, or if a group of several users may
    write to it.

    Args:
        folder: The folder, which exists.

    Returns:
        One sentence; None if the folder is not shared, or stays shared.
    """
    status = folder.stat()
    if not _is_shared(status):
        return None
    problems, commands = [], []
    if _umask() & stat.S_IWGRP:
        problems.append(f"the umask {_umask():03o} takes the group's permission to write")
        commands.append("umask 002")
    if not status.st_mode & stat.S_ISGID:
        problems.append("new folders there do not get its group (no setgid bit)")
        commands.append(f"chmod g+s {shlex.quote(str(folder))}")
    if not problems:
        return None
    return (
        f"{folder} is shared, but what is written there now would not be: "
        f"{' and '.join(problems)}. Mend it with: {'; '.join(commands)}"
    )


def _is_shared(status: os.stat_result) -> bool:
    if status.st_mode & stat.S_ISGID or status.st_uid != os.geteuid():
        return True
    return bool(status.st_mode & stat.S_IWGRP) and not _is_private_group(status)


def _is_private_group(status: os.stat_result) -> bool:
    """Return whether the group of a file is its owner's alone, as most systems make one for each.

    Then `umask 002` is usual and lets nobody else write.
    """
    try:
        group, owner = grp.getgrgid(status.st_gid), pwd.getpwuid(status.st_uid)
    except KeyError:
        return False
    others = [name for name in group.gr_mem if name != owner.pw_name]
    return group.gr_gid == owner.pw_gid and group.gr_name == owner.pw_name and not others


def _umask() -> int:
    """Return the umask without changing it, which other threads would notice."""
    try:
        found = re.search(
            r"^Umask:\s*([0-7]+)$", Path("/proc/self/status").read_text(), re.MULTILINE
        )
    except OSError:
        found = None
    return int(found[1], 8) if found else 0

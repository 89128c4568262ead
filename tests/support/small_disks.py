"""Disks that are full, out of inodes or read-only, as root can mount them."""

import os
import subprocess
from contextlib import contextmanager

import pytest

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts disks")


@contextmanager
def small_disk(folder, **options):
    """Mount an empty disk on a folder; `size="1m"` and `nr_inodes=10` limit it."""
    folder.mkdir(exist_ok=True)
    given = ",".join(f"{name}={value}" for name, value in options.items())
    subprocess.run(["mount", "-t", "tmpfs", "-o", given, "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder, leave=0):
    """Take all space of a disk but `leave` bytes."""
    with (folder / "filler").open("wb") as file:
        free = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
        os.posix_fallocate(file.fileno(), 0, max(1, free - leave))


def make_read_only(folder):
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)

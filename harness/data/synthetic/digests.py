"""Digests of the files of synthetic images, by which lost and damaged ones are found."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from pathlib import Path

from harness.core.errors import DamagedFileError
from harness.core.file_errors import damaged_file
from harness.core.files import read_json, write_json

DIGESTS = "digests.json"  # in every folder of synthetic images since 0.3.0

Digest = tuple[int, str]  # bytes; 16 hexadecimal digits of the SHA-256


def write_digests(folder: Path) -> None:
    """Write the digest of every file in a folder that was just drawn."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    names = [path.relative_to(folder).as_posix() for path in files]
    digests = {name: digest_file(folder / name) for name in names if name != DIGESTS}
    write_json(folder / DIGESTS, digests)


def read_digests(folder: Path) -> dict[str, Digest] | None:
    """Return the digests of a folder's files by name; None if it was drawn before 0.3.0.

    Raises:
        UnreadableFileError: They cannot be read.
        DamagedFileError: They are damaged.
    """
    path = folder / DIGESTS
    content = read_json(path)
    if content is None:
        return None
    for name, value in content.items():
        if not (isinstance(value, list) and [*map(type, value)] == [int, str]):
            raise damaged_file(path, f"it has no digest of {name!r}")
    return {name: (size, digest) for name, (size, digest) in content.items()}


def find_lost(folder: Path, names: Collection[str] | None = None) -> list[str]:
    """Return the files of a folder that are missing or not as they were drawn.

    Args:
        folder: The folder.
        names: Its files, where the folder has no digests: then they are not read, but must exist.
            None: the sizes of the files are compared, which are not read either.

    Raises:
        UnreadableFileError: A file cannot be read.
        DamagedFileError: The digests are damaged, and `names` is not given.
    """
    try:
        digests = read_digests(folder)
    except DamagedFileError:
        if names is None:
            raise
        return sorted(names)  # nothing vouches for any of them
    if digests is None:
        return [name for name in names or () if not (folder / name).is_file()]
    if names is None:
        return [name for name, (size, _) in digests.items() if _size(folder / name) != size]
    if digests.keys() != {*names}:
        return sorted(names)
    return [
        name
        for name, digest in digests.items()
        if _size(folder / name) != digest[0] or digest_file(folder / name) != digest
    ]


def digest_file(path: Path) -> Digest:
    """Return the size and the digest of a file."""
    content = path.read_bytes()
    return len(content), hashlib.sha256(content).hexdigest()[:16]


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None

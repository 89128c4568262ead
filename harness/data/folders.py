"""Folders of images: their files through links, links to nothing, and what else is in them."""

from __future__ import annotations

import errno
import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from harness.core.files import is_folder

JPEG_SUFFIXES = (".jpg", ".jpeg")
OTHER_IMAGES = (".png", ".bmp", ".webp", ".gif", ".tif", ".tiff", ".ppm", ".jfif", ".jpe", ".heic")
ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".rar", ".7z")
MAX_NAMED_FOLDERS = 3

_Folder = tuple[int, int]  # device and inode


def _ignore(error: OSError) -> None:
    """Leave a folder out that cannot be read."""


def iter_files(folder: Path, on_error: Callable[[OSError], object] = _ignore) -> Iterator[Path]:
    """Yield every file below a folder, in order; links to nothing are left out.

    Links to folders are followed, each once, and none to a folder above itself. What has the name
    of an image is yielded whatever it is.

    Args:
        folder: The folder.
        on_error: Called with the error of a folder that cannot be read.
    """
    followed: set[_Folder] = set()

    def walk(path: Path, above: tuple[_Folder, ...]) -> Iterator[Path]:
        try:
            with os.scandir(path) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
            here = _identify(path.stat())
        except OSError as error:
            on_error(error)
            return
        if here in above:
            return
        for entry in found:
            is_link = entry.is_symlink()
            if is_link and not _leads_somewhere(entry):
                continue
            if not is_folder(entry) or is_jpeg(entry.name):
                yield Path(entry.path)
                continue
            if is_link:
                link = _identify(entry.stat(follow_symlinks=False))
                if link in followed:
                    continue
                followed.add(link)
            yield from walk(Path(entry.path), (*above, here))

    yield from walk(folder, ())


def find_broken_links(folder: Path, *, recursive: bool = False) -> list[Path]:
    """Return the links in a folder that lead to nothing or in a circle, sorted.

    Args:
        folder: The folder; nothing is found in one that cannot be read.
        recursive: Also search the folders below it, but through no links.
    """
    try:
        with os.scandir(folder) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return []
    broken = []
    for entry in found:
        if entry.is_symlink():
            broken += [] if _leads_somewhere(entry) else [Path(entry.path)]
        elif recursive and is_folder(entry):
            broken += find_broken_links(Path(entry.path), recursive=True)
    return broken


def is_jpeg(name: str) -> bool:
    """Return whether a file has the name of a JPEG file."""
    return name.lower().endswith(JPEG_SUFFIXES)


def describe_contents(folder: Path) -> str:
    """Return what a folder and those below it hold: "751 folders and 87 .png files".

    Empty if there is nothing, or it cannot be read.
    """
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if is_folder(entry))
    except OSError:
        return ""
    suffixes = _count_suffixes(folder)
    parts = []
    if names:
        examples = ", ".join(names[:MAX_NAMED_FOLDERS])
        more = ", ..." if len(names) > MAX_NAMED_FOLDERS else ""
        parts.append(f"{_count(len(names), 'folder')} ({examples}{more})")
    parts += [_count(count, f"{suffix} file") for suffix, count in suffixes.most_common(4)]
    return " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))


def advise(folder: Path, *, is_flat: bool = True) -> str:
    """Return what to do about a folder that holds other files than JPEG files where they belong.

    Args:
        folder: The folder.
        is_flat: Whether images lie in the folder itself, not in folders below it.
    """
    suffixes = _count_suffixes(folder)
    if is_flat and any(suffixes[suffix] for suffix in JPEG_SUFFIXES):
        return "Images must lie in the folder itself: move them there, under their names."
    if archives := [suffix for suffix in ARCHIVES if suffixes[suffix]]:
        return f"Unpack the {archives[0]} file."
    if any(suffixes[suffix] for suffix in OTHER_IMAGES):
        if _holds_jpeg_content(folder):
            return "They are JPEG files by content: rename them to .jpg."
        return (
            "Only JPEG files are read, as the dataset is distributed: unpack its archive again "
            "(images converted to another format may have other pixels)."
        )
    return "Unpack the dataset's archive again."


def describe_unread(folder: Path, *, is_flat: bool) -> str:
    """Return which images of a folder are not read: "87 .png files"; empty without any.

    Args:
        folder: The folder.
        is_flat: Whether images in folders below it are not read, either.
    """
    suffixes = _count_suffixes(folder)
    parts = [_count(suffixes[one], f"{one} file") for one in OTHER_IMAGES if suffixes[one]]
    if is_flat and (nested := _count_nested_jpegs(folder)):
        parts.append(f"{_count(nested, 'JPEG file')} in folders below it")
    return ", ".join(parts)


def _count_suffixes(folder: Path) -> Counter[str]:
    files = iter_files(folder)
    return Counter(path.suffix.lower() or "unnamed" for path in files)


def _count_nested_jpegs(folder: Path) -> int:
    files = iter_files(folder)
    return sum(path.parent != folder and is_jpeg(path.name) for path in files)


def _holds_jpeg_content(folder: Path) -> bool:
    """Return whether the first image of another suffix begins as JPEG files do."""
    files = iter_files(folder)
    for path in files:
        if path.suffix.lower() in OTHER_IMAGES and path.is_file():
            try:
                with path.open("rb") as file:
                    return file.read(3) == b"\xff\xd8\xff"
            except OSError:
                return False
    return False


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _identify(status: os.stat_result) -> _Folder:
    return status.st_dev, status.st_ino


def _leads_somewhere(entry: os.DirEntry[str]) -> bool:
    """Return whether a link leads to something; what cannot be known counts, and is read later."""
    try:
        entry.stat()
    except FileNotFoundError:
        return False
    except OSError as error:
        return error.errno != errno.ELOOP
    return True

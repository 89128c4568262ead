"""Locate a dataset's folder, and read labels from file names and list files."""

from __future__ import annotations

import codecs
import errno
import os
import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import NoReturn

from harness.core.errors import FileError, SetupError
from harness.core.files import read_file
from harness.core.text import printable
from harness.data.dataset import Image, describe_missing
from harness.data.folders import (
    advise,
    describe_contents,
    find_broken_links,
    is_jpeg,
    iter_files,
)

MAX_LIST_BYTES = 256_000_000  # the longest list of the five datasets has 2 % of that
MAX_SHOWN = 200  # characters of a wrong line that a message shows

_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_BLANK = " \t\v\f\0\ufeff\xa0"
_IDENTITY = re.compile(r"[0-9]{1,9}")


def find_dataset_root(
    root: Path, name: str, folders: Iterable[str], required: Iterable[str], hint: str = ""
) -> Path:
    """Return the folder that contains all `required` entries.

    Args:
        root: The folder given by the user.
        name: The dataset's name, for messages.
        folders: Usual names of the dataset's folder below `root`, the distributed name first.
        required: Files and folders that the dataset's folder contains.
        hint: Added to the message when nothing was found.

    Returns:
        `root` itself or the first of `folders` below it.

    Raises:
        SetupError: No folder contains all entries (the message states the expected layout), or a
            folder cannot be read.
    """
    required = list(required)
    candidates = [root, *(root / folder for folder in folders)]
    fewest, closest = required, root
    for folder in candidates:
        missing = _missing_entries(folder, required, name)
        if not missing:
            return folder
        if len(missing) < len(fewest):
            fewest, closest = missing, folder
    tried = ", ".join(map(str, candidates))
    found = describe_contents(root) if closest == root else ""
    raise SetupError(
        f"{name}: {', '.join(fewest)} not found. Folders searched: {tried}. Expected layout: "
        f"{candidates[1] if len(candidates) > 1 else root}/{{{','.join(required)}}}. "
        f"Set --data-root to the folder that contains it.{hint}"
        f"{found and f' {root} contains {found}.'}"
    )


def list_jpegs(folder: Path, name: str) -> list[Path]:
    """Return the JPEG files of a folder, sorted; links to nothing are left out.

    Raises:
        SetupError: The folder contains no JPEG file (the message states what it contains), or
            cannot be read.
    """
    try:
        broken = find_broken_links(folder)
        files = sorted(path for path in folder.iterdir() if is_jpeg(path.name))
    except OSError as error:
        _raise_unreadable(name, folder, error)
    files = [path for path in files if path not in broken]
    if not files:
        raise SetupError(f"{name}: {folder} contains no JPEG files{_explain_none(folder, broken)}")
    return files


def _explain_none(folder: Path, broken: Collection[Path]) -> str:
    """Return the rest of the sentence that a folder contains no JPEG files."""
    if broken:
        return (
            f": {describe_missing((), relative_links(broken, folder))[0]}. Mount what the links "
            "lead to, or restore the files."
        )
    if found := describe_contents(folder):
        return f", but {found}. {advise(folder)}"
    return "; the copy is empty or incomplete."


def relative_links(links: Iterable[Path], root: Path) -> list[str]:
    """Return links as `name -> target`, relative to a folder above them."""
    return [f"{link.relative_to(root).as_posix()} -> {link.readlink()}" for link in links]


def find_broken_images(root: Path, folders: Iterable[str]) -> list[str]:
    """Return the links in some folders of a dataset that have names of images and lead to nothing.

    Args:
        root: The dataset's folder.
        folders: Folders below it that hold images.
    """
    links = [link for folder in folders for link in find_broken_links(root / folder)]
    return relative_links((link for link in links if is_jpeg(link.name)), root)


def find_links_of_missing(root: Path, folders: Iterable[str], missing: Iterable[str]) -> list[str]:
    """Return the links to nothing that are missing images of lists, or folders of some.

    Args:
        root: The dataset's folder.
        folders: Folders below it that hold images.
        missing: Missing images, as `list:line: file`.
    """
    files = [one.partition(": ")[2].lower() for one in missing]
    if not files:
        return []
    absent = {parent.as_posix() for file in files for parent in (Path(file), *Path(file).parents)}
    links = [link for one in folders for link in find_broken_links(root / one, recursive=True)]
    wanted = [link for link in links if link.relative_to(root).as_posix().lower() in absent]
    return relative_links(wanted, root)


def parse_filenames(
    files: Iterable[Path], root: Path, pattern: re.Pattern[str], name: str
) -> Iterator[Image]:
    """Yield the image of each file, with the labels in its name.

    Args:
        files: Image files below `root`.
        root: The dataset's folder.
        pattern: Matched from the start of the base name alone, because parent folders may look
            like labels; its first group is the identity, its second the camera.
        name: The dataset's name, for messages.

    Raises:
        SetupError: A name does not match.
    """
    strange = []
    for file in files:
        match = pattern.match(file.name)
        if match is None:
            strange.append(file)
        else:
            yield Image(file.relative_to(root).as_posix(), int(match[1]), int(match[2]))
    if strange:
        more = f" (and of {len(strange) - 1:,} more)" if len(strange) > 1 else ""
        raise SetupError(
            f"{name}: the file name of {strange[0]}{more} does not have the expected form "
            f"({pattern.pattern})."
        )


def index_files(folder: Path, name: str) -> dict[str, str]:
    """Return the path of every file below a folder, by the same path in lower case.

    Copies of datasets differ in the case of file names. Links to folders are followed.

    Raises:
        SetupError: The folder or one below it cannot be read.
    """

    def stop(error: OSError) -> NoReturn:
        _raise_unreadable(name, error.filename, error)

    paths = (path.relative_to(folder).as_posix() for path in iter_files(folder, stop))
    return {path.lower(): path for path in paths}


def read_lines(path: Path, name: str) -> list[tuple[int, str]]:
    """Return the lines of a list that are not blank, stripped, with their numbers.

    A byte order mark is dropped, and so are carriage returns.

    Raises:
        SetupError: The list cannot be read.
    """
    try:
        content = read_file(path, MAX_LIST_BYTES)
    except FileError as error:
        if isinstance(error.__cause__, OSError):
            _raise_unreadable(name, path, error.__cause__)
        raise SetupError(f"{name}: {error}") from error
    if content is None:
        _raise_unreadable(name, path, FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)))
    lines = _LINE_BREAK.split(_decode(content))
    stripped = ((number, line.strip(_BLANK)) for number, line in enumerate(lines, 1))
    return [(number, line) for number, line in stripped if line]


def read_list(path: Path, name: str) -> Iterator[tuple[str, str, int]]:
    """Yield location (`file:line`), image and identity of each line `image identity` of a list.

    Blank lines are skipped.

    Raises:
        SetupError: The list cannot be read or is empty, or a line has another form.
    """
    lines = read_lines(path, name)
    if not lines:
        raise SetupError(f"{name}: {path} lists no images.")
    for number, line in lines:
        words = line.split()
        if len(words) != 2 or not _IDENTITY.fullmatch(words[1]):
            raise SetupError(
                f"{name}: {path}:{number}: {printable(repr(line[:MAX_SHOWN]))} does not have the "
                "form `image identity`."
            )
        yield f"{path.name}:{number}", words[0], int(words[1])


def _decode(content: bytes) -> str:
    """Return the text of a list: UTF-8 or, with its byte order mark, UTF-16."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", "replace")
    return content.decode("utf-8-sig", "surrogateescape")


def _missing_entries(folder: Path, required: Iterable[str], name: str) -> list[str]:
    """Return the entries that a folder lacks."""
    try:
        return [entry for entry in required if not (folder / entry).exists()]
    except OSError as error:  # a missing entry is no error: access to the folder was denied
        _raise_unreadable(name, folder, error)


def _raise_unreadable(name: str, path: Path | str, error: OSError) -> NoReturn:
    raise SetupError(f"{name}: {path} cannot be read ({error.strerror}).") from error

"""Locate a dataset's folder, and read labels from file names and list files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NoReturn

from harness.core.errors import SetupError
from harness.data.dataset import Image


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
    fewest = required
    for folder in candidates:
        missing = _missing_entries(folder, required, name)
        if not missing:
            return folder
        fewest = min(fewest, missing, key=len)
    tried = ", ".join(map(str, candidates))
    raise SetupError(
        f"{name}: {', '.join(fewest)} not found. Folders searched: {tried}. Expected layout: "
        f"{candidates[1] if len(candidates) > 1 else root}/{{{','.join(required)}}}. "
        f"Set --data-root to the folder that contains it.{hint}"
    )


def list_jpegs(folder: Path, name: str) -> list[Path]:
    """Return the JPEG files of a folder, sorted.

    Raises:
        SetupError: The folder contains no JPEG file or cannot be read.
    """
    try:
        files = sorted(
            path for path in folder.iterdir() if path.suffix.lower() in (".jpg", ".jpeg")
        )
    except OSError as error:
        _raise_unreadable(name, folder, error)
    if not files:
        raise SetupError(
            f"{name}: {folder} contains no JPEG files; the copy is empty or incomplete."
        )
    return files


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
    for file in files:
        match = pattern.match(file.name)
        if match is None:
            raise SetupError(
                f"{name}: the file name of {file} does not have the expected form "
                f"({pattern.pattern})."
            )
        yield Image(file.relative_to(root).as_posix(), int(match[1]), int(match[2]))


def index_files(folder: Path, name: str) -> dict[str, str]:
    """Return the path of every file below a folder, by the same path in lower case.

    Copies of datasets differ in the case of file names.

    Raises:
        SetupError: The folder or one below it cannot be read.
    """

    def stop(error: OSError) -> NoReturn:
        _raise_unreadable(name, error.filename, error)

    paths = {}
    for parent, _, files in os.walk(folder, onerror=stop):
        for file in files:
            path = (Path(parent) / file).relative_to(folder).as_posix()
            paths[path.lower()] = path
    return paths


def read_list(path: Path, name: str) -> Iterator[tuple[str, str, int]]:
    """Yield location (`file:line`), image and identity of each line `image identity` of a list.

    Blank lines are skipped.

    Raises:
        SetupError: The list cannot be read or is empty, or a line has another form.
    """
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError as error:
        _raise_unreadable(name, path, error)
    if not any(line.strip() for line in lines):
        raise SetupError(f"{name}: {path} lists no images.")
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words:
            continue
        if len(words) != 2 or not words[1].isdecimal():
            raise SetupError(
                f"{name}: {path}:{number}: {line!r} does not have the form `image identity`."
            )
        yield f"{path.name}:{number}", words[0], int(words[1])


def _missing_entries(folder: Path, required: Iterable[str], name: str) -> list[str]:
    """Return the entries that a folder lacks."""
    try:
        return [entry for entry in required if not (folder / entry).exists()]
    except OSError as error:  # a missing entry is no error: access to the folder was denied
        _raise_unreadable(name, folder, error)


def _raise_unreadable(name: str, path: Path | str, error: OSError) -> NoReturn:
    raise SetupError(f"{name}: {path} cannot be read ({error.strerror}).") from error

"""Finding a dataset's folder, and reading labels from file names and lists."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NoReturn

from harness.core.errors import SetupError
from harness.data.dataset import Image


def find_dataset_root(
    root: Path, name: str, folders: Iterable[str], needed: Iterable[str], about: str = ""
) -> Path:
    """The folder that holds `needed`: `root` itself or one of `folders` below it.

    Raises:
        SetupError: none does, and the message shows the layout that was expected; or a folder
            may not be looked into.
    """
    needed = list(needed)
    candidates = [root, *(root / folder for folder in folders)]
    for candidate in candidates:
        if not _missing(candidate, needed, name):
            return candidate
    found = min(candidates, key=lambda place: len(_missing(place, needed, name)))
    missing = _missing(found, needed, name)
    tried = ", ".join(map(str, candidates))
    raise SetupError(
        f"{name}: {', '.join(missing)} not found. Looked in: {tried}. Expected layout: "
        f"{candidates[1] if len(candidates) > 1 else root}/{{{','.join(needed)}}}. "
        f"Point --data-root at the folder that holds it.{about}"
    )


def list_jpegs(folder: Path, name: str) -> list[Path]:
    """The JPEG files of a folder, sorted.

    Raises:
        SetupError: there is none, or the folder cannot be read.
    """
    try:
        files = sorted(
            path for path in folder.iterdir() if path.suffix.lower() in (".jpg", ".jpeg")
        )
    except OSError as error:
        _cannot_read(name, folder, error)
    if not files:
        raise SetupError(f"{name}: {folder} holds no JPEG file; the copy is empty or incomplete.")
    return files


def parse_filenames(
    files: Iterable[Path], root: Path, pattern: re.Pattern[str], name: str
) -> Iterator[Image]:
    """Images labelled by `pattern`, matched from the start of the base name alone.

    The pattern's first group is the identity, its second the camera.

    Raises:
        SetupError: a name does not match.
    """
    for file in files:
        match = pattern.match(file.name)
        if match is None:
            raise SetupError(f"{name}: {file} is not named as expected ({pattern.pattern}).")
        yield Image(file.relative_to(root).as_posix(), int(match[1]), int(match[2]))


def index_files(folder: Path, name: str) -> dict[str, str]:
    """Every file below a folder by its path in small letters: copies differ in that.

    Raises:
        SetupError: the folder or one below it cannot be read.
    """

    def stop(error: OSError) -> NoReturn:
        _cannot_read(name, error.filename, error)

    found = {}
    for place, _, files in os.walk(folder, onerror=stop):
        for file in files:
            path = (Path(place) / file).relative_to(folder).as_posix()
            found[path.lower()] = path
    return found


def read_list(path: Path, name: str) -> Iterator[tuple[str, str, int]]:
    """Where it stands (`file:line`), image and identity of each line of a list `image identity`.

    Blank lines are skipped.

    Raises:
        SetupError: the list cannot be read, names nothing, or a line is something else.
    """
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError as error:
        _cannot_read(name, path, error)
    if not any(line.strip() for line in lines):
        raise SetupError(f"{name}: {path} names no image.")
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words:
            continue
        if len(words) != 2 or not words[1].isdecimal():
            raise SetupError(f"{name}: {path}:{number}: {line!r} is not `image identity`.")
        yield f"{path.name}:{number}", words[0], int(words[1])


def _missing(place: Path, needed: Iterable[str], name: str) -> list[str]:
    try:
        return [entry for entry in needed if not (place / entry).exists()]
    except OSError as error:  # what is absent is no error: this folder may not be looked into
        _cannot_read(name, place, error)


def _cannot_read(name: str, path: Path | str, error: OSError) -> NoReturn:
    raise SetupError(f"{name}: {path} cannot be read ({error.strerror}).") from error

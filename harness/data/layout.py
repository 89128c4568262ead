"""Finding a dataset's folder and reading labels from file names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from harness.data.dataset import Image
from harness.errors import SetupError


def locate(root: Path, name: str, folders: Iterable[str], needed: Iterable[str]) -> Path:
    """The folder that holds `needed`: `root` itself or one of `folders` below it.

    Raises:
        SetupError: none does; the message shows the layout that was expected.
    """
    needed = list(needed)
    candidates = [root, *(root / folder for folder in folders)]
    for candidate in candidates:
        if all((candidate / entry).exists() for entry in needed):
            return candidate
    found = max(candidates, key=lambda place: sum((place / entry).exists() for entry in needed))
    missing = [entry for entry in needed if not (found / entry).exists()]
    tried = ", ".join(map(str, candidates))
    raise SetupError(
        f"{name}: {', '.join(missing)} not found. Looked in: {tried}. Expected layout: "
        f"{candidates[1] if len(candidates) > 1 else root}/{{{','.join(needed)}}}. "
        f"Point --data-root at the folder that holds it."
    )


def listing(folder: Path, name: str) -> list[Path]:
    """The JPEG files of a folder, sorted.

    Raises:
        SetupError: there is none, or the folder cannot be read.
    """
    try:
        files = sorted(
            path for path in folder.iterdir() if path.suffix.lower() in (".jpg", ".jpeg")
        )
    except OSError as error:
        raise SetupError(f"{name}: {folder} cannot be read ({error.strerror}).") from error
    if not files:
        raise SetupError(f"{name}: {folder} holds no JPEG file; the copy is empty or incomplete.")
    return files


def parse(
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

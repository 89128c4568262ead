"""Contact sheets: identities as rows, their images in the order of cameras."""

import re
from collections import defaultdict
from itertools import zip_longest
from pathlib import Path

from PIL import Image

from harness.core.files import atomic_write

GAP = 2  # pixels between images
FILENAME_PATTERN = re.compile(r"(\d{4})_c(\d)s\d_\d+_\d+\.jpg$")


def write_contact_sheet(
    root: Path, target: Path, *, identities: int = 10, images: int = 12
) -> None:
    """Write a PNG file with images of the first training identities.

    Each row has images from as many cameras as possible. All images get the size of the first;
    cells without an image stay black.

    Args:
        root: Dataset in the layout of Market-1501.
        target: PNG file to write; missing parent folders are created.
        identities: Largest number of rows.
        images: Number of columns.

    Raises:
        ValueError: The folder contains no training images.
        UnwritableFileError: The file cannot be written; a former one is still there.
    """
    rows = _select_rows(root / "bounding_box_train", images)[:identities]
    if not rows:
        raise ValueError(
            f"{root} contains no images in bounding_box_train. A contact sheet needs a folder in "
            "the layout of Market-1501."
        )
    with Image.open(rows[0][0]) as first:
        width, height = first.size
    across, down = width + GAP, height + GAP
    sheet = Image.new("RGB", (images * across + GAP, len(rows) * down + GAP))
    for row, files in enumerate(rows):
        for column, file in enumerate(files):
            with Image.open(file) as image:
                cell = image.convert("RGB").resize((width, height))
            sheet.paste(cell, (GAP + column * across, GAP + row * down))
    atomic_write(target, lambda file: sheet.save(file, "PNG"))


def _select_rows(folder: Path, images: int) -> list[list[Path]]:
    """Return up to `images` files of every identity, spread over its cameras, ordered by camera."""
    files_of: dict[str, dict[str, list[Path]]] = defaultdict(lambda: defaultdict(list))
    for file in sorted(folder.glob("*.jpg")):
        match = FILENAME_PATTERN.match(file.name)
        if match is not None and match[1] != "0000":
            files_of[match[1]][match[2]].append(file)
    rows = []
    for cameras in files_of.values():
        rounds = zip_longest(*cameras.values())
        chosen = [file for files in rounds for file in files if file is not None][:images]
        rows.append([file for files in cameras.values() for file in files if file in chosen])
    return rows

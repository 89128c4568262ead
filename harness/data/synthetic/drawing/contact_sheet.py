"""A contact sheet: identities as rows, their images in the order of the cameras."""

import re
from collections import defaultdict
from itertools import zip_longest
from pathlib import Path

from PIL import Image

GAP = 2  # pixels between images
NAME = re.compile(r"(\d{4})_c(\d)s\d_\d+_\d+\.jpg$")


def contact_sheet(root: Path, target: Path, *, identities: int = 10, images: int = 12) -> None:
    """Write a PNG of the first training identities, each seen by as many cameras as possible.

    The sheet is images x (width + 2) + 2 pixels wide and identities x (height + 2) + 2 high, of as
    many identities as there are; cells without an image stay black.

    Raises:
        ValueError: the folder holds no training image.
    """
    rows = _rows(root / "bounding_box_train", images)[:identities]
    if not rows:
        raise ValueError(
            f"{root} holds no images in bounding_box_train; a contact sheet needs a folder in the "
            f"layout of Market-1501."
        )
    with Image.open(rows[0][0]) as first:
        width, height = first.size
    across, down = width + GAP, height + GAP
    sheet = Image.new("RGB", (images * across + GAP, len(rows) * down + GAP))
    for row, files in enumerate(rows):
        for column, file in enumerate(files):
            with Image.open(file) as picture:
                cell = picture.convert("RGB").resize((width, height))
            sheet.paste(cell, (GAP + column * across, GAP + row * down))
    target.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(target, "PNG")


def _rows(folder: Path, images: int) -> list[list[Path]]:
    """Up to `images` files of every identity, spread over its cameras and ordered by camera."""
    seen: dict[str, dict[str, list[Path]]] = defaultdict(lambda: defaultdict(list))
    for file in sorted(folder.glob("*.jpg")):
        match = NAME.match(file.name)
        if match is not None and match[1] != "0000":
            seen[match[1]][match[2]].append(file)
    rows = []
    for cameras in seen.values():
        rounds = zip_longest(*cameras.values())
        chosen = [file for files in rounds for file in files if file is not None][:images]
        rows.append([file for files in cameras.values() for file in files if file in chosen])
    return rows

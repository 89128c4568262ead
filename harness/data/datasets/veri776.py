"""VeRi-776 (Liu et al., ECCV 2016): `0002_c002_00030600_0.jpg` is vehicle 2 from camera 2.

The gallery contains the query images, too; the rule that removes gallery images of the query's
identity and camera removes them.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from harness.core.errors import SetupError
from harness.core.text import printable
from harness.data.dataset import Dataset, make_dataset
from harness.data.parsing import (
    MAX_SHOWN,
    find_broken_images,
    find_dataset_root,
    list_jpegs,
    parse_filenames,
    read_lines,
)

FOLDER_NAMES = ("VeRi", "veri", "veri776", "veri-776")
SUBSET_FOLDERS = ("image_train", "image_query", "image_test")
INDEX_FILES = ("name_query.txt", "name_test.txt", "gt_index.txt", "jk_index.txt")
FILENAME_PATTERN = re.compile(r"(\d{4})_c(\d{3})_\d+_\d+\.jpe?g$", re.IGNORECASE)


def load(root: Path) -> Dataset:
    """Load VeRi-776 from `root` or one of the usual folders below it.

    Raises:
        SetupError: The dataset is missing or cannot be read, a file name is not understood, or
            the authors' index files disagree with the file names.
    """
    home = find_dataset_root(root, "veri776", FOLDER_NAMES, SUBSET_FOLDERS)
    train, query, gallery = (
        list(
            parse_filenames(list_jpegs(home / subset, "veri776"), home, FILENAME_PATTERN, "veri776")
        )
        for subset in SUBSET_FOLDERS
    )
    notes = _verify_index_files(home)
    return make_dataset(
        "veri776",
        home,
        train,
        query,
        gallery,
        notes=notes,
        broken_links=find_broken_images(home, SUBSET_FOLDERS),
    )


def _verify_index_files(home: Path) -> list[str]:
    """Compare the matches given by file names with those in the authors' index files, if present.

    Each line of gt_index.txt lists, for one query, the positions in name_test.txt (from 1) of its
    vehicle's images from other cameras; each line of jk_index.txt those from the query's camera,
    the query among them.

    Returns:
        A note that they agree; nothing where an index file is missing.

    Raises:
        SetupError: An index file cannot be read or disagrees, so labels or lists are of another
            release.
    """
    if not all(os.path.lexists(home / name) for name in INDEX_FILES):
        return []
    queries, names, *indices = (read_lines(home / name, "veri776") for name in INDEX_FILES)
    images_of: dict[str, list[tuple[str, str]]] = {}
    test = _parse_names(home / INDEX_FILES[1], names)
    for position, (vehicle, camera) in enumerate(test, 1):
        images_of.setdefault(vehicle, []).append((str(position), camera))
    parsed = _parse_names(home / INDEX_FILES[0], queries)
    for name, lines, same_camera in zip(INDEX_FILES[2:], indices, (False, True), strict=True):
        for (vehicle, camera), (_, query), (line, listed) in zip(
            parsed, queries, _align(lines, len(parsed)), strict=True
        ):
            expected = {
                position
                for position, other in images_of.get(vehicle, [])
                if (other == camera) == same_camera
            }
            if listed != expected:
                raise SetupError(
                    f"veri776: {home / name}:{line} lists other images for {query} than file "
                    "names and name_test.txt give. The lists are of another release: restore them "
                    "from the archive, or remove them to skip this check."
                )
    return [f"File names and index files agree on the matches of all {len(queries)} queries."]


def _align(lines: list[tuple[int, str]], count: int) -> list[tuple[int, set[str]]]:
    """Return, for each of `count` queries, the line of an index file and what it lists.

    A blank line is a query without such images, unless the others are as many as the queries.
    """
    if len(lines) == count:
        return [(number, set(line.split())) for number, line in lines]
    listed = {number: set(line.split()) for number, line in lines}
    return [(number, listed.get(number, set())) for number in range(1, count + 1)]


def _parse_names(path: Path, lines: list[tuple[int, str]]) -> list[tuple[str, str]]:
    """Return vehicle and camera of each name in a list."""
    labels = []
    for number, name in lines:
        match = FILENAME_PATTERN.fullmatch(name)
        if match is None:
            raise SetupError(
                f"veri776: {path}:{number} contains a line that is not an image name: "
                f"{printable(repr(name[:MAX_SHOWN]))}."
            )
        labels.append((match[1], match[2]))
    return labels

"""VeRi-776 (Liu et al., ECCV 2016): `0002_c002_00030600_0.jpg` is vehicle 2 from camera 2.

The gallery contains the query images, too; the rule that removes gallery images of the query's
identity and camera removes them.
"""

from __future__ import annotations

import re
from pathlib import Path

from harness.core.errors import SetupError
from harness.data.dataset import Dataset, make_dataset
from harness.data.parsing import find_dataset_root, list_jpegs, parse_filenames

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
    return make_dataset("veri776", home, train, query, gallery, notes=notes)


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
    if not all((home / name).is_file() for name in INDEX_FILES):
        return []
    try:
        queries, names, *indices = ((home / name).read_text().splitlines() for name in INDEX_FILES)
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"veri776: the lists in {home} cannot be read ({error}).") from error
    images_of: dict[str, list[tuple[str, str]]] = {}
    for position, (vehicle, camera) in enumerate(_parse_names(home, names), 1):
        images_of.setdefault(vehicle, []).append((str(position), camera))
    for number, (vehicle, camera) in enumerate(_parse_names(home, queries)):
        for name, lines, same_camera in zip(INDEX_FILES[2:], indices, (False, True), strict=True):
            listed = set(lines[number].split()) if number < len(lines) else set()
            expected = {
                position
                for position, other in images_of.get(vehicle, [])
                if (other == camera) == same_camera
            }
            if listed != expected:
                raise SetupError(
                    f"veri776: {home / name}:{number + 1} lists other images for "
                    f"{queries[number]} than file names and name_test.txt give. The lists are of "
                    "another release: restore them from the archive, or remove them to skip this "
                    "check."
                )
    return [f"File names and index files agree on the matches of all {len(queries)} queries."]


def _parse_names(home: Path, names: list[str]) -> list[tuple[str, str]]:
    """Return vehicle and camera of each listed name."""
    matches = [FILENAME_PATTERN.fullmatch(name.strip()) for name in names]
    labels = [(match[1], match[2]) for match in matches if match]
    if len(labels) < len(names):
        raise SetupError(f"veri776: a list in {home} contains a line that is not an image name.")
    return labels

"""VeRi-776 (Liu et al., ECCV 2016): `0002_c002_00030600_0.jpg` is vehicle 2 seen by camera 2.

The query images lie in the gallery too; the same-identity-same-camera rule removes them there.
"""

from __future__ import annotations

import re
from pathlib import Path

from harness.core.errors import SetupError
from harness.data.dataset import Dataset, make_dataset
from harness.data.parsing import find_dataset_root, list_jpegs, parse_filenames

FOLDERS = ("VeRi", "veri", "veri776", "veri-776")
SUBSETS = ("image_train", "image_query", "image_test")
INDEX = ("name_query.txt", "name_test.txt", "gt_index.txt", "jk_index.txt")
NAME = re.compile(r"(\d{4})_c(\d{3})_\d+_\d+\.jpe?g$", re.IGNORECASE)


def load(root: Path) -> Dataset:
    """Read the dataset below `root`, under its own name or the usual toolboxes' name."""
    home = find_dataset_root(root, "veri776", FOLDERS, SUBSETS)
    train, query, gallery = (
        list(parse_filenames(list_jpegs(home / subset, "veri776"), home, NAME, "veri776"))
        for subset in SUBSETS
    )
    return make_dataset("veri776", home, train, query, gallery, _self_test(home))


def _self_test(home: Path) -> list[str]:
    """Compare the matches that file names give with those that the authors listed, if they did.

    A line of gt_index.txt holds, for one query, the places in name_test.txt (from 1) of its
    vehicle under other cameras; one of jk_index.txt those under its own, itself among them.

    Raises:
        SetupError: a list cannot be read or disagrees; labels or lists are then of other data.
    """
    if not all((home / name).is_file() for name in INDEX):
        return []
    try:
        queries, names, *listed = ((home / name).read_text().splitlines() for name in INDEX)
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"veri776: the lists in {home} cannot be read ({error}).") from error
    members: dict[str, list[tuple[str, str]]] = {}
    for place, (vehicle, camera) in enumerate(_labels(home, names), 1):
        members.setdefault(vehicle, []).append((str(place), camera))
    for number, (vehicle, camera) in enumerate(_labels(home, queries)):
        for name, lines, own in zip(INDEX[2:], listed, (False, True), strict=True):
            stated = set(lines[number].split()) if number < len(lines) else set()
            known = members.get(vehicle, [])
            if stated != {place for place, other in known if (other == camera) == own}:
                raise SetupError(
                    f"veri776: {home / name}:{number + 1} lists other images for "
                    f"{queries[number]} than file names and name_test.txt give. The lists are of "
                    "another release: restore them from the archive, or remove them to go without."
                )
    return [f"File names and index files agree on the matches of all {len(queries)} queries."]


def _labels(home: Path, names: list[str]) -> list[tuple[str, str]]:
    """Vehicle and camera of each listed name."""
    found = [NAME.fullmatch(name.strip()) for name in names]
    labels = [(match[1], match[2]) for match in found if match]
    if len(labels) < len(names):
        raise SetupError(f"veri776: a list in {home} holds a line that is no image name.")
    return labels

"""MSMT17 (Wei et al., CVPR 2018), V1 or V2: list files name each image and its identity.

A line is `0000/0000_045_12_0303morning_0006_2.jpg 0`; the third field of the name is the camera.
Test identities start again from 0: they are other people than the training ones. Training uses
list_train and list_val together, the 32,621 images that the distillation papers report.
"""

from __future__ import annotations

import re
from pathlib import Path

from harness.data.dataset import Dataset, Image, assemble
from harness.data.layout import locate
from harness.errors import SetupError

FOLDERS = ("MSMT17_V1", "MSMT17_V2", "msmt17", "msmt17/MSMT17_V1", "msmt17/MSMT17_V2", "MSMT17")
LISTS = ("list_train.txt", "list_val.txt", "list_query.txt", "list_gallery.txt")
VERSIONS = {"MSMT17_V1": ("train", "test"), "MSMT17_V2": ("mask_train_v2", "mask_test_v2")}
NAME = re.compile(r"\d{4}_\d{3}_(\d{2})_.*\.jpe?g$", re.IGNORECASE)


def load(root: Path) -> Dataset:
    """Read the dataset below `root`, training on list_train and list_val."""
    home = locate(root, "msmt17", FOLDERS, LISTS)
    present = [v for v, parts in VERSIONS.items() if all((home / part).is_dir() for part in parts)]
    if not present:
        raise SetupError(
            f"msmt17: {home} holds the lists but neither train/ and test/ (V1) nor mask_train_v2/ "
            f"and mask_test_v2/ (V2)."
        )
    version = present[0]
    train, test = VERSIONS[version]
    folders = (train, train, test, test)
    learn, validation, query, gallery = (
        _read(home, folder, name) for folder, name in zip(folders, LISTS, strict=True)
    )
    note = f"{version}; training on list_train + list_val: {len(learn) + len(validation)} images."
    return assemble("msmt17", home, [*learn, *validation], query, gallery, [note])


def _read(home: Path, folder: str, name: str) -> list[Image]:
    images = []
    for number, line in enumerate((home / name).read_text().splitlines(), 1):
        if not line.strip():
            continue
        file, _, identity = line.strip().rpartition(" ")
        match = NAME.match(Path(file).name)
        if match is None or not identity.isdigit():
            raise SetupError(f"msmt17: {home / name}:{number}: {line!r} is not `path identity`.")
        path = f"{folder}/{file}"
        if not (home / path).is_file():
            raise SetupError(f"msmt17: {home / name}:{number} names {path}, which does not exist.")
        images.append(Image(path, int(identity), int(match[1])))
    return images

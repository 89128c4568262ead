"""MSMT17 (Wei et al., CVPR 2018), V1 or V2: list files name each image and its identity.

A line is `0000/0000_045_12_0303morning_0006_2.jpg 0`; the third field of the name is the camera.
Test identities start again from 0: they are other people than the training ones. Training uses
list_train and list_val together, the 32,621 images that the distillation papers report; as
`msmt17-train` it uses list_train alone, and is never mixed with the other in a table.
"""

from __future__ import annotations

import re
from pathlib import Path

from harness.core.errors import SetupError
from harness.data.dataset import Dataset, Image, make_dataset
from harness.data.parsing import find_dataset_root, index_files, read_list

FOLDERS = ("MSMT17_V1", "MSMT17_V2", "msmt17", "msmt17/MSMT17_V1", "msmt17/MSMT17_V2", "MSMT17")
LISTS = ("list_train.txt", "list_val.txt", "list_query.txt", "list_gallery.txt")
LISTS_COME_FROM = " Copies without their list files are common; the dataset's owner hands them out."
VERSIONS = {"MSMT17_V1": ("train", "test"), "MSMT17_V2": ("mask_train_v2", "mask_test_v2")}
NAME = re.compile(r"\d{4}_\d{3}_(\d{2})_.*\.jpe?g$", re.IGNORECASE)


def load(root: Path) -> Dataset:
    """Read the dataset below `root`, training on list_train and list_val."""
    return _load("msmt17", root, LISTS[:2])


def load_train(root: Path) -> Dataset:
    """The same, training on list_train alone, as most toolboxes do."""
    return _load("msmt17-train", root, LISTS[:1])


def _load(name: str, root: Path, learned: tuple[str, ...]) -> Dataset:
    home = find_dataset_root(root, name, FOLDERS, LISTS, LISTS_COME_FROM)
    present = [v for v, parts in VERSIONS.items() if all((home / part).is_dir() for part in parts)]
    if not present:
        raise SetupError(
            f"{name}: {home} holds the lists but neither train/ and test/ (V1) nor mask_train_v2/ "
            f"and mask_test_v2/ (V2)."
        )
    version = present[0]
    train, test = VERSIONS[version]
    files = {folder: index_files(home / folder, name) for folder in (train, test)}
    absent: list[str] = []

    def read(folder: str, listed: str) -> list[Image]:
        images = []
        for place, file, identity in read_list(home / listed, name):
            match = NAME.match(Path(file).name)
            if match is None:
                raise SetupError(f"{name}: {home / place}: {file} is not named as expected.")
            found = files[folder].get(file.lower())
            if found is None:
                absent.append(f"{place}: {folder}/{file}")
            else:
                images.append(Image(f"{folder}/{found}", identity, int(match[1])))
        return images

    learn = [image for listed in learned for image in read(train, listed)]
    query, gallery = (read(test, listed) for listed in LISTS[2:])
    said = " + ".join(listed.removesuffix(".txt") for listed in learned)
    note = f"{version}; training on {said}: {len(learn)} images."
    return make_dataset(name, home, learn, query, gallery, [note], absent)

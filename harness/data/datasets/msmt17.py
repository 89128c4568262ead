"""MSMT17 (Wei et al., CVPR 2018), V1 or V2: list files name each image and its identity.

A line is `0000/0000_045_12_0303morning_0006_2.jpg 0`; the third field of the name is the camera.
Test identities start again from 0: they are not the training identities of the same number.

`msmt17` trains on list_train and list_val, the 32,621 images that the distillation papers report.
`msmt17-train` trains on list_train alone; tables never mix the two.
"""

from __future__ import annotations

import re
from pathlib import Path

from harness.core.errors import SetupError
from harness.data.dataset import Dataset, Image, make_dataset
from harness.data.parsing import (
    find_dataset_root,
    find_links_of_missing,
    index_files,
    read_list,
)

FOLDER_NAMES = (
    "MSMT17_V1",
    "MSMT17_V2",
    "msmt17",
    "msmt17/MSMT17_V1",
    "msmt17/MSMT17_V2",
    "MSMT17",
)
LIST_FILES = ("list_train.txt", "list_val.txt", "list_query.txt", "list_gallery.txt")
MISSING_LISTS_HINT = (
    " Many copies lack the list files; they are available from the dataset's owner."
)
VERSION_FOLDERS = {"MSMT17_V1": ("train", "test"), "MSMT17_V2": ("mask_train_v2", "mask_test_v2")}
FILENAME_PATTERN = re.compile(r"\d{4}_\d{3}_(\d{2})_.*\.jpe?g$", re.IGNORECASE)


def load(root: Path) -> Dataset:
    """Load MSMT17 with list_train and list_val as the training set.

    Raises:
        SetupError: The dataset is missing or cannot be read, or a list is not understood.
    """
    return _load_lists("msmt17", root, LIST_FILES[:2])


def load_train(root: Path) -> Dataset:
    """Load MSMT17 with list_train alone as the training set, as most toolboxes do.

    Raises:
        SetupError: The dataset is missing or cannot be read, or a list is not understood.
    """
    return _load_lists("msmt17-train", root, LIST_FILES[:1])


def _load_lists(name: str, root: Path, train_lists: tuple[str, ...]) -> Dataset:
    home = find_dataset_root(root, name, FOLDER_NAMES, LIST_FILES, MISSING_LISTS_HINT)
    versions = [
        version
        for version, folders in VERSION_FOLDERS.items()
        if all((home / folder).is_dir() for folder in folders)
    ]
    if not versions:
        raise SetupError(
            f"{name}: {home} contains the lists but neither train/ and test/ (V1) nor "
            f"mask_train_v2/ and mask_test_v2/ (V2)."
        )
    train_folder, test_folder = VERSION_FOLDERS[versions[0]]
    files = {folder: index_files(home / folder, name) for folder in (train_folder, test_folder)}
    missing_files: list[str] = []

    def read(folder: str, list_file: str) -> list[Image]:
        images = []
        for location, file, identity in read_list(home / list_file, name):
            match = FILENAME_PATTERN.match(Path(file).name)
            if match is None:
                raise SetupError(
                    f"{name}: {home / location}: the file name {file} does not have the expected "
                    f"form ({FILENAME_PATTERN.pattern})."
                )
            path = files[folder].get(file.lower())
            if path is None:
                missing_files.append(f"{location}: {folder}/{file}")
            else:
                images.append(Image(f"{folder}/{path}", identity, int(match[1])))
        return images

    train = [image for list_file in train_lists for image in read(train_folder, list_file)]
    query, gallery = (read(test_folder, list_file) for list_file in LIST_FILES[2:])
    lists = " + ".join(list_file.removesuffix(".txt") for list_file in train_lists)
    note = f"{versions[0]}; training on {lists}: {len(train)} images."
    return make_dataset(
        name,
        home,
        train,
        query,
        gallery,
        notes=[note],
        missing_files=missing_files,
        broken_links=find_links_of_missing(home, files, missing_files),
    )

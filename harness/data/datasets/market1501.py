"""Market-1501 (Zheng et al., ICCV 2015): `0001_c1s1_000151_01.jpg` is identity 1 from camera 1.

Identity -1 marks junk, detections that overlap a person too little to count as either right or
wrong: they are dropped. Identity 0 marks distractors: they stay in the gallery as negatives.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from harness.data.dataset import Dataset, Image, make_dataset
from harness.data.parsing import (
    find_broken_images,
    find_dataset_root,
    list_jpegs,
    parse_filenames,
)

SUBSET_FOLDERS = ("bounding_box_train", "query", "bounding_box_test")
FOLDER_NAMES = ("Market-1501-v15.09.15", "market1501", "market1501/Market-1501-v15.09.15")
FILENAME_PATTERN = re.compile(r"(-1|\d{4})_c(\d)s\d_\d+_\d+\.jpe?g$", re.IGNORECASE)


def load(root: Path) -> Dataset:
    """Load Market-1501 from `root` or one of the usual folders below it.

    Raises:
        SetupError: The folder is missing or cannot be read, or a file name is not understood.
    """
    return load_folders("market1501", root)


def load_folders(
    name: str,
    root: Path,
    folders: Iterable[str] = FOLDER_NAMES,
    pattern: re.Pattern[str] = FILENAME_PATTERN,
) -> Dataset:
    """Load any dataset with labels in its file names and subsets in Market-1501's three folders.

    Args:
        name: The name that the dataset gets.
        root: The dataset's folder, or its parent.
        folders: Usual names of the dataset's folder below `root`.
        pattern: Matched with each base name; its first group is the identity (-1: junk), its
            second the camera.

    Raises:
        SetupError: The folder is missing or cannot be read, or a file name is not understood.
    """
    home = find_dataset_root(root, name, folders, SUBSET_FOLDERS)
    train, query, gallery = (
        list(parse_filenames(list_jpegs(home / subset, name), home, pattern, name))
        for subset in SUBSET_FOLDERS
    )
    kept = drop_junk(gallery)
    notes = []
    if len(kept) < len(gallery):
        dropped, distractors = len(gallery) - len(kept), sum(i.identity == 0 for i in kept)
        notes.append(
            f"Gallery: {len(gallery)} files; {dropped} named -1 (junk) were dropped, {distractors} "
            f"named 0000 (distractors) kept: {len(kept)} images."
        )
    return make_dataset(
        name,
        home,
        drop_junk(train),
        query,
        kept,
        notes=notes,
        broken_links=find_broken_images(home, SUBSET_FOLDERS),
    )


def drop_junk(images: Iterable[Image]) -> list[Image]:
    """Return all images whose identity is not -1."""
    return [image for image in images if image.identity != -1]

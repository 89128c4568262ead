"""Market-1501 (Zheng et al., ICCV 2015): `0001_c1s1_000151_01.jpg` is identity 1 seen by camera 1.

Identity -1 marks detections that overlap a person too little to count either way: they are dropped.
Identity 0 marks distractors: they stay in the gallery and match no query.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from harness.data.dataset import Dataset, Image, make_dataset
from harness.data.parsing import find_dataset_root, list_jpegs, parse_filenames

SUBSETS = ("bounding_box_train", "query", "bounding_box_test")
FOLDERS = ("Market-1501-v15.09.15", "market1501", "market1501/Market-1501-v15.09.15")
NAME = re.compile(r"(-1|\d{4})_c(\d)s\d_\d+_\d+\.jpe?g$", re.IGNORECASE)


def load(root: Path) -> Dataset:
    """Read the dataset below `root`, under its own name or the usual toolboxes' name."""
    return load_folders("market1501", root, FOLDERS, NAME)


def load_folders(
    name: str, root: Path, folders: Iterable[str], pattern: re.Pattern[str]
) -> Dataset:
    """Any dataset that keeps its labels in file names and its subsets in these three folders."""
    home = find_dataset_root(root, name, folders, SUBSETS)
    train, query, gallery = (
        list(parse_filenames(list_jpegs(home / subset, name), home, pattern, name))
        for subset in SUBSETS
    )
    kept = drop_junk(gallery)
    notes = []
    if len(kept) < len(gallery):
        dropped, distractors = len(gallery) - len(kept), sum(i.identity == 0 for i in kept)
        notes.append(
            f"Gallery: {len(gallery)} files; {dropped} named -1 (junk) were dropped, {distractors} "
            f"named 0000 (distractors) kept: {len(kept)} images."
        )
    return make_dataset(name, home, drop_junk(train), query, kept, notes)


def drop_junk(images: Iterable[Image]) -> list[Image]:
    """All but the images whose identity is -1."""
    return [image for image in images if image.identity != -1]

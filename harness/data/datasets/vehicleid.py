"""VehicleID (Liu et al., CVPR 2016): list files name each image and its vehicle; no cameras.

A line of `train_test_split/train_list.txt` is `0000001 13160`: image/0000001.jpg shows vehicle
13160. Each of the three test lists is scored by the usual protocol: one random image of every
vehicle forms the gallery, all others are queries, and scores are means over ten such splits. One
sentence of VRKD describes the reverse, but its mAP is above its R1, which only this protocol gives.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from harness.core.errors import SetupError
from harness.core.text import printable
from harness.data.dataset import Dataset, Image, QueryGallerySplit, require_images
from harness.data.parsing import (
    MAX_SHOWN,
    find_dataset_root,
    find_links_of_missing,
    index_files,
    read_list,
)

FOLDER_NAMES = ("VehicleID_V1.0", "vehicleid", "VehicleID", "vehicleid/VehicleID_V1.0")
TRAIN_LIST = "train_test_split/train_list.txt"
TEST_LISTS = {f"test{size}": f"train_test_split/test_list_{size}.txt" for size in (800, 1600, 2400)}
SPLITS_PER_TEST = 10

_NUMBER = re.compile(r"[0-9]{1,18}")


def load(root: Path) -> Dataset:
    """Load VehicleID from `root` or one of the usual folders below it.

    Raises:
        SetupError: The dataset is missing or cannot be read, or a list is not understood.
    """
    required = ("image", TRAIN_LIST, *TEST_LISTS.values())
    home = find_dataset_root(root, "vehicleid", FOLDER_NAMES, required)
    files = index_files(home / "image", "vehicleid")
    missing: dict[str, str] = {}  # first location by file, because the test lists share images
    train = _read_images(home / TRAIN_LIST, files, missing)
    lists = {name: _read_images(home / path, files, missing) for name, path in TEST_LISTS.items()}
    missing_files = tuple(f"{location}: {file}" for file, location in missing.items())
    broken_links = tuple(find_links_of_missing(home, ["image"], missing_files))
    for subset, images in {"training": train, **lists}.items():
        require_images("vehicleid", home, subset, images, missing_files, broken_links)
    test = sorted({image for images in lists.values() for image in images})
    positions = {image: index for index, image in enumerate(test)}
    test_splits = {
        name: tuple(
            _sample_split(name, number, images, positions) for number in range(SPLITS_PER_TEST)
        )
        for name, images in lists.items()
    }
    note = (
        f"Gallery: one image of every vehicle, in {SPLITS_PER_TEST} seeded draws for each test "
        "list."
    )
    return Dataset(
        "vehicleid",
        home,
        tuple(train),
        tuple(test),
        test_splits,
        notes=(note,),
        missing_files=missing_files,
        broken_links=broken_links,
    )


def _read_images(path: Path, files: Mapping[str, str], missing: dict[str, str]) -> list[Image]:
    """Return the images of a list, sorted.

    Args:
        path: The list.
        files: Path of every image file, by the same path in lower case.
        missing: Gets the locations of listed images without a file.

    Raises:
        SetupError: The list cannot be read or is not understood.
    """
    images = []
    for location, file, identity in read_list(path, "vehicleid"):
        if not _NUMBER.fullmatch(file):
            raise SetupError(
                f"vehicleid: {path.parent / location}: {printable(repr(file[:MAX_SHOWN]))} is not "
                "an image number."
            )
        found = files.get(f"{file}.jpg")
        if found is None:
            missing.setdefault(f"image/{file}.jpg", location)
        else:
            # There are no cameras: each image counts as its own, so that no match is removed.
            images.append(Image(f"image/{found}", identity, int(file)))
    return sorted(images)


def _sample_split(
    name: str, number: int, images: list[Image], positions: dict[Image, int]
) -> QueryGallerySplit:
    """Sample one image of every vehicle for the gallery; the others are queries.

    Args:
        name: The test's name, part of the random stream.
        number: Number of the split, part of the random stream.
        images: Images of the test list.
        positions: Index of each image in `Dataset.test`.
    """
    import torch

    from harness.core.seeding import make_generator

    random = make_generator("vehicleid", name, number)
    indices_of: dict[int, list[int]] = {}
    for image in images:
        indices_of.setdefault(image.identity, []).append(positions[image])
    query, gallery = [], []
    for indices in indices_of.values():
        chosen = indices[int(torch.randint(len(indices), (), generator=random))]
        gallery.append(chosen)
        query += [index for index in indices if index != chosen]
    return QueryGallerySplit(tuple(query), tuple(gallery))

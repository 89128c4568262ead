"""VehicleID (Liu et al., CVPR 2016): list files name each image and its vehicle; no cameras.

A line of `train_test_split/train_list.txt` is `0000001 13160`: image/0000001.jpg shows vehicle
13160. Each of the three test lists is scored by the usual protocol: one random image of every
vehicle makes the gallery, all others are probes, and the scores are the mean of ten such draws.
VRKD describes the reverse in one sentence, but its mAP lies above its R1, which only this gives.
"""

from __future__ import annotations

from pathlib import Path

import torch

from harness.core.errors import SetupError
from harness.core.seeding import make_generator
from harness.data.dataset import Dataset, Image, QueryGallerySplit
from harness.data.parsing import find_dataset_root, index_files, read_list

FOLDERS = ("VehicleID_V1.0", "vehicleid", "VehicleID", "vehicleid/VehicleID_V1.0")
TRAIN = "train_test_split/train_list.txt"
TESTS = {f"test{size}": f"train_test_split/test_list_{size}.txt" for size in (800, 1600, 2400)}
DRAWS = 10


def load(root: Path) -> Dataset:
    """Read the dataset below `root`, under its own name or the usual toolboxes' name."""
    home = find_dataset_root(root, "vehicleid", FOLDERS, ("image", TRAIN, *TESTS.values()))
    files = index_files(home / "image", "vehicleid")
    absent: dict[str, None] = {}  # in order; the test lists share images

    def read(listed: str) -> list[Image]:
        """The images of a list; as they have no camera, each counts as its own."""
        images = []
        for place, file, identity in read_list(home / listed, "vehicleid"):
            if not file.isdecimal():
                raise SetupError(
                    f"vehicleid: {(home / listed).parent / place}: {file!r} is no number."
                )
            found = files.get(f"{file}.jpg")
            if found is None:
                absent[f"{place}: image/{file}.jpg"] = None
            else:
                images.append(Image(f"image/{found}", identity, int(file)))
        return sorted(images)

    train = read(TRAIN)
    lists = {name: read(path) for name, path in TESTS.items()}
    test = sorted({image for images in lists.values() for image in images})
    place = {image: index for index, image in enumerate(test)}
    evaluations = {
        name: tuple(_draw(name, number, images, place) for number in range(DRAWS))
        for name, images in lists.items()
    }
    note = f"Gallery: one image of every vehicle, in {DRAWS} seeded draws for each test list."
    return Dataset(
        "vehicleid",
        home,
        tuple(train),
        tuple(test),
        evaluations,
        notes=(note,),
        missing_files=tuple(absent),
    )


def _draw(
    name: str, number: int, images: list[Image], place: dict[Image, int]
) -> QueryGallerySplit:
    """One image of every vehicle for the gallery, the others as queries."""
    random = make_generator("vehicleid", name, number)
    members: dict[int, list[int]] = {}
    for image in images:
        members.setdefault(image.identity, []).append(place[image])
    query, gallery = [], []
    for indices in members.values():
        chosen = indices[int(torch.randint(len(indices), (), generator=random))]
        gallery.append(chosen)
        query += [index for index in indices if index != chosen]
    return QueryGallerySplit(tuple(query), tuple(gallery))

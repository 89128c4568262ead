"""VehicleID (Liu et al., CVPR 2016): list files name each image and its vehicle; no cameras.

A line of `train_test_split/train_list.txt` is `0000001 13160`: image/0000001.jpg shows vehicle
13160. Each of the three test lists is scored by the usual protocol: one random image of every
vehicle makes the gallery, all others are probes, and the scores are the mean of ten such draws.
VRKD describes the reverse in one sentence, but its mAP lies above its R1, which only this gives.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import torch

from harness.data.dataset import Dataset, Draw, Image
from harness.data.layout import locate
from harness.errors import SetupError
from harness.seeding import generator

FOLDERS = ("VehicleID_V1.0", "vehicleid", "VehicleID", "vehicleid/VehicleID_V1.0")
TRAIN = "train_test_split/train_list.txt"
TESTS = {f"test{size}": f"train_test_split/test_list_{size}.txt" for size in (800, 1600, 2400)}
DRAWS = 10


def load(root: Path) -> Dataset:
    """Read the dataset below `root`, under its own name or the usual toolboxes' name."""
    home = locate(root, "vehicleid", FOLDERS, ("image", TRAIN, *TESTS.values()))
    train = sorted(_read(home, TRAIN))
    lists = {name: sorted(_read(home, path)) for name, path in TESTS.items()}
    test = sorted({image for images in lists.values() for image in images})
    place = {image: index for index, image in enumerate(test)}
    evaluations = {
        name: tuple(_draw(name, number, images, place) for number in range(DRAWS))
        for name, images in lists.items()
    }
    note = f"Gallery: one image of every vehicle, in {DRAWS} seeded draws for each test list."
    return Dataset("vehicleid", home, tuple(train), tuple(test), evaluations, (note,))


def _read(home: Path, name: str) -> Iterable[Image]:
    """The images of a list; as they have no camera, each counts as its own.

    Raises:
        SetupError: the list is empty, a line is wrong, or an image is absent.
    """
    images = []
    for number, line in enumerate((home / name).read_text().splitlines(), 1):
        if not line.strip():
            continue
        file, _, identity = line.strip().partition(" ")
        if not (file.isdigit() and identity.strip().isdigit()):
            raise SetupError(f"vehicleid: {home / name}:{number}: {line!r} is not `image vehicle`.")
        path = f"image/{file}.jpg"
        if not (home / path).is_file():
            raise SetupError(f"vehicleid: {home / name}:{number} names {path}, which is absent.")
        images.append(Image(path, int(identity), int(file)))
    if not images:
        raise SetupError(f"vehicleid: {home / name} names no image.")
    return images


def _draw(name: str, number: int, images: list[Image], place: dict[Image, int]) -> Draw:
    """One image of every vehicle for the gallery, the others as queries."""
    random = generator("vehicleid", name, number)
    members: dict[int, list[int]] = {}
    for image in images:
        members.setdefault(image.identity, []).append(place[image])
    query, gallery = [], []
    for indices in members.values():
        chosen = indices[int(torch.randint(len(indices), (), generator=random))]
        gallery.append(chosen)
        query += [index for index in indices if index != chosen]
    return Draw(tuple(query), tuple(gallery))

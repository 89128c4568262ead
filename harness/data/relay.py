"""Generated images in the layout of a real dataset: names, folders, lists and XML as distributed.

The images are drawn in Market-1501's layout first and then moved; each layout's own folder name is
made below the target, so that `--data-root TARGET` finds it as it would find the real one.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import quoteattr

from harness.data.market1501 import SUBSETS

NAME = re.compile(r"(-1|\d{4})_c(\d)s\d_(\d+)_\d+\.jpg")
JUNK, DISTRACTOR = -1, 0


@dataclass(frozen=True, slots=True)
class File:
    """A generated image: whom it shows, the camera, and a number that no other image has."""

    path: Path
    identity: int
    camera: int
    frame: int


def relay(drawn: Path, target: Path, like: str) -> Path:
    """Move the images in `drawn` to `target`, laid out like the dataset; return its folder."""
    folder, write = LAYOUTS[like]
    home = target / folder
    if home.exists():
        raise ValueError(f"{home} exists already; choose another folder.")
    train, query, gallery = (list(_files(drawn / subset)) for subset in SUBSETS)
    home.parent.mkdir(parents=True, exist_ok=True)
    if like == "market1501":
        shutil.move(drawn, home)
    else:
        home.mkdir()
        write(home, train, query, gallery)
        shutil.rmtree(drawn)
    return home


def _files(folder: Path) -> Iterable[File]:
    for path in sorted(folder.glob("*.jpg")):
        if match := NAME.fullmatch(path.name):
            yield File(path, int(match[1]), int(match[2]), int(match[3]))


def _move(files: Iterable[File], folder: Path, name: Callable[[File], str]) -> list[str]:
    """Move each file to `folder` under its new name; the names, in order."""
    names = []
    for file in files:
        names.append(name(file))
        (folder / names[-1]).parent.mkdir(parents=True, exist_ok=True)
        file.path.replace(folder / names[-1])
    return names


def _people(files: Iterable[File], first_distractor: int) -> list[File]:
    """Without junk; every distractor becomes a person of its own, as where none is marked."""
    kept = [file for file in files if file.identity != JUNK]
    numbers = iter(range(first_distractor, first_distractor + len(kept)))
    return [
        File(f.path, next(numbers), f.camera, f.frame) if f.identity == DISTRACTOR else f
        for f in kept
    ]


def _dukemtmc(home: Path, train: list[File], query: list[File], gallery: list[File]) -> None:
    def name(file: File) -> str:
        return f"{file.identity:04d}_c{file.camera}_f{file.frame:07d}.jpg"

    for subset, files in zip(SUBSETS, (train, query, _people(gallery, 8000)), strict=True):
        _move(files, home / subset, name)


def _msmt17(home: Path, train: list[File], query: list[File], gallery: list[File]) -> None:
    """Identities count from 0 in each half; there are no distractors; one in 14 validates."""
    gallery = [file for file in gallery if file.identity > DISTRACTOR]

    def lay(folder: str, files: list[File], place: dict[int, int]) -> list[str]:
        def name(file: File) -> str:
            person = place[file.identity]
            moment = f"{file.camera:02d}_0303morning_{file.frame:07d}_0"
            return f"{person:04d}/{person:04d}_{file.frame % 1000:03d}_{moment}.jpg"

        names = _move(files, home / folder, name)
        return [f"{n} {place[f.identity]}" for n, f in zip(names, files, strict=True)]

    def places(files: list[File]) -> dict[int, int]:
        return {identity: n for n, identity in enumerate(sorted({f.identity for f in files}))}

    learn = lay("train", train, places(train))
    tested = places([*query, *gallery])
    validation = learn[::14]
    lists = {
        "train": [line for line in learn if line not in set(validation)],
        "val": validation,
        "query": lay("test", query, tested),
        "gallery": lay("test", gallery, tested),
    }
    for part, lines in lists.items():
        (home / f"list_{part}.txt").write_text("\n".join(lines) + "\n")


def _veri776(home: Path, train: list[File], query: list[File], gallery: list[File]) -> None:
    """The query images lie in the gallery, too; the index files name matches and junk."""

    def name(file: File) -> str:
        return f"{file.identity:04d}_c{file.camera:03d}_{file.frame:08d}_0.jpg"

    names = {"train": _move(train, home / "image_train", name)}
    people = sorted([*query, *_people(gallery, 8000)], key=name)
    names["test"] = _move(people, home / "image_test", name)
    names["query"] = [name(file) for file in query]
    (home / "image_query").mkdir()
    for file in names["query"]:
        shutil.copy(home / "image_test" / file, home / "image_query" / file)
    for part, listed in names.items():
        (home / f"name_{part}.txt").write_text("\n".join(listed) + "\n")
    for part, title, files in (("train", "Training", train), ("test", "Test", people)):
        items = [
            f"<Item imageName={quoteattr(name(f))} vehicleID={quoteattr(f'{f.identity:04d}')} "
            f'cameraID="c{f.camera:03d}" colorID="1" typeID="1" />'
            for f in files
        ]
        text = [
            '<?xml version="1.0" encoding="gb2312" ?>', f'<{title}Images Version="1.0">',
            f'<Items number="{len(items)}">', *items, "</Items>", f"</{title}Images>",
        ]  # fmt: skip
        (home / f"{part}_label.xml").write_text("\n".join(text) + "\n")
    for kind, same_camera in (("gt", False), ("jk", True)):
        lines = [
            " ".join(
                str(number)
                for number, other in enumerate(people, 1)
                if other.identity == f.identity and (other.camera == f.camera) == same_camera
            )
            for f in query
        ]
        (home / f"{kind}_index.txt").write_text("\n".join(lines) + "\n")


def _vehicleid(home: Path, train: list[File], query: list[File], gallery: list[File]) -> None:
    """Numbered images and lists; the three test lists hold a third, two thirds and all vehicles."""
    tested = [file for file in [*query, *gallery] if file.identity > DISTRACTOR]
    numbered = [*train, *tested]
    number = {file: place for place, file in enumerate(numbered, 1)}
    names = _move(numbered, home / "image", lambda file: f"{number[file]:07d}.jpg")
    lines = [f"{n[:-4]} {f.identity}" for n, f in zip(names, numbered, strict=True)]
    split, attributes = home / "train_test_split", home / "attribute"
    split.mkdir()
    attributes.mkdir()
    (attributes / "img2vid.txt").write_text("\n".join(lines) + "\n")
    (split / "train_list.txt").write_text("\n".join(lines[: len(train)]) + "\n")
    vehicles = sorted({file.identity for file in tested})
    for size, share in ((800, 1), (1600, 2), (2400, 3)):
        chosen = set(vehicles[: max(2, len(vehicles) * share // 3)])
        kept = [
            line
            for line, file in zip(lines[len(train) :], tested, strict=True)
            if file.identity in chosen
        ]
        (split / f"test_list_{size}.txt").write_text("\n".join(kept) + "\n")


LAYOUTS: dict[str, tuple[str, Callable[[Path, list[File], list[File], list[File]], None]]] = {
    "market1501": ("Market-1501-v15.09.15", lambda *_: None),
    "dukemtmc": ("DukeMTMC-reID", _dukemtmc),
    "msmt17": ("MSMT17_V1", _msmt17),
    "veri776": ("VeRi", _veri776),
    "vehicleid": ("VehicleID_V1.0", _vehicleid),
}
VEHICLES = ("veri776", "vehicleid")

"""Generated images in the layout of a real dataset: names, folders, lists and XML as distributed.

A layout says where every image goes and what the lists hold before anything is drawn. Its own
folder name is made below the target, so that `--data-root TARGET` finds it as it would find the
real one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import quoteattr

from harness.data.datasets.market1501 import SUBSETS
from harness.data.synthetic.writer import (
    MANIFEST,
    FolderPlan,
    ImageSpec,
    RenderSettings,
    render_folder,
)

FIRST_DISTRACTOR = 8000  # identity of the first one where they have identities
VALIDATION_EVERY = 14  # one training image in this many, where the plan names none


def render_like(
    target: Path,
    like: str,
    studio: RenderSettings,
    shots: Iterable[ImageSpec],
    statement: Mapping[str, object],
    *,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Draw the images below `target`, laid out like the dataset; return their folder.

    `statement` is what the folder says about itself; the rest as in `studio.build`.

    Raises:
        ValueError: the folder is there already, or `workers` is not positive.
    """
    folder, arrange = LAYOUTS[like]
    home = target / folder
    if home.exists():
        raise ValueError(f"{home} exists already; choose another folder.")
    tree = arrange(shots)
    tree.texts[MANIFEST] = json.dumps(statement, indent=1) + "\n"
    render_folder(home, studio, tree, workers=workers, progress=progress)
    return home


def market1501(shots: Iterable[ImageSpec]) -> FolderPlan:
    """One label for all distractors and one for junk; the box 00 marks a query."""

    def name(shot: ImageSpec) -> str:
        label = {"distractor": "0000", "junk": "-1"}.get(shot.role, f"{shot.subject + 1:04d}")
        box = "00" if shot.role == "query" else "01"
        return f"{label}_c{shot.camera + 1}s1_{shot.frame:06d}_{box}.jpg"

    return _folders(_parts(shots), name)


def _dukemtmc(shots: Iterable[ImageSpec]) -> FolderPlan:
    train, query, gallery = _parts(shots)
    people, label = _people(gallery)

    def name(shot: ImageSpec) -> str:
        return f"{label(shot):04d}_c{shot.camera + 1}_f{shot.frame:07d}.jpg"

    return _folders((train, query, people), name)


def _msmt17(shots: Iterable[ImageSpec]) -> FolderPlan:
    """Identities count from 0 in each half; there are no distractors."""
    train, query, gallery = _parts(shots)
    gallery = [shot for shot in gallery if shot.role == "gallery"]
    tree = FolderPlan({})

    def lay(folder: str, files: list[ImageSpec], place: dict[int, int]) -> list[str]:
        lines = []
        for shot in files:
            person = place[shot.subject]
            moment = f"{shot.camera + 1:02d}_0303morning_{shot.frame:07d}_0"
            name = f"{person:04d}/{person:04d}_{shot.frame % 1000:03d}_{moment}.jpg"
            tree.pictures[f"{folder}/{name}"] = shot
            lines.append(f"{name} {person}")
        return lines

    learn = lay("train", train, _places(train))
    tested = _places([*query, *gallery])
    chosen = [place for place, shot in enumerate(train) if shot.role == "validation"]
    validating = set(chosen or range(0, len(train), VALIDATION_EVERY))
    lists = {
        "train": [line for place, line in enumerate(learn) if place not in validating],
        "val": [line for place, line in enumerate(learn) if place in validating],
        "query": lay("test", query, tested),
        "gallery": lay("test", gallery, tested),
    }
    for part, lines in lists.items():
        tree.texts[f"list_{part}.txt"] = _text(lines)
    return tree


def _veri776(shots: Iterable[ImageSpec]) -> FolderPlan:
    """The query images lie in the gallery, too; the index files name matches and junk."""
    train, query, gallery = _parts(shots)
    others, label = _people(gallery)

    def name(shot: ImageSpec) -> str:
        return f"{label(shot):04d}_c{shot.camera + 1:03d}_{shot.frame:08d}_0.jpg"

    people = sorted([*query, *others], key=name)
    tree = FolderPlan(
        pictures={f"image_train/{name(shot)}": shot for shot in train}
        | {f"image_test/{name(shot)}": shot for shot in people},
        copies={f"image_query/{name(shot)}": f"image_test/{name(shot)}" for shot in query},
    )
    for part, files in (("train", train), ("test", people), ("query", query)):
        tree.texts[f"name_{part}.txt"] = _text(map(name, files))
    for part, title, files in (("train", "Training", train), ("test", "Test", people)):
        items = [
            f"<Item imageName={quoteattr(name(s))} vehicleID={quoteattr(f'{label(s):04d}')} "
            f'cameraID="c{s.camera + 1:03d}" colorID="1" typeID="1" />'
            for s in files
        ]
        tree.texts[f"{part}_label.xml"] = _text(
            [
                '<?xml version="1.0" encoding="gb2312" ?>',
                f'<{title}Images Version="1.0">',
                f'<Items number="{len(items)}">',
                *items,
                "</Items>",
                f"</{title}Images>",
            ]
        )
    alike: dict[int, list[tuple[int, int]]] = {}
    for number, shot in enumerate(people, 1):
        alike.setdefault(shot.subject, []).append((number, shot.camera))
    for kind, same in (("gt", False), ("jk", True)):
        tree.texts[f"{kind}_index.txt"] = _text(
            " ".join(str(n) for n, camera in alike[s.subject] if (camera == s.camera) == same)
            for s in query
        )
    return tree


def _vehicleid(shots: Iterable[ImageSpec]) -> FolderPlan:
    """Numbered images and lists; the three test lists hold a third, two thirds and all vehicles."""
    train, query, gallery = _parts(shots)
    tested = [*query, *(shot for shot in gallery if shot.role == "gallery")]
    numbered = list(enumerate([*train, *tested], 1))
    lines = [f"{number:07d} {shot.subject + 1}" for number, shot in numbered]
    tree = FolderPlan({f"image/{number:07d}.jpg": shot for number, shot in numbered})
    tree.texts["attribute/img2vid.txt"] = _text(lines)
    tree.texts["train_test_split/train_list.txt"] = _text(lines[: len(train)])
    vehicles = sorted({shot.subject for shot in tested})
    for size, share in ((800, 1), (1600, 2), (2400, 3)):
        chosen = set(vehicles[: max(2, len(vehicles) * share // 3)])
        tree.texts[f"train_test_split/test_list_{size}.txt"] = _text(
            line
            for line, shot in zip(lines[len(train) :], tested, strict=True)
            if shot.subject in chosen
        )
    return tree


LAYOUTS: dict[str, tuple[str, Callable[[Iterable[ImageSpec]], FolderPlan]]] = {
    "market1501": ("Market-1501-v15.09.15", market1501),
    "dukemtmc": ("DukeMTMC-reID", _dukemtmc),
    "msmt17": ("MSMT17_V1", _msmt17),
    "veri776": ("VeRi", _veri776),
    "vehicleid": ("VehicleID_V1.0", _vehicleid),
}
VEHICLES = ("veri776", "vehicleid")


def _parts(shots: Iterable[ImageSpec]) -> tuple[list[ImageSpec], list[ImageSpec], list[ImageSpec]]:
    """Training images, queries and gallery: junk, then distractors, then identity by identity."""
    before = {"junk": -2, "distractor": -1}

    def order(shot: ImageSpec) -> tuple[int, int, int]:
        return before.get(shot.role, shot.subject), shot.camera, shot.frame

    ordered = sorted(shots, key=order)
    train = [shot for shot in ordered if shot.role in ("train", "validation")]
    query = [shot for shot in ordered if shot.role == "query"]
    gallery = [shot for shot in ordered if shot.role in ("gallery", "distractor", "junk")]
    return train, query, gallery


def _people(gallery: Sequence[ImageSpec]) -> tuple[list[ImageSpec], Callable[[ImageSpec], int]]:
    """Without junk, and everybody's identity; distractors have one each where none is marked."""
    kept = [shot for shot in gallery if shot.role != "junk"]
    strangers = dict.fromkeys(shot.subject for shot in kept if shot.role == "distractor")
    numbers = {subject: FIRST_DISTRACTOR + number for number, subject in enumerate(strangers)}
    return kept, lambda shot: numbers.get(shot.subject, shot.subject + 1)


def _places(shots: Iterable[ImageSpec]) -> dict[int, int]:
    """The subjects, counted from 0 in their order."""
    return {subject: n for n, subject in enumerate(sorted({shot.subject for shot in shots}))}


def _folders(parts: Iterable[Sequence[ImageSpec]], name: Callable[[ImageSpec], str]) -> FolderPlan:
    """Market-1501's three folders, and the labels in the names."""
    return FolderPlan(
        {
            f"{folder}/{name(shot)}": shot
            for folder, shots in zip(SUBSETS, parts, strict=True)
            for shot in shots
        }
    )


def _text(lines: Iterable[str]) -> str:
    return "\n".join(lines) + "\n"

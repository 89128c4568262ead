"""Synthetic images in the layout of a real dataset: names, folders, lists and XML as distributed.

A layout arranges all images and writes the lists before anything is drawn. The dataset's own folder
is created below the target, so `--data-root TARGET` finds it as it finds the real one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import quoteattr

from harness.core.progress import ProgressCallback, ignore_progress
from harness.data.datasets.market1501 import SUBSET_FOLDERS
from harness.data.synthetic.writer import (
    MANIFEST,
    FolderPlan,
    ImageSpec,
    RenderSettings,
    render_folder,
)

FIRST_DISTRACTOR = 8000  # identity of the first distractor, in layouts that number them
VALIDATION_EVERY = 14  # every 14th training image validates if the plan has no validation images


def render_like(
    target: Path,
    layout: str,
    settings: RenderSettings,
    specs: Iterable[ImageSpec],
    manifest: Mapping[str, object],
    *,
    workers: int = 1,
    progress: ProgressCallback = ignore_progress,
) -> Path:
    """Write synthetic images in the layout of a real dataset.

    Args:
        target: Folder below which the dataset's folder is created.
        layout: One of `LAYOUTS`.
        settings: Settings that all images share.
        specs: The images.
        manifest: Content of the folder's manifest, from which the images can be made again.
        workers: Number of processes.
        progress: Called with the number of images drawn.

    Returns:
        The dataset's folder.

    Raises:
        ValueError: The folder exists already, or `workers` is not positive.
        OSError: The files cannot be written.
    """
    folder, arrange = LAYOUTS[layout]
    home = target / folder
    if home.exists():
        raise ValueError(f"{home} exists already; choose another folder.")
    plan = arrange(specs)
    plan.texts[MANIFEST] = json.dumps(manifest, indent=1) + "\n"
    render_folder(home, settings, plan, workers=workers, progress=progress)
    return home


def arrange_market1501(specs: Iterable[ImageSpec]) -> FolderPlan:
    """Arrange images as in Market-1501.

    All distractors share one label and all junk another; box number 00 marks a query.
    """

    def name(spec: ImageSpec) -> str:
        label = {"distractor": "0000", "junk": "-1"}.get(spec.role, f"{spec.subject + 1:04d}")
        box = "00" if spec.role == "query" else "01"
        return f"{label}_c{spec.camera + 1}s1_{spec.frame:06d}_{box}.jpg"

    return _arrange_folders(_split_by_role(specs), name)


def _arrange_dukemtmc(specs: Iterable[ImageSpec]) -> FolderPlan:
    """Arrange images as in DukeMTMC-reID."""
    train, query, gallery = _split_by_role(specs)
    gallery, label = _label_gallery(gallery)

    def name(spec: ImageSpec) -> str:
        return f"{label(spec):04d}_c{spec.camera + 1}_f{spec.frame:07d}.jpg"

    return _arrange_folders((train, query, gallery), name)


def _arrange_msmt17(specs: Iterable[ImageSpec]) -> FolderPlan:
    """Arrange images as in MSMT17: identities count from 0 in each half, without distractors."""
    train, query, gallery = _split_by_role(specs)
    gallery = [spec for spec in gallery if spec.role == "gallery"]
    plan = FolderPlan({})

    def add(folder: str, subset: list[ImageSpec], numbers: dict[int, int]) -> list[str]:
        lines = []
        for spec in subset:
            person = numbers[spec.subject]
            capture = f"{spec.camera + 1:02d}_0303morning_{spec.frame:07d}_0"
            name = f"{person:04d}/{person:04d}_{spec.frame % 1000:03d}_{capture}.jpg"
            plan.images[f"{folder}/{name}"] = spec
            lines.append(f"{name} {person}")
        return lines

    train_lines = add("train", train, _number_subjects(train))
    test_numbers = _number_subjects([*query, *gallery])
    chosen = [position for position, spec in enumerate(train) if spec.role == "validation"]
    validation = set(chosen or range(0, len(train), VALIDATION_EVERY))
    lists = {
        "train": [line for n, line in enumerate(train_lines) if n not in validation],
        "val": [line for n, line in enumerate(train_lines) if n in validation],
        "query": add("test", query, test_numbers),
        "gallery": add("test", gallery, test_numbers),
    }
    for part, lines in lists.items():
        plan.texts[f"list_{part}.txt"] = _join_lines(lines)
    return plan


def _arrange_veri776(specs: Iterable[ImageSpec]) -> FolderPlan:
    """Arrange images as in VeRi-776, with the query images in the gallery and index files."""
    train, query, gallery = _split_by_role(specs)
    others, label = _label_gallery(gallery)

    def name(spec: ImageSpec) -> str:
        return f"{label(spec):04d}_c{spec.camera + 1:03d}_{spec.frame:08d}_0.jpg"

    gallery = sorted([*query, *others], key=name)
    plan = FolderPlan(
        images={f"image_train/{name(spec)}": spec for spec in train}
        | {f"image_test/{name(spec)}": spec for spec in gallery},
        copies={f"image_query/{name(spec)}": f"image_test/{name(spec)}" for spec in query},
    )
    for part, subset in (("train", train), ("test", gallery), ("query", query)):
        plan.texts[f"name_{part}.txt"] = _join_lines(map(name, subset))
    for part, title, subset in (("train", "Training", train), ("test", "Test", gallery)):
        items = [
            f"<Item imageName={quoteattr(name(s))} vehicleID={quoteattr(f'{label(s):04d}')} "
            f'cameraID="c{s.camera + 1:03d}" colorID="1" typeID="1" />'
            for s in subset
        ]
        plan.texts[f"{part}_label.xml"] = _join_lines(
            [
                '<?xml version="1.0" encoding="gb2312" ?>',
                f'<{title}Images Version="1.0">',
                f'<Items number="{len(items)}">',
                *items,
                "</Items>",
                f"</{title}Images>",
            ]
        )
    images_of: dict[int, list[tuple[int, int]]] = {}
    for number, spec in enumerate(gallery, 1):
        images_of.setdefault(spec.subject, []).append((number, spec.camera))
    # gt_index lists the matches of each query, jk_index its vehicle's images from its own camera.
    for kind, same in (("gt", False), ("jk", True)):
        plan.texts[f"{kind}_index.txt"] = _join_lines(
            " ".join(str(n) for n, camera in images_of[s.subject] if (camera == s.camera) == same)
            for s in query
        )
    return plan


def _arrange_vehicleid(specs: Iterable[ImageSpec]) -> FolderPlan:
    """Arrange images as in VehicleID; its test lists have a third, two thirds and all vehicles."""
    train, query, gallery = _split_by_role(specs)
    test = [*query, *(spec for spec in gallery if spec.role == "gallery")]
    numbered = list(enumerate([*train, *test], 1))
    lines = [f"{number:07d} {spec.subject + 1}" for number, spec in numbered]
    plan = FolderPlan({f"image/{number:07d}.jpg": spec for number, spec in numbered})
    plan.texts["attribute/img2vid.txt"] = _join_lines(lines)
    plan.texts["train_test_split/train_list.txt"] = _join_lines(lines[: len(train)])
    vehicles = sorted({spec.subject for spec in test})
    for size, thirds in ((800, 1), (1600, 2), (2400, 3)):
        chosen = set(vehicles[: max(2, len(vehicles) * thirds // 3)])
        plan.texts[f"train_test_split/test_list_{size}.txt"] = _join_lines(
            line
            for line, spec in zip(lines[len(train) :], test, strict=True)
            if spec.subject in chosen
        )
    return plan


# Name of the folder as distributed, and the function that arranges images in it.
LAYOUTS: dict[str, tuple[str, Callable[[Iterable[ImageSpec]], FolderPlan]]] = {
    "market1501": ("Market-1501-v15.09.15", arrange_market1501),
    "dukemtmc": ("DukeMTMC-reID", _arrange_dukemtmc),
    "msmt17": ("MSMT17_V1", _arrange_msmt17),
    "veri776": ("VeRi", _arrange_veri776),
    "vehicleid": ("VehicleID_V1.0", _arrange_vehicleid),
}
VEHICLE_LAYOUTS = ("veri776", "vehicleid")


def _split_by_role(
    specs: Iterable[ImageSpec],
) -> tuple[list[ImageSpec], list[ImageSpec], list[ImageSpec]]:
    """Return training, query and gallery images, by subject, camera and frame; junk first."""
    before = {"junk": -2, "distractor": -1}

    def order(spec: ImageSpec) -> tuple[int, int, int]:
        return before.get(spec.role, spec.subject), spec.camera, spec.frame

    ordered = sorted(specs, key=order)
    train = [spec for spec in ordered if spec.role in ("train", "validation")]
    query = [spec for spec in ordered if spec.role == "query"]
    gallery = [spec for spec in ordered if spec.role in ("gallery", "distractor", "junk")]
    return train, query, gallery


def _label_gallery(
    gallery: Sequence[ImageSpec],
) -> tuple[list[ImageSpec], Callable[[ImageSpec], int]]:
    """Return the gallery without junk, and a function that returns an image's identity.

    Every distractor has an identity, as in datasets that do not mark distractors.
    """
    kept = [spec for spec in gallery if spec.role != "junk"]
    distractors = dict.fromkeys(spec.subject for spec in kept if spec.role == "distractor")
    numbers = {subject: FIRST_DISTRACTOR + number for number, subject in enumerate(distractors)}
    return kept, lambda spec: numbers.get(spec.subject, spec.subject + 1)


def _number_subjects(specs: Iterable[ImageSpec]) -> dict[int, int]:
    """Return a number from 0 for each subject, in their order."""
    return {subject: n for n, subject in enumerate(sorted({spec.subject for spec in specs}))}


def _arrange_folders(
    subsets: Iterable[Sequence[ImageSpec]], name: Callable[[ImageSpec], str]
) -> FolderPlan:
    """Arrange training, query and gallery images in Market-1501's three folders."""
    return FolderPlan(
        {
            f"{folder}/{name(spec)}": spec
            for folder, specs in zip(SUBSET_FOLDERS, subsets, strict=True)
            for spec in specs
        }
    )


def _join_lines(lines: Iterable[str]) -> str:
    return "\n".join(lines) + "\n"

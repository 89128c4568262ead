"""Generated copies of the five layouts: the loaders read them, and their index files agree."""

import json
import re
from hashlib import sha256

import pytest
from PIL import Image

from harness.data.completeness import list_subsets
from harness.data.datasets import LOADERS
from harness.data.synthetic.generator import SyntheticSettings, manifest
from harness.data.synthetic.layouts import LAYOUTS, render_like
from tests.support.generated_copies import SETTINGS, write_copy, write_proportional_copy


@pytest.fixture(scope="module")
def roots(tmp_path_factory):
    folder = tmp_path_factory.mktemp("copies")
    for layout in LAYOUTS:
        write_copy(folder / layout, layout)
    return folder


@pytest.mark.parametrize(
    ("layout", "gallery"),
    # 6 people by 3 cameras, 2 distractors where the layout has them, queries where they stay
    [("market1501", 20), ("dukemtmc", 20), ("msmt17", 18), ("veri776", 20 + 12)],
)
def test_the_loader_reads_what_was_written(roots, layout, gallery):
    dataset = LOADERS[layout](roots / layout)
    assert (len(dataset.train), len(dataset.identities)) == (15, 5)
    (split,) = dataset.test_splits["test"]
    assert (len(split.query), len(split.gallery)) == (12, gallery)
    assert {image.camera for image in dataset.train} == {1, 2, 3}
    assert dataset.root.name == LAYOUTS[layout][0]


def test_vehicleid_has_nested_lists(roots):
    dataset = LOADERS["vehicleid"](roots / "vehicleid")
    assert (len(dataset.train), len(dataset.identities)) == (15, 5)
    sizes = {name: len(splits[0].gallery) for name, splits in dataset.test_splits.items()}
    assert sizes == {"test800": 2, "test1600": 4, "test2400": 6}
    assert all(
        len(splits[0].query) == 4 * sizes[name] for name, splits in dataset.test_splits.items()
    )


def test_veris_index_files_follow_the_rule_of_its_authors(roots):
    """Good: same vehicle, other camera; junk: same vehicle, same camera, the query among them."""
    home = roots / "veri776" / "VeRi"
    names = {p: (home / f"name_{p}.txt").read_text().split() for p in ("query", "test")}
    for kind, same in (("gt", False), ("jk", True)):
        lines = (home / f"{kind}_index.txt").read_text().splitlines()
        for query, line in zip(names["query"], lines, strict=True):
            for number in map(int, line.split()):
                other = names["test"][number - 1]
                assert other[:4] == query[:4] and (other[5:9] == query[5:9]) == same
        assert all(lines)
    text = (home / "train_label.xml").read_bytes().decode("gb2312")
    assert len(re.findall(r'vehicleID="\d{4}" cameraID="c00[123]"', text)) == 15


def test_the_same_seed_gives_the_same_bytes(roots, tmp_path):
    again = write_copy(tmp_path, "msmt17")
    home = roots / "msmt17" / "MSMT17_V1"
    files = sorted(p.relative_to(home) for p in home.rglob("*") if p.is_file())
    assert files == sorted(p.relative_to(again) for p in again.rglob("*") if p.is_file())
    assert all((home / file).read_bytes() == (again / file).read_bytes() for file in files)


def test_the_manifest_is_written_into_the_folder(roots):
    for layout, (folder, _) in LAYOUTS.items():
        content = json.loads((roots / layout / folder / "synthetic.json").read_text())
        assert content["settings"]["height"] == 64


def test_nothing_is_overwritten(roots):
    with pytest.raises(ValueError, match="VeRi exists already; choose another folder"):
        write_copy(roots / "veri776", "veri776")


def test_no_workers_are_refused(tmp_path):
    with pytest.raises(ValueError, match="workers is 0"):
        render_like(
            tmp_path,
            "msmt17",
            SETTINGS.render_settings,
            [],
            manifest(SyntheticSettings()),
            workers=0,
        )
    assert not list(tmp_path.iterdir())


# Digests of all paths and lists, without the images' bytes, which depend on numpy and Pillow.
DIGESTS = {
    "market1501": "87974a336977a7f7",
    "dukemtmc": "46e9ffcf2b708813",
    "msmt17": "6298894d733c0578",
    "veri776": "b6c67b44a57f5a32",
    "vehicleid": "dbf67e6f172ae5a2",
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_names_and_lists_never_change(roots, layout):
    assert digest(roots / layout / LAYOUTS[layout][0]) == DIGESTS[layout]


def digest(home):
    sha = sha256()
    for path in sorted(set(home.rglob("*")) - {home / "synthetic.json", home / "digests.json"}):
        sha.update(path.relative_to(home).as_posix().encode())
        if path.suffix in (".txt", ".xml"):
            sha.update(path.read_bytes())
    return sha.hexdigest()[:16]


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Every layout with 40 images in the proportions of the real dataset."""
    folder = tmp_path_factory.mktemp("proportions")
    for layout in LAYOUTS:
        write_proportional_copy(folder / layout, layout, 40, seed=7)
    return folder


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_small_copy_in_proportion_is_read_by_its_loader(small, layout):
    dataset = LOADERS[layout](small / layout)
    files = {image.file for image in (*dataset.train, *dataset.test)}
    extra = {"market1501": -4, "veri776": 2}  # junk is dropped, queries are in the gallery, too
    assert len(files) == 40 + extra.get(layout, 0)
    with Image.open(dataset.root / min(files)) as image:
        assert (image.format, image.size) == ("JPEG", (16, 32))
    for subset in list_subsets(dataset).values():
        assert len({image.identity for image in subset}) >= 2


def test_a_small_copy_has_the_same_bytes_for_the_same_seed(small, tmp_path):
    again = write_proportional_copy(tmp_path, "veri776", 40, seed=7, workers=2)
    home = small / "veri776" / "VeRi"
    assert digest(again) == digest(home)
    for path in again.rglob("*.jpg"):
        assert path.read_bytes() == (home / path.relative_to(again)).read_bytes()
    other = write_proportional_copy(tmp_path / "other", "veri776", 40, seed=8)
    assert digest(other) != digest(home)

"""Made copies of the five layouts: our loaders read them, and their own index files agree."""

import json
import re
from hashlib import sha256

import pytest
from PIL import Image

from harness.cli.data_making import draw
from harness.core.errors import UsageError
from harness.data.completeness import subsets
from harness.data.datasets import LOADERS
from harness.data.synthetic.layouts import LAYOUTS
from harness.planning.datasets import find_dataset
from harness.planning.schema import load_dataset

SMALL = [
    "train_identities=5",
    "train_images=1",
    "test_identities=6",
    "queries=2",
    "gallery_images=1",
    "distractors=2",
    "junk=1",
    "cameras=3",
    "height=64",
    "width=32",
]


@pytest.fixture(scope="module")
def roots(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    for like in LAYOUTS:
        draw(folder / like, SMALL, 1, like)
    return folder


@pytest.mark.parametrize(
    ("like", "gallery"),
    # 6 people by 3 cameras, 2 distractors where the layout can hold them, queries where they stay
    [("market1501", 20), ("dukemtmc", 20), ("msmt17", 18), ("veri776", 20 + 12)],
)
def test_the_loader_reads_what_was_made(roots, like, gallery):
    dataset = LOADERS[like](roots / like)
    assert (len(dataset.train), len(dataset.identities)) == (15, 5)
    (draw_,) = dataset.test_splits["test"]
    assert (len(draw_.query), len(draw_.gallery)) == (12, gallery)
    assert {image.camera for image in dataset.train} == {1, 2, 3}
    assert dataset.root.name == LAYOUTS[like][0]


def test_vehicleid_has_nested_lists(roots):
    dataset = LOADERS["vehicleid"](roots / "vehicleid")
    assert (len(dataset.train), len(dataset.identities)) == (15, 5)
    sizes = {name: len(draws[0].gallery) for name, draws in dataset.test_splits.items()}
    assert sizes == {"test800": 2, "test1600": 4, "test2400": 6}
    assert all(
        len(draws[0].query) == 4 * sizes[name] for name, draws in dataset.test_splits.items()
    )


def test_veris_index_files_are_those_of_its_authors_rule(roots):
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
    again = draw(tmp_path, SMALL, 1, "msmt17")
    home = roots / "msmt17" / "MSMT17_V1"
    files = sorted(p.relative_to(home) for p in home.rglob("*") if p.is_file())
    assert files == sorted(p.relative_to(again) for p in again.rglob("*") if p.is_file())
    assert all((home / file).read_bytes() == (again / file).read_bytes() for file in files)


def test_vehicles_are_drawn_where_vehicles_belong(roots):
    """And every copy says what it is."""
    for like, (folder, _) in LAYOUTS.items():
        said = json.loads((roots / like / folder / "synthetic.json").read_text())
        kind = "vehicles" if like in ("veri776", "vehicleid") else "people"
        assert said["settings"]["kind"] == kind
        dataset = find_dataset(like, load_dataset(like), roots / like)
        assert dataset.notes[-1].startswith("Generated data")


def test_nothing_is_overwritten_and_layouts_have_names(roots):
    with pytest.raises(UsageError, match="VeRi exists already"):
        draw(roots / "veri776", SMALL, 1, "veri776")
    with pytest.raises(UsageError, match="No layout is called 'veri'. Did you mean 'veri776'"):
        draw(roots, SMALL, 1, "veri")


# of all paths and lists, without the images' bytes: those depend on numpy and Pillow, too
NAMED = {
    "market1501": "87974a336977a7f7",
    "dukemtmc": "46e9ffcf2b708813",
    "msmt17": "6298894d733c0578",
    "veri776": "b6c67b44a57f5a32",
    "vehicleid": "dbf67e6f172ae5a2",
}


@pytest.mark.parametrize("like", LAYOUTS)
def test_counted_settings_name_their_files_as_ever(roots, like):
    assert named(roots / like / LAYOUTS[like][0]) == NAMED[like]


def named(home):
    digest = sha256()
    for path in sorted(set(home.rglob("*")) - {home / "synthetic.json"}):
        digest.update(path.relative_to(home).as_posix().encode())
        if path.suffix in (".txt", ".xml"):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Every layout with 40 images in the real one's proportions."""
    folder = tmp_path_factory.mktemp("proportions")
    for like in LAYOUTS:
        draw(folder / like, ["height=32", "width=16", "seed=7"], 1, like, "40")
    return folder


@pytest.mark.parametrize("like", LAYOUTS)
def test_a_small_copy_in_proportion_is_read_by_its_loader(small, like):
    dataset = find_dataset(like, load_dataset(like), small / like)
    files = {image.file for image in (*dataset.train, *dataset.test)}
    extra = {"market1501": -4, "veri776": 2}  # junk is dropped, queries lie in the gallery, too
    assert len(files) == 40 + extra.get(like, 0)
    with Image.open(dataset.root / min(files)) as picture:
        assert (picture.format, picture.size) == ("JPEG", (16, 32))
    assert dataset.notes[-1].startswith("Generated data: drawn images in this dataset's layout")
    stated = json.loads((dataset.root / "synthetic.json").read_text())
    assert (stated["like"], stated["studio"]["seed"]) == (like, 7)
    for part in subsets(dataset).values():
        assert len({image.identity for image in part}) >= 2


def test_a_small_copy_has_the_same_bytes_for_the_same_seed(small, tmp_path):
    again = draw(tmp_path, ["height=32", "width=16", "seed=7"], 2, "veri776", "40")
    home = small / "veri776" / "VeRi"
    assert named(again) == named(home)
    for path in again.rglob("*.jpg"):
        assert path.read_bytes() == (home / path.relative_to(again)).read_bytes()
    other = draw(tmp_path / "other", ["height=32", "width=16", "seed=8"], 1, "veri776", "40")
    assert named(other) != named(home)


@pytest.mark.parametrize(
    ("like", "images", "assignments", "words"),
    [
        (None, "full", [], "name it with --like"),
        ("veri776", "some", [], "--images takes a number or full, given 'some'"),
        ("veri776", "-3", [], "--images takes a number or full, given '-3'"),
        ("veri776", "11", [], "The number of images is 11; allowed is 12 to 49,357"),
        ("veri776", "20", ["cameras=3"], "decides cameras; beside it --set takes kind, seed"),
    ],
)
def test_impossible_requests_are_refused(tmp_path, like, images, assignments, words):
    with pytest.raises(UsageError, match=words):
        draw(tmp_path / "made", assignments, 1, like, images)
    assert not list(tmp_path.iterdir())

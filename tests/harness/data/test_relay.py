"""Made copies of the five layouts: our loaders read them, and their own index files agree."""

import json
import re

import pytest

from harness.data import LOADERS
from harness.data.relay import LAYOUTS
from harness.errors import UsageError
from harness.opening import draw

SMALL = [
    "train_identities=5", "train_images=1", "test_identities=6", "queries=2", "gallery_images=1",
    "distractors=2", "junk=1", "cameras=3", "height=64", "width=32",
]  # fmt: skip


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
    (draw_,) = dataset.evaluations["test"]
    assert (len(draw_.query), len(draw_.gallery)) == (12, gallery)
    assert {image.camera for image in dataset.train} == {1, 2, 3}
    assert dataset.root.name == LAYOUTS[like][0]


def test_vehicleid_has_nested_lists(roots):
    dataset = LOADERS["vehicleid"](roots / "vehicleid")
    assert (len(dataset.train), len(dataset.identities)) == (15, 5)
    sizes = {name: len(draws[0].gallery) for name, draws in dataset.evaluations.items()}
    assert sizes == {"test800": 2, "test1600": 4, "test2400": 6}
    assert all(
        len(draws[0].query) == 4 * sizes[name] for name, draws in dataset.evaluations.items()
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
    assert json.loads((roots / "market1501/Market-1501-v15.09.15/synthetic.json").read_text())
    assert not list(roots.rglob(".drawn"))


def test_nothing_is_overwritten_and_layouts_have_names(roots):
    with pytest.raises(UsageError, match="VeRi exists already"):
        draw(roots / "veri776", SMALL, 1, "veri776")
    with pytest.raises(UsageError, match="No layout is called 'veri'. Did you mean 'veri776'"):
        draw(roots, SMALL, 1, "veri")

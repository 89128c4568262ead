"""The five real datasets, in their distributed layouts, as a few real JPEG files each."""

import pytest

from harness.core.errors import SetupError
from harness.data.datasets import LOADERS

MARKET = {
    "bounding_box_train": ["0002_c1s1_000451_03.jpg", "0007_c6s3_000551_01.jpg"],
    "query": ["0001_c1s1_001051_00.jpg"],
    "bounding_box_test": [
        "-1_c1s1_000401_03.jpg",
        "0000_c1s1_000151_01.jpg",
        "0001_c1s1_001051_03.jpg",
        "0001_c4s2_001051_03.jpg",
    ],
}
DUKE = {
    "bounding_box_train": ["0001_c2_f0046182.jpg", "0005_c8_f0046302.jpg"],
    "query": ["0009_c1_f0046182.jpg"],
    "bounding_box_test": ["0009_c5_f0046182.jpg", "4000_c5_f0046182.jpg"],
}
VERI = {
    "image_train": ["0001_c001_00016450_0.jpg", "0003_c019_00016450_0.jpg"],
    "image_query": ["0002_c002_00030600_0.jpg"],
    "image_test": ["0002_c002_00030600_0.jpg", "0002_c020_00030605_1.jpg"],
}


@pytest.fixture
def place(jpeg):
    def write(root, folders):
        for folder, names in folders.items():
            for name in names:
                jpeg(root / folder / name)
        return root

    return write


@pytest.fixture
def msmt17(place):
    def write(root, train="train", test="test"):
        place(
            root,
            {
                f"{train}/0000": [
                    "0000_000_01_03morning_15_0.jpg",
                    "0000_001_15_0303noon_1_0_ex.jpg",
                ],
                f"{train}/0001": ["0001_000_02_0303morning_0015_0.jpg"],
                f"{test}/0000": [
                    "0000_000_03_0303noon_0015_0.jpg",
                    "0000_001_04_0303noon_0015_1.jpg",
                ],
            },
        )
        (root / "list_train.txt").write_text("0000/0000_000_01_03morning_15_0.jpg 0\n")
        (root / "list_val.txt").write_text(
            "0001/0001_000_02_0303morning_0015_0.jpg 1\n0000/0000_001_15_0303noon_1_0_ex.jpg 0\n\n"
        )
        (root / "list_query.txt").write_text("0000/0000_000_03_0303noon_0015_0.jpg 0\n")
        (root / "list_gallery.txt").write_text("0000/0000_001_04_0303noon_0015_1.jpg 0\n")
        return root

    return write


@pytest.mark.parametrize("folder", ["", "Market-1501-v15.09.15", "market1501"])
def test_market1501(tmp_path, place, folder):
    place(tmp_path / "user9_c5" / folder, MARKET)  # a parent folder that looks like a label
    dataset = LOADERS["market1501"](tmp_path / "user9_c5")
    assert [(i.identity, i.camera) for i in dataset.train] == [(2, 1), (7, 6)]
    (draw,) = dataset.test_splits["test"]
    gallery = [dataset.test[index] for index in draw.gallery]
    assert [(i.identity, i.camera) for i in gallery] == [(0, 1), (1, 1), (1, 4)]  # -1 is gone
    assert [dataset.test[index].identity for index in draw.query] == [1]
    assert "1 named -1 (junk) were dropped, 1 named 0000" in dataset.notes[0]


def test_dukemtmc(tmp_path, place):
    place(tmp_path / "DukeMTMC-reID", DUKE)
    dataset = LOADERS["dukemtmc"](tmp_path)
    assert [(i.identity, i.camera) for i in dataset.train] == [(1, 2), (5, 8)]
    assert dataset.identities == (1, 5)
    assert len(dataset.test) == 3


def test_veri776_reads_three_digit_cameras_and_keeps_queries_in_the_gallery(tmp_path, place):
    place(tmp_path / "VeRi", VERI)
    dataset = LOADERS["veri776"](tmp_path)
    assert [(i.identity, i.camera) for i in dataset.train] == [(1, 1), (3, 19)]
    (draw,) = dataset.test_splits["test"]
    assert [dataset.test[i].camera for i in draw.gallery] == [2, 20]


@pytest.mark.parametrize(
    ("folder", "parts"),
    [("MSMT17_V1", ("train", "test")), ("MSMT17_V2", ("mask_train_v2", "mask_test_v2"))],
)
def test_msmt17_trains_on_train_and_val(tmp_path, msmt17, folder, parts):
    msmt17(tmp_path / folder, *parts)
    dataset = LOADERS["msmt17"](tmp_path)
    assert [(i.identity, i.camera) for i in dataset.train] == [(0, 1), (0, 15), (1, 2)]
    assert "list_train + list_val: 3 images" in dataset.notes[0]
    assert folder in dataset.notes[0]


@pytest.mark.parametrize("name", LOADERS)
def test_a_missing_folder_says_what_was_expected_and_where(tmp_path, name):
    with pytest.raises(SetupError, match=rf"{name}: .* not found\. Looked in: .*Expected layout"):
        LOADERS[name](tmp_path)


def test_an_empty_folder_is_not_an_empty_dataset(tmp_path, place):
    place(tmp_path, MARKET)
    for file in (tmp_path / "query").iterdir():
        file.unlink()
    with pytest.raises(SetupError, match="query holds no JPEG file"):
        LOADERS["market1501"](tmp_path)


def test_a_strange_name_is_named(tmp_path, place, jpeg):
    place(tmp_path, MARKET)
    jpeg(tmp_path / "query" / "holiday.jpg")
    with pytest.raises(SetupError, match="holiday.jpg is not named as expected"):
        LOADERS["market1501"](tmp_path)


def test_msmt17_can_train_on_list_train_alone_under_a_name_of_its_own(tmp_path, msmt17):
    msmt17(tmp_path / "MSMT17_V1")
    both, alone = LOADERS["msmt17"](tmp_path), LOADERS["msmt17-train"](tmp_path)
    assert (both.name, len(both.train)) == ("msmt17", 3)
    assert (alone.name, len(alone.train)) == ("msmt17-train", 1)
    assert "training on list_train: 1 images" in alone.notes[0]
    assert alone.test == both.test and alone.fingerprint != both.fingerprint


@pytest.mark.parametrize("name", ["msmt17", "vehicleid"])
def test_listed_images_that_are_not_there_are_left_out_and_told(tmp_path, request, name):
    request.getfixturevalue(name)(tmp_path)
    whole = LOADERS[name](tmp_path)
    assert not whole.missing_files
    (tmp_path / whole.train[-1].file).unlink()
    partial = LOADERS[name](tmp_path)
    assert partial.train == whole.train[:-1]
    (said,) = partial.missing_files
    assert said.endswith(whole.train[-1].file) and ".txt:" in said


def test_the_fingerprint_sees_names_labels_sizes_and_content(tmp_path, place, jpeg):
    place(tmp_path / "a", MARKET)
    place(tmp_path / "b", MARKET)
    first, twin = (LOADERS["market1501"](tmp_path / part).fingerprint for part in "ab")
    assert first == twin
    file = tmp_path / "b" / "query" / "0001_c1s1_001051_00.jpg"
    size = file.stat().st_size
    content = bytearray(file.read_bytes())
    content[-10] ^= 1
    file.write_bytes(content)
    assert file.stat().st_size == size
    assert LOADERS["market1501"](tmp_path / "b").fingerprint != first
    jpeg(tmp_path / "a" / "query" / "0001_c2s1_001051_00.jpg")
    assert LOADERS["market1501"](tmp_path / "a").fingerprint != first


@pytest.fixture
def vehicleid(place):
    """Ten images of three test vehicles (4, 4 and 2) and four of two others."""

    def write(root):
        numbers = [f"{number:07d}" for number in range(1, 15)]
        place(root, {"image": [f"{number}.jpg" for number in numbers]})
        vehicles = [7, 7, 9, 9, 21, 21, 21, 21, 22, 22, 22, 22, 23, 23]
        lines = [f"{number} {v}" for number, v in zip(numbers, vehicles, strict=True)]
        (root / "train_test_split").mkdir()
        (root / "train_test_split/train_list.txt").write_text("\n".join(lines[:4]) + "\n\n")
        for size, end in ((800, 8), (1600, 12), (2400, 14)):
            path = root / f"train_test_split/test_list_{size}.txt"
            path.write_text("\n".join(lines[4:end]) + "\n")
        return root

    return write


@pytest.mark.parametrize("folder", ["", "VehicleID_V1.0", "vehicleid"])
def test_vehicleid_scores_three_lists_in_ten_draws_each(tmp_path, vehicleid, folder):
    vehicleid(tmp_path / folder)
    dataset = LOADERS["vehicleid"](tmp_path)
    assert dataset.identities == (7, 9) and len(dataset.test) == 10
    assert {name: len(draws) for name, draws in dataset.test_splits.items()} == {
        "test800": 10,
        "test1600": 10,
        "test2400": 10,
    }
    for name, vehicles, images in (("test800", 1, 4), ("test1600", 2, 8), ("test2400", 3, 10)):
        for draw in dataset.test_splits[name]:
            gallery = [dataset.test[index].identity for index in draw.gallery]
            assert len(gallery) == len(set(gallery)) == vehicles
            assert len(draw.query) == images - vehicles
            assert not set(draw.query) & set(draw.gallery)
    assert len({draw.gallery for draw in dataset.test_splits["test2400"]}) > 3
    assert len({image.camera for image in dataset.test}) == 10  # so that nothing is removed


def test_vehicleids_draws_are_always_the_same(tmp_path, vehicleid):
    vehicleid(tmp_path)
    first, again = LOADERS["vehicleid"](tmp_path), LOADERS["vehicleid"](tmp_path)
    assert first.test_splits == again.test_splits
    assert first.fingerprint == again.fingerprint

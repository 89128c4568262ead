"""The five real datasets in their distributed layouts, with a few real JPEG files each."""

import pytest


@pytest.fixture
def market1501(place):
    def write(root):
        return place(
            root,
            {
                "bounding_box_train": ["0002_c1s1_000451_03.jpg", "0007_c6s3_000551_01.jpg"],
                "query": ["0001_c1s1_001051_00.jpg"],
                "bounding_box_test": [
                    "-1_c1s1_000401_03.jpg",
                    "0000_c1s1_000151_01.jpg",
                    "0001_c1s1_001051_03.jpg",
                    "0001_c4s2_001051_03.jpg",
                ],
            },
        )

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

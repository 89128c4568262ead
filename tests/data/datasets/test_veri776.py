import pytest

from harness.core.errors import SetupError
from harness.data.datasets.veri776 import load

FILES = {
    "image_train": ["0001_c001_00016450_0.jpg", "0003_c019_00016450_0.jpg"],
    "image_query": ["0002_c002_00030600_0.jpg"],
    "image_test": ["0002_c002_00030600_0.jpg", "0002_c020_00030605_1.jpg"],
}


def write_index_files(home, good="2", junk="1"):
    (home / "name_query.txt").write_text(FILES["image_query"][0] + "\n")
    (home / "name_test.txt").write_text("\n".join(FILES["image_test"]) + "\n")
    (home / "gt_index.txt").write_text(f"{good}\n")
    (home / "jk_index.txt").write_text(f"{junk}\n")


def test_cameras_have_three_digits_and_queries_stay_in_the_gallery(tmp_path, place):
    place(tmp_path / "VeRi", FILES)
    dataset = load(tmp_path)
    assert [(i.identity, i.camera) for i in dataset.train] == [(1, 1), (3, 19)]
    (split,) = dataset.test_splits["test"]
    assert [dataset.test[i].camera for i in split.gallery] == [2, 20]
    assert dataset.notes == ()


def test_index_files_that_agree_are_noted(tmp_path, place):
    write_index_files(place(tmp_path, FILES))
    assert load(tmp_path).notes == (
        "File names and index files agree on the matches of all 1 queries.",
    )


@pytest.mark.parametrize(
    ("name", "indices"), [("gt", {"good": "1 2"}), ("jk", {"junk": ""}), ("gt", {"good": "3"})]
)
def test_index_files_that_disagree_are_refused(tmp_path, place, name, indices):
    write_index_files(place(tmp_path, FILES), **indices)
    with pytest.raises(SetupError, match=rf"{name}_index\.txt:1 lists other images for 0002_c002_"):
        load(tmp_path)

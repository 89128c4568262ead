import pytest

from harness.core.errors import SetupError
from harness.data.dataset import Image
from harness.data.datasets.market1501 import drop_junk, load, load_folders


@pytest.mark.parametrize("folder", ["", "Market-1501-v15.09.15", "market1501"])
def test_labels_are_read_from_names_and_junk_is_dropped(tmp_path, market1501, folder):
    market1501(tmp_path / "user9_c5" / folder)  # a parent folder that looks like a label
    dataset = load(tmp_path / "user9_c5")
    assert dataset.name == "market1501"
    assert [(i.identity, i.camera) for i in dataset.train] == [(2, 1), (7, 6)]
    (split,) = dataset.test_splits["test"]
    gallery = [dataset.test[index] for index in split.gallery]
    assert [(i.identity, i.camera) for i in gallery] == [(0, 1), (1, 1), (1, 4)]  # without -1
    assert [dataset.test[index].identity for index in split.query] == [1]
    assert dataset.notes == (
        "Gallery: 4 files; 1 named -1 (junk) were dropped, 1 named 0000 (distractors) kept: "
        "3 images.",
    )


def test_an_empty_folder_is_not_an_empty_dataset(tmp_path, market1501):
    market1501(tmp_path)
    for file in (tmp_path / "query").iterdir():
        file.unlink()
    with pytest.raises(SetupError, match="query contains no JPEG files"):
        load(tmp_path)


def test_an_unexpected_file_name_is_an_error_that_names_it(tmp_path, market1501, jpeg):
    market1501(tmp_path)
    jpeg(tmp_path / "query" / "holiday.jpg")
    with pytest.raises(SetupError, match=r"file name of .*holiday.jpg does not have the expected"):
        load(tmp_path)


def test_other_datasets_of_the_layout_get_their_own_name(tmp_path, market1501):
    market1501(tmp_path)
    assert load_folders("own", tmp_path).name == "own"


def test_equal_copies_have_equal_fingerprints_and_one_changed_bit_is_seen(tmp_path, market1501):
    first, twin = (load(market1501(tmp_path / part)).fingerprint for part in "ab")
    assert first == twin
    file = tmp_path / "b" / "query" / "0001_c1s1_001051_00.jpg"
    size = file.stat().st_size
    content = bytearray(file.read_bytes())
    content[-10] ^= 1
    file.write_bytes(content)
    assert file.stat().st_size == size
    assert load(tmp_path / "b").fingerprint != first


def test_an_additional_image_changes_the_fingerprint(tmp_path, market1501, jpeg):
    first = load(market1501(tmp_path)).fingerprint
    jpeg(tmp_path / "query" / "0001_c2s1_001051_00.jpg")
    assert load(tmp_path).fingerprint != first


def test_only_identity_minus_one_is_junk():
    images = [Image("a", -1, 1), Image("b", 0, 1), Image("c", 1, 1)]
    assert drop_junk(images) == images[1:]

import pytest

from harness.data.datasets.vehicleid import load


@pytest.mark.parametrize("folder", ["", "VehicleID_V1.0", "vehicleid"])
def test_three_lists_are_scored_by_ten_splits_each(tmp_path, vehicleid, folder):
    vehicleid(tmp_path / folder)
    dataset = load(tmp_path)
    assert dataset.identities == (7, 9) and len(dataset.test) == 10
    assert {name: len(splits) for name, splits in dataset.test_splits.items()} == {
        "test800": 10,
        "test1600": 10,
        "test2400": 10,
    }
    for name, vehicles, images in (("test800", 1, 4), ("test1600", 2, 8), ("test2400", 3, 10)):
        for split in dataset.test_splits[name]:
            gallery = [dataset.test[index].identity for index in split.gallery]
            assert len(gallery) == len(set(gallery)) == vehicles
            assert len(split.query) == images - vehicles
            assert not set(split.query) & set(split.gallery)
    assert len({split.gallery for split in dataset.test_splits["test2400"]}) > 3
    assert len({image.camera for image in dataset.test}) == 10  # so that no match is removed


def test_the_splits_are_always_the_same(tmp_path, vehicleid):
    vehicleid(tmp_path)
    first, again = load(tmp_path), load(tmp_path)
    assert first.test_splits == again.test_splits
    assert first.fingerprint == again.fingerprint
    galleries = [first.test_splits["test2400"][number].gallery for number in range(3)]
    assert galleries == [
        (2, 5, 8),
        (3, 6, 8),
        (0, 4, 9),
    ]  # scores of different releases are of the same splits


def test_a_listed_image_without_a_file_is_skipped_and_reported_once(tmp_path, vehicleid):
    complete = load(vehicleid(tmp_path))
    assert not complete.missing_files
    (tmp_path / complete.test[0].file).unlink()  # in all three test lists
    (tmp_path / complete.train[-1].file).unlink()
    partial = load(tmp_path)
    assert partial.train == complete.train[:-1]
    assert partial.test == complete.test[1:]
    assert partial.missing_files == (
        f"train_list.txt:4: {complete.train[-1].file}",
        f"test_list_800.txt:1: {complete.test[0].file}",
    )

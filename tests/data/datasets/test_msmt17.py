import pytest

from harness.core.errors import SetupError
from harness.data.datasets.msmt17 import load, load_train


@pytest.mark.parametrize(
    ("folder", "parts"),
    [("MSMT17_V1", ("train", "test")), ("MSMT17_V2", ("mask_train_v2", "mask_test_v2"))],
)
def test_the_training_set_is_train_and_val(tmp_path, msmt17, folder, parts):
    msmt17(tmp_path / folder, *parts)
    dataset = load(tmp_path)
    assert [(i.identity, i.camera) for i in dataset.train] == [(0, 1), (0, 15), (1, 2)]
    assert dataset.notes == (f"{folder}; training on list_train + list_val: 3 images.",)


def test_list_train_alone_has_another_name(tmp_path, msmt17):
    msmt17(tmp_path / "MSMT17_V1")
    both, alone = load(tmp_path), load_train(tmp_path)
    assert (both.name, len(both.train)) == ("msmt17", 3)
    assert (alone.name, len(alone.train)) == ("msmt17-train", 1)
    assert "training on list_train: 1 images" in alone.notes[0]
    assert alone.test == both.test
    assert alone.fingerprint != both.fingerprint


def test_query_and_gallery_are_those_of_the_lists(tmp_path, msmt17):
    dataset = load(msmt17(tmp_path))
    (split,) = dataset.test_splits["test"]
    assert [dataset.test[i].camera for i in split.query] == [3]
    assert [dataset.test[i].camera for i in split.gallery] == [4]


def test_a_listed_image_without_a_file_is_skipped_and_reported(tmp_path, msmt17):
    complete = load(msmt17(tmp_path))
    assert not complete.missing_files
    (tmp_path / complete.train[-1].file).unlink()
    partial = load(tmp_path)
    assert partial.train == complete.train[:-1]
    assert partial.missing_files == (f"list_val.txt:1: {complete.train[-1].file}",)


def test_a_copy_without_image_folders_is_refused(tmp_path, msmt17):
    (msmt17(tmp_path) / "test").rename(tmp_path / "tests")
    with pytest.raises(SetupError, match=r"neither train/ and test/ \(V1\) nor mask_train_v2/ and"):
        load(tmp_path)

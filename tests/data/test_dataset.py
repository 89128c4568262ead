from dataclasses import replace

import pytest

from harness.core.errors import SetupError
from harness.data.dataset import Image, QueryGallerySplit, make_dataset

FILES = ("a/1.jpg", "a/2.jpg", "q/3.jpg", "g/4.jpg", "g/5.jpg")


@pytest.fixture
def dataset(tmp_path):
    """Two training images, one query and two gallery images; contents are fixed bytes."""
    for number, file in enumerate(FILES):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_bytes(bytes([number] * (number + 1)))
    images = [Image(file, number // 2, number % 2) for number, file in enumerate(FILES)]
    return make_dataset("tiny", tmp_path, images[:2], images[2:3], images[3:])


def test_subsets_are_sorted_and_split_by_index(tmp_path):
    train = [Image("b", 9, 0), Image("a", 5, 0)]
    made = make_dataset("tiny", tmp_path, train, [Image("q", 1, 0)], [Image("h", 1, 1)])
    assert [image.file for image in made.train] == ["a", "b"]
    assert made.test_splits == {"test": (QueryGallerySplit(query=(0,), gallery=(1,)),)}
    assert made.identities == (5, 9)


@pytest.mark.parametrize("subset", ["training", "query", "gallery"])
def test_an_empty_subset_is_refused(tmp_path, subset):
    images = {name: [Image("a", 1, 1)] for name in ("training", "query", "gallery")}
    images[subset] = []
    with pytest.raises(SetupError, match=f"tiny: .* contains no {subset} images"):
        make_dataset("tiny", tmp_path, *images.values())


def test_the_fingerprint_never_changes(dataset):
    """Keys of runs contain it: renaming a class or a field must not move it."""
    assert dataset.fingerprint == "1857ddd5bd285bec"


def test_random_streams_keep_the_fingerprint_of_version_0_2_0(dataset):
    """Batches depend on it: they must not move either."""
    assert dataset.sample_fingerprint == "48d9c21e5b24611e"


def test_every_file_is_part_of_the_fingerprint(tmp_path):
    """Only a sample of a large dataset was, so that exchanged images of equal size did not show."""
    for number in range(300):
        (tmp_path / f"{number:03d}").write_bytes(b"%03d" % number)
    images = [Image(f"{number:03d}", number // 4, number % 4) for number in range(300)]
    first = make_dataset("large", tmp_path, images[:200], images[200:210], images[210:])
    seen = {first.fingerprint}
    for file in ("001", "101", "205", "298"):
        (tmp_path / file).write_bytes(b"abc")
        again = replace(first)
        seen.add(again.fingerprint)
        assert again.sample_fingerprint == first.sample_fingerprint
    assert len(seen) == 5


@pytest.mark.parametrize("change", ["name", "identity", "camera", "size", "content", "split"])
def test_the_fingerprint_depends_on_everything_that_is_used(dataset, tmp_path, change):
    first = dataset.fingerprint
    train, test = list(dataset.train), list(dataset.test)
    if change == "name":
        (tmp_path / train[0].file).rename(tmp_path / "a/0.jpg")
        train[0] = Image("a/0.jpg", train[0].identity, train[0].camera)
    elif change == "identity":
        train[0] = Image(train[0].file, 7, train[0].camera)
    elif change == "camera":
        train[0] = Image(train[0].file, train[0].identity, 7)
    elif change == "size":
        (tmp_path / train[0].file).write_bytes(b"")
    elif change == "content":
        (tmp_path / train[0].file).write_bytes(b"!")
    queries = 2 if change == "split" else 1
    other = make_dataset("tiny", tmp_path, train, test[:queries], test[queries:])
    assert other.fingerprint != first


def test_an_unreadable_file_is_named(dataset, tmp_path):
    (tmp_path / FILES[3]).unlink()
    with pytest.raises(SetupError, match=r"tiny: .*g/4\.jpg cannot be read \(No such file"):
        dataset.fingerprint  # noqa: B018

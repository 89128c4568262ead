"""Complete and partial copies: counted, refused or noted."""

import pytest

from harness.core.errors import SetupError
from harness.data.completeness import (
    ExpectedCounts,
    count_subsets,
    describe_missing,
    describe_unread_images,
    list_subsets,
    require_complete,
    require_scorable,
)
from harness.data.dataset import Dataset, Image, QueryGallerySplit, make_dataset
from harness.data.datasets import market1501
from harness.data.synthetic.generator import SyntheticSettings, generate

SETTINGS = SyntheticSettings(
    train_identities=4,
    train_images=1,
    test_identities=3,
    queries=1,
    gallery_images=1,
    distractors=2,
    junk=1,
    cameras=3,
    height=64,
    width=32,
)
EXPECTED = {
    "train": ExpectedCounts(images=12, identities=4),
    "query": ExpectedCounts(images=[3, 4], identities=3),
    "all": ExpectedCounts(cameras=3),
}


@pytest.fixture
def copy(tmp_path):
    return generate(tmp_path / "market1501", SETTINGS)


def test_counts_are_compared_with_the_expected_ones(copy):
    checks = {
        (check.subset, check.unit): (check.counted, check.ok)
        for check in count_subsets(market1501.load(copy), EXPECTED)
    }
    assert checks["train", "images"] == (12, True)
    assert checks["query", "images"] == (3, True)
    assert checks["gallery", "identities"] == (4, True)  # no number is expected, so none is wrong
    assert checks["all", "cameras"] == (3, True)
    assert ("train", "cameras") not in checks


def test_a_wrong_count_is_described_with_all_expected_numbers(copy):
    expected = {"train": ExpectedCounts(images=[12_936, 13_000])}
    wrong = [check for check in count_subsets(market1501.load(copy), expected) if not check.ok]
    assert [str(check) for check in wrong] == [
        "train has 12 images where 12,936 or 13,000 are expected"
    ]


def test_subsets_of_several_tests_have_the_name_of_their_test(tmp_path):
    images = tuple(Image(f"{n}.jpg", n, n) for n in range(4))
    splits = {
        "small": (QueryGallerySplit((0,), (1,)), QueryGallerySplit((1,), (0,))),
        "large": (QueryGallerySplit((0, 2), (1, 3)),),
    }
    subsets = list_subsets(Dataset("x", tmp_path, images[:1], images, splits))
    assert {name: [image.identity for image in part] for name, part in subsets.items()} == {
        "train": [0],
        "small query": [0],
        "small gallery": [1],
        "large query": [0, 2],
        "large gallery": [1, 3],
        "all": [0, 0, 1, 2, 3],
    }


def test_a_complete_copy_needs_no_note(copy):
    assert require_complete(market1501.load(copy), EXPECTED, allow_partial=False) == ()


def test_a_missing_file_is_refused_or_noted(copy):
    next((copy / "bounding_box_train").glob("*.jpg")).unlink()
    dataset = market1501.load(copy)
    words = "train has 11 images where 12 are expected"
    with pytest.raises(SetupError, match=rf"not a complete copy: {words}.*--allow-partial"):
        require_complete(dataset, EXPECTED, allow_partial=False)
    assert require_complete(dataset, EXPECTED, allow_partial=True) == (f"Partial data: {words}.",)


@pytest.mark.parametrize(
    ("count", "description"),
    [
        (0, []),
        (2, ["2 listed images are missing (l:0: a0, l:1: a1)"]),
        (4000, ["4,000 listed images are missing (l:0: a0, l:1: a1, l:2: a2, ...)"]),
    ],
)
def test_missing_files_are_described_by_examples(tmp_path, count, description):
    missing_files = tuple(f"l:{n}: a{n}" for n in range(count))
    dataset = Dataset("x", tmp_path, (), (), {}, missing_files=missing_files)
    assert describe_missing(dataset) == description


def test_a_query_needs_a_match_from_another_camera(tmp_path):
    train, query = [Image("t", 1, 1)], [Image("q", 2, 1)]
    match = make_dataset("x", tmp_path, train, query, [Image("g", 2, 1), Image("h", 2, 2)])
    require_scorable(match)
    no_match = make_dataset("x", tmp_path, train, query, [Image("g", 2, 1), Image("h", 3, 2)])
    with pytest.raises(SetupError, match="none of the 1 queries of 'test' in .* nothing to score"):
        require_scorable(no_match)


def test_images_that_are_not_read_are_described(copy):
    train = copy / "bounding_box_train"
    for path in sorted(train.glob("*.jpg"))[:3]:
        path.rename(path.with_suffix(".png"))
    (train / "0001").mkdir()
    for path in sorted(train.glob("*.jpg"))[:2]:
        path.rename(train / "0001" / path.name)
    (copy / "query" / "Thumbs.db").touch()
    dataset = market1501.load(copy)
    found = "bounding_box_train also holds 3 .png files, 2 JPEG files in folders below it"
    assert describe_unread_images(dataset) == [f"{found}, which are not read"]
    with pytest.raises(SetupError, match=f"train has 7 images where 12 .*; {found}"):
        require_complete(dataset, EXPECTED, allow_partial=False)

"""Whole and partial copies: counted, told, refused or noted."""

import pytest

from harness.cli.data_checking import check_data
from harness.core.errors import SetupError, UsageError
from harness.core.progress import Reporter
from harness.data.completeness import (
    ExpectedCounts,
    count_subsets,
    find_unreadable,
    require_complete,
)
from harness.data.datasets import market1501
from harness.data.synthetic.generator import SyntheticSettings, generate
from harness.planning.datasets import find_dataset, open_dataset
from harness.planning.schema import load_dataset
from harness.runs.data_flags import DataFlag

MADE = SyntheticSettings(
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
WHOLE = {
    "train": ExpectedCounts(images=12, identities=4),
    "query": ExpectedCounts(images=[3, 4], identities=3),
    "all": ExpectedCounts(cameras=3),
}


@pytest.fixture
def copy(tmp_path):
    return generate(tmp_path / "market1501", MADE)


def test_counts_stand_beside_what_is_expected(copy):
    found = {
        (c.subset, c.what): (c.found, c.ok) for c in count_subsets(market1501.load(copy), WHOLE)
    }
    assert found[("train", "images")] == (12, True)
    assert found[("query", "images")] == (3, True)
    assert found[("gallery", "identities")] == (4, True)  # nothing is known: not wrong
    assert found[("all", "cameras")] == (3, True)
    assert ("train", "cameras") not in found


def test_a_whole_copy_needs_no_note(copy):
    assert require_complete(market1501.load(copy), WHOLE, allow_partial=False) == ()


def test_a_missing_file_is_refused_or_noted(copy):
    next((copy / "bounding_box_train").glob("*.jpg")).unlink()
    dataset = market1501.load(copy)
    words = "train has 11 images where 12 are expected"
    with pytest.raises(SetupError, match=rf"not the whole dataset: {words}.*--allow-partial"):
        require_complete(dataset, WHOLE, allow_partial=False)
    assert require_complete(dataset, WHOLE, allow_partial=True) == (f"Partial data: {words}.",)


def test_a_made_copy_never_passes_for_the_real_dataset(copy, tmp_path):
    file = load_dataset("market1501")
    given = ("market1501", file, MADE, copy, tmp_path, 1, Reporter(quiet=True))
    with pytest.raises(SetupError, match="train has 12 images where 12,936 are expected"):
        open_dataset(*given)
    dataset = open_dataset(*given, allow_partial=True)
    assert dataset.data_flags == (DataFlag.GENERATED, DataFlag.PARTIAL)
    *_, made, partial = dataset.notes
    assert partial.startswith("Partial data: train has 12 images")
    assert made.startswith("Generated data: ")  # and so it would be if it counted as the real one


def test_what_is_not_generated_is_not_called_so(copy):
    (copy / "synthetic.json").unlink()
    dataset = find_dataset("market1501", load_dataset("market1501"), copy)
    assert not any(note.startswith("Generated") for note in dataset.notes)
    assert dataset.data_flags == ()


def test_the_verb_says_that_a_copy_is_generated(copy, capsys):
    check_data("market1501", copy, deep=False, workers=1)
    assert "Generated data: drawn images" in capsys.readouterr().out


def test_every_real_dataset_knows_its_counts():
    for name in ("market1501", "dukemtmc", "msmt17", "veri776", "vehicleid"):
        file = load_dataset(name)
        assert file.expected["train"].images and file.expected["train"].identities


def test_the_place_can_be_an_environment_variable(copy, monkeypatch):
    file = load_dataset("market1501")
    monkeypatch.setenv("KDREID_DATA", str(copy.parent))
    assert find_dataset("market1501", file, None).root == copy
    monkeypatch.delenv("KDREID_DATA")
    with pytest.raises(SetupError, match="--data-root DIR .* or in .*KDREID_DATA"):
        find_dataset("market1501", file, None)


def test_who_looks_for_duke_is_told_that_it_was_withdrawn(tmp_path):
    with pytest.raises(SetupError, match="does not exist. Its authors withdrew DukeMTMC-reID"):
        find_dataset("dukemtmc", load_dataset("dukemtmc"), tmp_path / "absent")


def spoil(copy, content):
    victim = sorted((copy / "query").glob("*.jpg"))[0]
    victim.write_bytes(content(victim.read_bytes()))
    return victim.name


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (lambda data: data[: len(data) // 2], "truncated"),
        (lambda _: b"", "the file is empty"),
        (lambda _: b"not an image", "it is no image file"),
    ],
    ids=["truncated", "empty", "text"],
)
def test_every_unreadable_image_is_named(copy, content, words):
    name = spoil(copy, content)
    problems = list(find_unreadable(market1501.load(copy), 2, lambda *_: None))
    assert len(problems) == 1 and name in problems[0] and words in problems[0]


def test_another_format_under_a_jpeg_name_is_named(copy):
    from PIL import Image

    victim = sorted((copy / "query").glob("*.jpg"))[0]
    Image.new("RGB", (8, 8)).save(victim, format="PNG")
    (problem,) = find_unreadable(market1501.load(copy), 1, lambda *_: None)
    assert "it is a PNG file, not JPEG" in problem


def test_the_verb_tells_subset_by_subset_and_exits_3(copy, capsys):
    name = spoil(copy, lambda data: data[:100])
    assert check_data("market1501", copy, deep=True, workers=2) == 3
    told = capsys.readouterr().out
    assert "12              12,936  <- differs" in told
    assert f"unreadable: query/{name}" in told and "1 unreadable images" in told
    assert "fingerprint" in told and "not whole" in told


def test_the_generated_set_needs_no_check():
    with pytest.raises(UsageError, match="nothing to check"):
        check_data("synthetic", None, deep=False, workers=1)

"""Folders of images as people have them: linked, nested, in other formats, or not unpacked."""

import os

import pytest
from PIL import Image

from harness.core.errors import SetupError
from harness.data.completeness import describe_missing
from harness.data.datasets import LOADERS
from harness.data.folders import describe_contents, find_broken_links, iter_files
from harness.data.synthetic.layouts import LAYOUTS
from tests.support.generated_copies import write_copy

IMAGE_FOLDERS = {
    "market1501": ("bounding_box_train", "query", "bounding_box_test"),
    "dukemtmc": ("bounding_box_train", "query", "bounding_box_test"),
    "msmt17": ("train", "test"),
    "veri776": ("image_train", "image_query", "image_test"),
    "vehicleid": ("image",),
}
SPECIAL_FILES = {
    "pipe": os.mkfifo,
    "folder": lambda path: path.mkdir(),
    "device": lambda path: path.symlink_to("/dev/zero"),
}
FLAT = [name for name in LAYOUTS if name != "msmt17"]


def images(dataset):
    return dataset.train, dataset.test, dataset.test_splits


def write_as(layout, target):
    """Return a copy, and what it holds as it is."""
    home = write_copy(target, layout)
    return home, LOADERS[layout](target)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_folders_and_files_may_be_links(tmp_path, layout):
    home, plain = write_as(layout, tmp_path / "copy")
    store = tmp_path / "store"
    for folder in IMAGE_FOLDERS[layout]:
        (store / folder).mkdir(parents=True)
        for path in sorted((home / folder).iterdir()):
            path.rename(store / folder / path.name)
            path.symlink_to(store / folder / path.name)
        (home / folder).rename(home / f"{folder}-of-links")
        (home / folder).symlink_to(f"{folder}-of-links")
    linked = LOADERS[layout](tmp_path / "copy")
    assert images(linked) == images(plain)
    assert linked.fingerprint == plain.fingerprint
    assert not linked.broken_links and not linked.missing_files


def test_links_in_a_circle_end(tmp_path):
    home, plain = write_as("msmt17", tmp_path)
    for person in sorted((home / "train").iterdir()):
        (person / "up").symlink_to(home)
        (person / "itself").symlink_to("itself")
        (person / "beside").symlink_to(home / "test")
    (home / "test" / "train").symlink_to(home / "train")
    assert images(LOADERS["msmt17"](tmp_path)) == images(plain)


def test_two_links_to_one_folder_are_both_followed(tmp_path):
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "1.jpg").touch()
    (tmp_path / "images").mkdir()
    for name in "ab":
        (tmp_path / "images" / name).symlink_to(tmp_path / "store")
    found = [path.relative_to(tmp_path).as_posix() for path in iter_files(tmp_path / "images")]
    assert found == ["images/a/1.jpg", "images/b/1.jpg"]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_all_links_to_nothing_are_counted_and_the_first_are_named(tmp_path, layout):
    home, plain = write_as(layout, tmp_path)
    gone = [image.file for image in plain.train[-4:]]
    for file in gone:
        (home / file).unlink()
        (home / file).symlink_to(f"/gone/{file}")
    partial = LOADERS[layout](tmp_path)
    assert partial.train == plain.train[:-4]
    assert partial.broken_links == tuple(f"{file} -> /gone/{file}" for file in gone)
    are_listed = layout in ("msmt17", "vehicleid")
    assert len(partial.missing_files) == (4 if are_listed else 0)
    assert f"4 links lead to nothing ({gone[0]} -> /gone/" in "; ".join(describe_missing(partial))


def test_an_identity_that_is_a_link_to_nothing(tmp_path):
    home, plain = write_as("msmt17", tmp_path)
    person = home / plain.train[-1].file.rpartition("/")[0]
    count = len(list(person.iterdir()))
    person.rename(tmp_path / "elsewhere")
    person.symlink_to("/gone")
    partial = LOADERS["msmt17"](tmp_path)
    assert (
        len(partial.train)
        == len(plain.train) - count
        == len(plain.train) - len(partial.missing_files)
    )
    assert partial.broken_links == (f"{person.relative_to(home)} -> /gone",)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_subset_of_links_to_nothing_states_all(tmp_path, layout):
    home, plain = write_as(layout, tmp_path)
    for image in plain.train:
        (home / image.file).unlink()
        (home / image.file).symlink_to("/gone")
    with pytest.raises(SetupError) as caught:
        LOADERS[layout](tmp_path)
    number = len(plain.train)
    assert f"{number} links lead to nothing (" in str(caught.value)
    assert f"{plain.train[0].file.rpartition('/')[2]} -> /gone" in str(caught.value)


def as_png(home, folder):
    for path in sorted((home / folder).rglob("*.jpg")):
        with Image.open(path) as image:
            image.save(path.with_suffix(".png"))
        path.unlink()


def rename_to(suffix):
    def rename(home, folder):
        for path in sorted((home / folder).rglob("*.jpg")):
            path.rename(path.with_suffix(suffix))

    return rename


def sort_by_identity(home, folder):
    for path in sorted((home / folder).glob("*.jpg")):
        place = path.parent / path.name.partition("_")[0]
        place.mkdir(exist_ok=True)
        path.rename(place / path.name)


def leave_archive(home, folder):
    for path in (home / folder).rglob("*.jpg"):
        path.unlink()
    (home / folder / "images.zip").write_bytes(b"PK")


SHAPES = {
    "PNG": (as_png, r"{n} \.png files", "Only JPEG files are read"),
    "JPEG called .png": (rename_to(".png"), r"{n} \.png files", "rename them to .jpg"),
    "JFIF": (rename_to(".jfif"), r"{n} \.jfif files", "rename them to .jpg"),
    "folders": (
        sort_by_identity,
        r"5 folders \(.*{n} \.jpg files",
        "must lie in the folder itself",
    ),
    "archive": (leave_archive, r"1 \.zip file", r"Unpack the \.zip file"),
}


@pytest.mark.parametrize("layout", ["market1501", "dukemtmc", "veri776"])
@pytest.mark.parametrize("shape", SHAPES)
def test_other_layouts_are_described_with_what_to_do(tmp_path, layout, shape):
    home, plain = write_as(layout, tmp_path)
    change, found, advice = SHAPES[shape]
    change(home, IMAGE_FOLDERS[layout][0])
    with pytest.raises(
        SetupError,
        match=rf"contains no JPEG files, but .*{found.format(n=len(plain.train))}.*{advice}",
    ):
        LOADERS[layout](tmp_path)


def test_a_root_with_something_else_is_described(tmp_path):
    for name in ("gallery", "pytorch", "query", "train_all"):
        (tmp_path / name / "0001").mkdir(parents=True)
        (tmp_path / name / "0001" / "a.png").touch()
    with pytest.raises(SetupError) as caught:
        LOADERS["dukemtmc"](tmp_path)
    found = "4 folders (gallery, pytorch, query, ...) and 4 .png files."
    assert str(caught.value).endswith(f"{tmp_path} contains {found}")


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", SPECIAL_FILES)
def test_special_files_with_names_of_images(tmp_path, layout, kind):
    home, plain = write_as(layout, tmp_path)
    path = home / plain.test[0].file
    path.unlink()
    SPECIAL_FILES[kind](path)
    with pytest.raises(
        SetupError, match=rf"{path.name} cannot be read \(it is a {kind}, not a file"
    ):
        LOADERS[layout](tmp_path).fingerprint  # noqa: B018


@pytest.mark.parametrize(
    ("layout", "file"),
    [
        ("msmt17", "list_train.txt"),
        ("msmt17", "list_gallery.txt"),
        ("vehicleid", "train_test_split/test_list_800.txt"),
        ("veri776", "name_test.txt"),
        ("veri776", "jk_index.txt"),
    ],
)
@pytest.mark.parametrize("kind", SPECIAL_FILES)
def test_special_files_with_names_of_lists(tmp_path, layout, file, kind):
    path = write_copy(tmp_path, layout) / file
    path.unlink()
    SPECIAL_FILES[kind](path)
    with pytest.raises(SetupError, match=rf"{layout}: .*{path.name} is a {kind}, not a file"):
        LOADERS[layout](tmp_path)


def test_links_in_folders_that_cannot_be_read_are_not_found(tmp_path):
    assert find_broken_links(tmp_path / "gone") == []
    assert describe_contents(tmp_path / "gone") == ""
    assert describe_contents(tmp_path) == ""

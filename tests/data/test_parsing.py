import re

import pytest

from harness.core.errors import SetupError
from harness.data.dataset import Image
from harness.data.parsing import (
    find_dataset_root,
    index_files,
    list_jpegs,
    parse_filenames,
    read_list,
)


def test_the_root_is_the_first_folder_with_all_entries(tmp_path):
    for folder in ("b", "c"):
        for entry in ("train", "test"):
            (tmp_path / folder / entry).mkdir(parents=True)
    assert find_dataset_root(tmp_path, "x", ("a", "b", "c"), ("train", "test")) == tmp_path / "b"
    assert find_dataset_root(tmp_path / "c", "x", ("a",), ("train", "test")) == tmp_path / "c"


def test_the_error_lists_what_the_most_complete_folder_lacks(tmp_path):
    (tmp_path / "b" / "train").mkdir(parents=True)
    message = (
        f"x: test not found. Folders searched: {tmp_path}, {tmp_path}/a, {tmp_path}/b. "
        f"Expected layout: {tmp_path}/a/{{train,test}}. "
        "Set --data-root to the folder that contains it. Buy it."
    )
    with pytest.raises(SetupError, match=f"^{re.escape(message)}$"):
        find_dataset_root(tmp_path, "x", ("a", "b"), ("train", "test"), " Buy it.")


def test_jpegs_are_sorted_and_found_in_any_case(tmp_path):
    for name in ("b.JPG", "a.jpeg", "c.jpg", "Thumbs.db"):
        (tmp_path / name).touch()
    assert [path.name for path in list_jpegs(tmp_path, "x")] == ["a.jpeg", "b.JPG", "c.jpg"]


def test_labels_come_from_the_base_name_alone(tmp_path):
    pattern = re.compile(r"(\d+)_c(\d)\.jpg$")
    file = tmp_path / "7_c7" / "3_c2.jpg"
    assert list(parse_filenames([file], tmp_path, pattern, "x")) == [Image("7_c7/3_c2.jpg", 3, 2)]


def test_the_index_ignores_case(tmp_path):
    (tmp_path / "A").mkdir()
    (tmp_path / "A" / "B.JPG").touch()
    (tmp_path / "c.jpg").touch()
    assert index_files(tmp_path, "x") == {"a/b.jpg": "A/B.JPG", "c.jpg": "c.jpg"}


def test_a_list_gives_location_image_and_identity(tmp_path):
    path = tmp_path / "list.txt"
    path.write_text("\na.jpg 3\r\n\n  b.jpg   04 \n")
    assert list(read_list(path, "x")) == [("list.txt:2", "a.jpg", 3), ("list.txt:4", "b.jpg", 4)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("\n \n", r"x: .*list\.txt lists no images\."),
        ("a.jpg 1\na.jpg\n", r"list\.txt:2: 'a\.jpg' does not have the form `image identity`"),
        ("a.jpg -1", r"list\.txt:1: 'a\.jpg -1' does not have the form"),
        ("a b 1", r"list\.txt:1: 'a b 1' does not have the form"),
    ],
)
def test_a_list_of_another_form_is_refused(tmp_path, content, message):
    path = tmp_path / "list.txt"
    path.write_text(content)
    with pytest.raises(SetupError, match=message):
        list(read_list(path, "x"))


def test_what_does_not_exist_cannot_be_read(tmp_path):
    for read in (list_jpegs, index_files, lambda path, name: list(read_list(path, name))):
        with pytest.raises(SetupError, match=r"x: .*gone cannot be read \(No such file"):
            read(tmp_path / "gone", "x")

import json
import os

import pytest

from harness.core.errors import SetupError
from harness.core.files import (
    atomic_directory,
    atomic_write,
    ensure_writable,
    read_json,
    write_json,
)


def test_a_failed_write_leaves_the_old_content_and_no_litter(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"old": 1})

    def half(file):
        file.write(b"half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        atomic_write(path, half)
    assert json.loads(path.read_text()) == {"old": 1}
    assert os.listdir(tmp_path) == ["a.json"]


def test_damaged_json_reads_as_absent(tmp_path):
    (tmp_path / "a.json").write_text('{"half":')
    assert read_json(tmp_path / "a.json") is None
    assert read_json(tmp_path / "b.json") is None


def test_an_unwritable_folder_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError, match=r"file/runs is not writable .* --runs DIR"):
        ensure_writable(tmp_path / "file" / "runs")


def test_a_folder_is_there_whole_or_not_at_all(tmp_path):
    with atomic_directory(tmp_path / "a") as partial:
        (partial / "x").write_text("x")
        assert not (tmp_path / "a").exists()
    assert os.listdir(tmp_path / "a") == ["x"]
    with pytest.raises(KeyboardInterrupt), atomic_directory(tmp_path / "b"):
        raise KeyboardInterrupt
    assert os.listdir(tmp_path) == ["a"]


def test_a_folder_that_holds_something_is_not_replaced(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "mine").write_text("precious")
    with pytest.raises(OSError, match="a"), atomic_directory(tmp_path / "a") as partial:
        (partial / "x").write_text("x")
    assert os.listdir(tmp_path) == ["a"] and os.listdir(tmp_path / "a") == ["mine"]

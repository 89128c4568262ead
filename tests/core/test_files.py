"""Files and folders that are there whole or not at all."""

import json
import os
import subprocess
import sys

import pytest

from harness.core.errors import SetupError
from harness.core.files import (
    atomic_directory,
    atomic_write,
    ensure_writable,
    read_json,
    write_json,
)
from tests.support import tiny_grid


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


def test_content_is_bytes_or_a_function_that_writes_them(tmp_path):
    path = tmp_path / "new" / "folder" / "a"
    atomic_write(path, b"bytes")
    assert path.read_bytes() == b"bytes"
    atomic_write(path, lambda file: file.write(b"function"))
    assert path.read_bytes() == b"function"


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o007, 0o660), (0o077, 0o600)])
def test_permissions_are_those_of_any_new_file(tmp_path, umask, mode):
    """Members of a group share a runs folder; a temporary file's own mode would shut them out."""
    before = os.umask(umask)
    try:
        atomic_write(tmp_path / "a", b"")
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == mode


def test_a_killed_writer_leaves_the_old_content(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"old": 1})
    program = (
        "import os, pathlib; from harness.core.files import atomic_write\n"
        f"atomic_write(pathlib.Path({str(path)!r}), lambda file: os.kill(os.getpid(), 9))"
    )
    ended = subprocess.run([sys.executable, "-c", program], cwd=tiny_grid.ROOT, check=False)
    assert ended.returncode == -9
    assert read_json(path) == {"old": 1}
    assert len(list(tmp_path.glob(".a.json.*.tmp"))) == 1


def test_json_is_readable_and_in_a_fixed_order(tmp_path):
    write_json(tmp_path / "a.json", {"b": 1, "a": [2]})
    assert (tmp_path / "a.json").read_text() == '{\n "a": [\n  2\n ],\n "b": 1\n}\n'


@pytest.mark.parametrize("text", ["[1]", "1", "null", "\x00", ""])
def test_what_is_no_json_object_reads_as_absent(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    assert read_json(tmp_path / "a.json") is None


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

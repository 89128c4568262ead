"""Files and folders that are there whole or not at all."""

import errno
import json
import os
import pwd
import re
import socket
import subprocess
import sys

import numpy as np
import pytest
import torch

from harness.core.errors import (
    DamagedFileError,
    SetupError,
    UnreadableFileError,
    UnwritableFileError,
)
from harness.core.files import (
    atomic_directory,
    atomic_write,
    ensure_writable,
    file_exists,
    read_json,
    write_json,
)
from tests.support import tiny_grid
from tests.support.small_disks import make_read_only, needs_root, small_disk
from tests.support.unprivileged import as_nobody


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


def test_only_a_missing_file_reads_as_absent(tmp_path):
    assert read_json(tmp_path / "a.json") is None
    assert read_json(tmp_path / "no folder" / "a.json") is None
    write_json(tmp_path / "a.json", {"a": 1})
    assert read_json(tmp_path / "a.json") == {"a": 1}


DAMAGED = {
    "empty": b"",
    "of spaces": b" \n",
    "a list": b"[1]",
    "a number": b"1",
    "null": b"null",
    "zeros": bytes(512),
    "cut": b'{"half":',
    "followed by another": b"{} {}",
    "not UTF-8": b'{"a": "\xff"}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "half a character": b'{"a": "\\ud800"}',
    "nested": b'{"a":' * 100_000,
    "a number of 5000 digits": b'{"a": ' + b"1" * 5000 + b"}",
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_is_named_with_the_next_step(tmp_path, content):
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(DamagedFileError) as caught:
        read_json(path)
    _require_one_sentence(caught.value, path, "restore it from a copy, or move it away")
    assert path.read_bytes() == content


def test_a_cut_file_is_damaged_wherever_it_was_cut(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"a": [1, "ä"], "b": {"c": None}})
    content = path.read_bytes()
    for length in range(len(content) - 2):  # all but its last bracket and line break
        path.write_bytes(content[:length])
        with pytest.raises(DamagedFileError):
            read_json(path)


def test_a_file_of_absurd_size_is_not_read(tmp_path):
    path = tmp_path / "a.json"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(DamagedFileError, match="more than 64,000,000 bytes"):
        read_json(path)


def _make_socket(path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


SPECIAL = {
    "a pipe": os.mkfifo,
    "a socket": _make_socket,
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a folder": os.mkdir,
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize(("kind", "make"), SPECIAL.items(), ids=SPECIAL)
def test_special_files_are_refused_without_waiting(tmp_path, kind, make):
    path = tmp_path / "a.json"
    make(path)
    with pytest.raises(UnreadableFileError, match=f"a.json is {kind}, not a file") as caught:
        read_json(path)
    _require_one_sentence(caught.value, path, "move it away")


def test_a_link_to_nothing_and_a_link_to_itself_are_not_absent(tmp_path):
    (tmp_path / "a.json").symlink_to("/not/mounted/a.json")
    (tmp_path / "b.json").symlink_to("b.json")
    for name in ("a.json", "b.json"):
        with pytest.raises(UnreadableFileError) as caught:
            read_json(tmp_path / name)
        _require_one_sentence(caught.value, tmp_path / name, "")


def test_a_file_in_place_of_a_folder_and_a_name_too_long_are_not_absent(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UnreadableFileError, match=f"{tmp_path / 'file'} is not a folder"):
        read_json(tmp_path / "file" / "below" / "a.json")
    with pytest.raises(UnreadableFileError, match="name too long"):
        read_json(tmp_path / ("a" * 300))


def test_a_file_of_another_user_is_named_with_its_owner(public_path):
    folder = public_path / "runs"
    write_json(folder / "a.json", {})
    (folder / "a.json").chmod(0o600)
    with as_nobody(), pytest.raises(UnreadableFileError) as caught:
        read_json(folder / "a.json")
    owner = pwd.getpwuid(os.geteuid()).pw_name
    _require_one_sentence(
        caught.value, folder / "a.json", f"{folder / 'a.json'} belongs to {owner}"
    )
    folder.chmod(0o700)
    for read in (read_json, file_exists):  # Path.exists would return False
        with as_nobody(), pytest.raises(UnreadableFileError) as caught:
            read(folder / "a.json")
        _require_one_sentence(caught.value, folder / "a.json", f"{folder} belongs to {owner}")


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.ENODEV])
def test_errors_of_the_disk_are_not_absence(tmp_path, monkeypatch, number):
    """No disk of a test machine fails on request: the system call does."""

    def fail(*_):
        raise OSError(number, os.strerror(number))

    write_json(tmp_path / "a.json", {})
    monkeypatch.setattr("os.open", fail)
    with pytest.raises(UnreadableFileError, match=re.escape(os.strerror(number))) as caught:
        read_json(tmp_path / "a.json")
    _require_one_sentence(caught.value, tmp_path / "a.json", "check its disk")


def test_a_file_that_was_replaced_between_lookup_and_reading_is_read_again(tmp_path, monkeypatch):
    write_json(tmp_path / "a.json", {"new": 1})
    opened = os.open
    answers = [OSError(errno.ESTALE, "Stale file handle")]

    def open_stale_once(*arguments):
        if answers:
            raise answers.pop()
        return opened(*arguments)

    monkeypatch.setattr("os.open", open_stale_once)
    assert read_json(tmp_path / "a.json") == {"new": 1}


def test_existence_is_told_from_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    assert file_exists(tmp_path) and file_exists(tmp_path / "file")
    assert not file_exists(tmp_path / "a") and not file_exists(tmp_path / "a" / "b")
    with pytest.raises(UnreadableFileError):
        file_exists(tmp_path / "file" / "a")


def _require_one_sentence(error, path, next_step):
    """Whoever reads the message learns which file it is and what to do, in a single sentence."""
    assert isinstance(error, SetupError) and error.exit_code == 3 and error.path == path
    assert str(path) in str(error) and next_step in str(error)
    assert str(error).endswith(".") and ". " not in str(error) and "\n" not in str(error)


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


WRITERS = {
    "bytes": bytes(1 << 20),
    "a function": lambda file: file.write(bytes(1 << 20)),
    "many small parts": lambda file: [file.write(bytes(1000)) for _ in range(1000)],
    "torch.save": lambda file: torch.save({"weights": torch.zeros(1 << 18)}, file),
    "np.savez": lambda file: np.savez(file, scores=np.zeros(1 << 17)),
}


@needs_root
@pytest.mark.parametrize("content", WRITERS.values(), ids=WRITERS)
def test_a_full_disk_is_called_that_whoever_writes(tmp_path, content):
    with small_disk(tmp_path / "disk", size="512k") as disk:
        write_json(disk / "a" / "file", {"old": 1})
        with pytest.raises(UnwritableFileError) as caught:
            atomic_write(disk / "a" / "file", content)
        _require_one_sentence(caught.value, disk / "a" / "file", "remove files there")
        assert f"No space left on the disk of {disk / 'a'}" in str(caught.value)
        assert caught.value.errno == errno.ENOSPC and isinstance(caught.value, OSError)
        assert os.listdir(disk / "a") == ["file"] and read_json(disk / "a" / "file") == {"old": 1}
        _require_no_chain(caught.value)


@needs_root
def test_a_disk_without_inodes_is_called_that(tmp_path):
    with small_disk(tmp_path / "disk", size="1m", nr_inodes=4) as disk:
        for number in range(3):
            write_json(disk / f"{number}.json", {})
        with pytest.raises(UnwritableFileError, match=f"No inodes left on the disk of {disk}"):
            write_json(disk / "3.json", {})
        with pytest.raises(SetupError, match="No inodes left"):
            ensure_writable(disk)


@needs_root
def test_a_read_only_disk_is_called_that(tmp_path):
    with small_disk(tmp_path / "disk", size="1m") as disk:
        write_json(disk / "a.json", {"old": 1})
        make_read_only(disk)
        with pytest.raises(UnwritableFileError, match=f"the disk of {disk} is read-only") as caught:
            write_json(disk / "a.json", {})
        _require_one_sentence(caught.value, disk / "a.json", "choose another folder")
        with pytest.raises(SetupError, match=r"is not writable .*read-only.* --runs DIR"):
            ensure_writable(disk)
        with pytest.raises(UnwritableFileError, match="read-only"), atomic_directory(disk / "b"):
            raise AssertionError("not reached")


LIMITED = """
import resource, sys
from pathlib import Path
from harness.core.errors import UnwritableFileError
from harness.core.files import atomic_write
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    atomic_write(Path(sys.argv[1]), bytes(1 << 20))
except UnwritableFileError as error:
    sys.exit(str(error))
"""


def test_the_largest_size_of_a_file_is_named(tmp_path):
    command = [sys.executable, "-c", LIMITED, str(tmp_path / "file")]
    done = subprocess.run(command, cwd=tiny_grid.ROOT, capture_output=True, text=True, check=False)
    assert done.stderr.strip() == (
        f"{tmp_path / 'file'} cannot be written (File too large): raise the largest size of a "
        "file (ulimit -f)."
    )
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("write", [lambda path: write_json(path, {}), ensure_writable])
def test_a_folder_of_another_user_is_named_with_its_owner(public_path, write):
    folder = public_path / "shared"
    folder.mkdir(mode=0o755)
    with as_nobody(), pytest.raises(SetupError) as caught:
        write(folder / "runs")
    assert f"Permission denied; {folder} belongs to {folder.owner()}" in str(caught.value)


@pytest.mark.parametrize("name", ["a\nb", "a\rb", "a\x1b]52;c;AAAA\x07", "a\tb"])
def test_a_runs_folder_with_control_characters_in_its_name_is_refused(tmp_path, name):
    with pytest.raises(SetupError, match=r"line break or another control character") as caught:
        ensure_writable(tmp_path / name)
    assert str(caught.value).isprintable() and not os.listdir(tmp_path)


@pytest.mark.parametrize("place", ["/dev/null", "/dev/null/runs", "file", "file/runs", "a" * 300])
def test_what_cannot_be_a_runs_folder_is_refused(tmp_path, place):
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError, match=r"^The runs folder .* is not writable .*--runs DIR\.$"):
        ensure_writable(tmp_path / place)


def test_a_folder_on_a_full_disk_leaves_nothing(tmp_path):
    with pytest.raises(UnwritableFileError, match="No space"), atomic_directory(tmp_path / "a"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert os.listdir(tmp_path) == []


def test_an_error_of_reading_is_not_the_new_folders(tmp_path):
    with pytest.raises(FileNotFoundError), atomic_directory(tmp_path / "a"):
        (tmp_path / "nothing").read_text()


def _require_no_chain(error):
    """A traceback would show one error, not all that followed from it."""
    while error is not None:
        assert error.__cause__ is None and (error.__suppress_context__ or not error.__context__)
        error = error.__cause__

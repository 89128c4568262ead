"""Archives with a digest: written, verified, read, and damaged in every way that a disk can."""

import os
import random
import subprocess
import sys
import zipfile
from pickle import UnpicklingError

import numpy as np
import pytest
import torch

from harness.core.archives import set_aside, verify_archive, write_archive
from harness.core.errors import DamagedFileError, UnreadableFileError

STATE = {"weight": torch.arange(300.0).reshape(3, 100), "step": 7, "curve": [{"loss": 0.5}]}
ARRAYS = {
    "test.0.query": np.array([f"query/{n:04}.jpg" for n in range(60)]),
    "test.0.average_precision": np.linspace(0, 1, 60),
    "test.0.first_rank": np.arange(60),
}


def save_state(file):
    torch.save(STATE, file)


def save_arrays(file):
    np.savez(file, **ARRAYS)


@pytest.fixture(params=["sealed", "as before 0.3"])
def state_file(request, tmp_path):
    """An archive of torch, with the digest and, as 0.2.0 wrote it, without."""
    path = tmp_path / "model.pt"
    if request.param == "sealed":
        write_archive(path, save_state)
    else:
        with path.open("wb") as file:
            save_state(file)
    return path


def flip(path, position, bit):
    content = bytearray(path.read_bytes())
    content[position] ^= 1 << bit
    path.write_bytes(content)


def same_or_refused(path):
    """Torch finds what it was given to save, or nothing; not something else."""
    try:
        return same_state(path)
    except (RuntimeError, EOFError, UnpicklingError, ValueError):
        return True


def same_state(path):
    state = torch.load(path, weights_only=True)
    return (
        state.keys() == STATE.keys()
        and torch.equal(state["weight"], STATE["weight"])
        and (state["step"], state["curve"]) == (STATE["step"], STATE["curve"])
    )


def test_a_sealed_archive_is_what_torch_numpy_and_zip_expect(tmp_path):
    write_archive(tmp_path / "model.pt", save_state)
    assert same_state(tmp_path / "model.pt")
    torch.load(tmp_path / "model.pt", weights_only=True, mmap=True)
    write_archive(tmp_path / "per_query.npz", save_arrays)
    with np.load(tmp_path / "per_query.npz") as arrays:
        assert np.array_equal(arrays["test.0.query"], ARRAYS["test.0.query"])
    for name in ("model.pt", "per_query.npz"):
        verify_archive(tmp_path / name)
        with zipfile.ZipFile(tmp_path / name) as archive:
            assert archive.comment.startswith(b"kdreid sha256 ")
            assert archive.testzip() is None


def test_equal_content_gives_equal_bytes(tmp_path):
    for name in ("a", "b"):
        write_archive(tmp_path / name, save_state)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_an_archive_without_a_digest_is_checked_by_its_own_sums(state_file):
    verify_archive(state_file)
    assert same_state(state_file)


def test_no_flipped_bit_passes_with_another_content(state_file):
    """Everywhere in the file, not only in its members."""
    whole, draw = state_file.read_bytes(), random.Random(5)
    found = 0
    for position in {*draw.sample(range(len(whole)), 250), *range(len(whole) - 250, len(whole))}:
        flip(state_file, position, draw.randrange(8))
        try:
            verify_archive(state_file)
        except DamagedFileError:
            found += 1
        else:
            assert same_or_refused(state_file)
        state_file.write_bytes(whole)
    assert found > 100


@pytest.mark.parametrize("cut", [0, 1, 100, 0.5, 0.9, -1, -80])
def test_a_cut_archive_is_damaged_or_whole(state_file, cut):
    whole = state_file.read_bytes()
    size = int(cut * len(whole)) if isinstance(cut, float) else cut % (len(whole) + (cut < 0))
    os.truncate(state_file, size)
    try:
        verify_archive(state_file)
    except DamagedFileError:
        return
    assert same_or_refused(state_file)


@pytest.mark.parametrize("content", [b"", b"<html>", b"PK\x05\x06" + bytes(18), os.urandom(5000)])
def test_other_content_is_damaged(tmp_path, content):
    path = tmp_path / "model.pt"
    path.write_bytes(content)
    with pytest.raises(DamagedFileError, match=r"model\.pt is damaged"):
        verify_archive(path)


def test_zeros_in_the_middle_are_damage(state_file):
    content = bytearray(state_file.read_bytes())
    content[800:1312] = bytes(512)
    state_file.write_bytes(content)
    with pytest.raises(DamagedFileError, match=r"model\.pt is damaged \(.*(digest|sum)") as caught:
        verify_archive(state_file)
    assert caught.value.path == state_file
    assert caught.value.reason in str(caught.value)


def test_a_missing_file_a_folder_and_a_pipe_are_unreadable(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for name in ("missing", "pipe", "."):
        with pytest.raises(UnreadableFileError):
            verify_archive(tmp_path / name)


def test_nothing_is_replaced_if_the_last_check_fails(tmp_path):
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(b"old")

    def refuse():
        raise KeyError("lost")

    with pytest.raises(KeyError):
        write_archive(path, save_state, before_replace=refuse)
    assert [file.name for file in tmp_path.iterdir()] == ["checkpoint.pt"]
    assert path.read_bytes() == b"old"


def test_a_damaged_file_gets_a_name_of_its_own(tmp_path):
    for number in range(3):
        path = tmp_path / "checkpoint.pt"
        path.write_bytes(b"%d" % number)
        set_aside(path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        "checkpoint.pt.damaged": b"0",
        "checkpoint.pt.2.damaged": b"1",
        "checkpoint.pt.3.damaged": b"2",
    }


def test_the_module_does_without_torch():
    code = "import sys, harness.core.archives; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"

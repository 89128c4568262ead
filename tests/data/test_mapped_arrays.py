"""Arrays of images in files, and what is wrong with them."""

import os
import random

import numpy as np
import pytest

from harness.core.errors import UnreadableFileError
from harness.data.mapped_arrays import checksum, checksum_path, map_array


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "train.npy"
    np.save(path, np.arange(24, dtype=np.uint8).reshape(2, 3, 4))
    return path


def test_an_array_is_mapped(path):
    array = map_array(path)
    assert isinstance(array, np.memmap)
    assert array.tolist() == np.arange(24).reshape(2, 3, 4).tolist()


def test_a_missing_or_damaged_one_is_none(path):
    assert map_array(path.with_name("missing.npy")) is None
    whole, draw = path.read_bytes(), random.Random(3)
    for size in (0, 5, 60, len(whole) - 1):
        path.write_bytes(whole[:size])
        assert map_array(path) is None
    with path.open("wb") as file:
        np.savez(file, np.arange(3))  # numpy loads an archive of arrays, too
    assert map_array(path) is None
    for _ in range(300):  # of the header, in every kind of character
        content = bytearray(whole)
        content[draw.randrange(128)] ^= 1 << draw.randrange(8)
        path.write_bytes(content)
        array = map_array(path)
        assert array is None or array.nbytes <= len(whole)


def test_one_that_cannot_be_read_is_an_error(tmp_path):
    with pytest.raises(UnreadableFileError, match="is a folder, not a file"):
        map_array(tmp_path)
    os.mkfifo(tmp_path / "train.npy")
    with pytest.raises(UnreadableFileError, match="is a pipe, not a file"):
        map_array(tmp_path / "train.npy")


def test_a_checksum_is_of_the_bytes_in_order():
    image = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    assert checksum(image) == checksum(image.copy(order="F")) != checksum(image[::-1])


def test_checksums_lie_next_to_their_array(path):
    assert checksum_path(path).name == "train.crc32.npy"

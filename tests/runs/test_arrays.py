"""Archives of others: nothing is unpickled, nothing is allocated that is not there."""

import io
import os
import pickle
import random
import tracemalloc
import zipfile

import numpy as np
import pytest

from harness.runs.arrays import MAX_BYTES, read_arrays


@pytest.fixture
def path(tmp_path):
    return tmp_path / "per_query.npz"


def header(shape, dtype="<f8", length=None):
    """The header of an array as `numpy.save` writes it, whatever follows."""
    text = f"{{'descr': {dtype!r}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    text += b" " * (53 - len(text) % 64 if length is None else length) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


def archive(path, content, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as file:
        file.writestr("test.0.query.npy", content)


def refused(path):
    with pytest.raises(ValueError, match=r"^per_query.npz ") as raised:
        read_arrays(path, ("query",))
    return str(raised.value)


def test_arrays_are_those_that_numpy_wrote(path):
    arrays = {
        "test.0.query": np.array(["a", "bcd", "é"]),
        "b.query": np.arange(5, dtype=np.int32),
        "c.query": np.linspace(0, 1, 7, dtype=np.float32),
        "empty.query": np.zeros(0),
        "square.query": np.arange(6).reshape(2, 3),
    }
    for save in (np.savez, np.savez_compressed):
        save(path, **arrays, other=np.arange(9))
        found = read_arrays(path, ("query",))
        assert found.keys() == arrays.keys()
        for name, array in arrays.items():
            assert found[name].dtype == array.dtype and np.array_equal(found[name], array)


@pytest.mark.parametrize(
    "shape", ["(10**12,)", "(2**40,)", "(10**9, 10**9)", "(-1,)", "(3, -1)", "(True,)", "10"]
)
def test_a_header_that_claims_what_is_not_there_allocates_nothing(path, shape):
    """A few bytes that claim terabytes, also compressed."""
    text = str(eval(shape)) if shape not in ("(True,)", "10") else shape
    for compression in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        archive(path, header(text) + bytes(64), compression)
        tracemalloc.start()
        assert refused(path) == "per_query.npz is damaged"
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 5_000_000


def test_an_archive_that_unpacks_to_gigabytes_is_refused_before(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        for number in range(5):
            file.writestr(f"test.{number}.query.npy", bytes(MAX_BYTES // 4))
    tracemalloc.start()
    assert "claims 335,544,320 bytes, too many" in refused(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000


class Evil:
    """Unpickling this makes a folder."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


def test_objects_are_never_unpickled(tmp_path, path):
    for content in (
        header("(1,)", "|O") + pickle.dumps([Evil(tmp_path / "made")]),
        pickle.dumps(Evil(tmp_path / "made")),
    ):
        archive(path, content)
        assert refused(path) == "per_query.npz is damaged"
    np.savez(path, query=np.array([Evil(tmp_path / "made")], dtype=object))
    assert refused(path) == "per_query.npz is damaged"
    assert not (tmp_path / "made").exists()


def test_files_that_are_no_archives(tmp_path, path):
    assert refused(path) == "per_query.npz is missing"
    path.mkdir()
    assert "not a plain file" in refused(path)
    path.rmdir()
    os.mkfifo(path)
    assert "not a plain file" in refused(path)  # and nobody waits for a writer
    path.unlink()
    path.symlink_to("/dev/zero")
    assert "not a plain file" in refused(path)
    path.unlink()
    path.symlink_to(path)
    assert "cannot be read" in refused(path)


def test_damage_anywhere_is_a_sentence(path):
    """Bytes replaced, cut and added at random: the arrays as they were, or a sentence."""
    buffer = io.BytesIO()
    arrays = {"a.query": np.array(["x", "yy"] * 20), "b.query": np.arange(40.0)}
    np.savez(buffer, **arrays)
    whole, problems = buffer.getvalue(), []
    for seed in range(300):
        source, content = random.Random(seed), bytearray(whole)
        for _ in range(source.randrange(1, 6)):
            content[source.randrange(len(content))] = source.randrange(256)
        if source.random() < 0.3:
            del content[source.randrange(len(content)) :]
        path.write_bytes(content)
        try:
            found = read_arrays(path, ("query",))
        except ValueError as error:
            problems.append(str(error))
            continue
        assert all(np.array_equal(found[name], arrays[name]) for name in found if name in arrays)
    assert len(problems) > 200
    assert all(problem.startswith("per_query.npz ") for problem in problems)


@pytest.mark.parametrize(
    "text", ["(", "{'descr': (", "{'descr': '<f8', 'shape': (1,", "$", "[" * 99]
)
def test_a_header_that_cannot_be_parsed(path, text):
    """numpy reads Python's notation, whose parser has errors of its own."""
    content = text.encode().ljust(118) + b"\n"
    archive(path, b"\x93NUMPY\x01\x00" + len(content).to_bytes(2, "little") + content)
    assert refused(path) == "per_query.npz is damaged"

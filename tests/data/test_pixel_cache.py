"""The pixel cache: built once, shared, verified, repaired, rebuilt, or not used."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
import zlib
from dataclasses import replace

import numpy as np
import pytest
import torch

from harness.core.errors import SetupError
from harness.core.lease import try_acquire
from harness.data.decoding import DECODER_VERSION
from harness.data.images import FileImages
from harness.data.pixel_cache import DiskTooSmallError, open_cache
from tests.support import tiny_grid

SIZE = (8, 4)


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


def folder_of(cache):
    (folder,) = [path.parent for path in cache.glob("*/ready.json")]
    return folder


def test_the_cache_holds_what_decoding_gives(tiny, cache):
    for subset, images in zip(
        open_cache(tiny, SIZE, cache, workers=2), (tiny.train, tiny.test), strict=True
    ):
        plain = FileImages(tiny.root, images, SIZE)
        everything = range(len(images))
        assert len(subset) == len(plain) == len(images)
        assert torch.equal(subset[everything], plain[everything])
    assert subset[[1, 0, 1]].shape == (3, 3, *SIZE)


def test_a_second_opening_decodes_nothing(tiny, cache):
    calls = []
    for _ in range(2):
        open_cache(tiny, SIZE, cache, progress=lambda d, t: calls.append((d, t)))
    assert calls == [(done, 6) for done in range(1, 7)]


def test_another_size_or_content_has_a_cache_of_its_own(tiny, cache, jpeg):
    open_cache(tiny, SIZE, cache)
    open_cache(tiny, (4, 4), cache)
    jpeg(tiny.root / tiny.train[0].file, colour=7)
    train, _ = open_cache(replace(tiny), SIZE, cache)  # opened again
    assert len(list(cache.glob("*/ready.json"))) == 3
    assert int(train[[0]].max()) < 12


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "ready.json").unlink(),
        lambda folder: (folder / "train.npy").write_bytes(b"half"),
        lambda folder: os.truncate(folder / "test.npy", 200),
        lambda folder: (folder / "train.crc32.npy").unlink(),
        lambda folder: np.save(folder / "train.npy", np.zeros((4, 3, 4, 8), np.uint8)),
        lambda folder: np.save(folder / "test.crc32.npy", np.zeros(3, np.uint32)),
    ],
    ids=["unfinished", "overwritten", "truncated", "sums gone", "wrong shape", "wrong sums"],
)
def test_a_cache_that_is_not_whole_is_built_again(tiny, cache, damage):
    expected = [subset[range(len(subset))] for subset in open_cache(tiny, SIZE, cache)]
    damage(folder_of(cache))
    again = open_cache(tiny, SIZE, cache)
    assert all(torch.equal(s[range(len(s))], e) for s, e in zip(again, expected, strict=True))


@pytest.mark.parametrize("name", ["train.npy", "train.crc32.npy", "test.npy", "ready.json"])
def test_no_flipped_bit_changes_a_pixel(tiny, cache, name):
    expected = [subset[range(len(subset))] for subset in open_cache(tiny, SIZE, cache)]
    draw = random.Random(11)
    for _ in range(40):
        path = folder_of(cache) / name
        content = bytearray(path.read_bytes())
        # Headers are a tenth of a real file and most of this one: half of the bits in each part.
        place = draw.randrange(min(len(content), draw.choice((128, 10**9))))
        content[place] ^= 1 << draw.randrange(8)
        path.write_bytes(content)
        again = open_cache(tiny, SIZE, cache)
        assert all(torch.equal(s[range(len(s))], e) for s, e in zip(again, expected, strict=True))


def test_a_header_that_claims_gigabytes_allocates_nothing(tiny, cache):
    open_cache(tiny, SIZE, cache)
    path = folder_of(cache) / "train.crc32.npy"
    content = path.read_bytes()
    path.write_bytes(content.replace(b"(4,), }" + b" " * 10, b"(40000000000,), }"))
    assert path.read_bytes() != content
    assert len(open_cache(tiny, SIZE, cache)[0][range(4)]) == 4


def test_waiting_for_another_builder_is_reported_and_can_be_stopped(tiny, cache, monkeypatch):
    monkeypatch.setattr("harness.core.waiting.NOTICE_S", 0.1)
    name = f"{tiny.name}-{tiny.fingerprint}-8x4-{DECODER_VERSION}.building"
    lines = []

    def stop():
        if lines:
            raise KeyboardInterrupt

    with try_acquire(cache / name), pytest.raises(KeyboardInterrupt):
        open_cache(tiny, SIZE, cache, on_repair=lines.append, before_poll=stop)
    (line,) = lines
    assert line.startswith("waiting for process") and line.endswith("which decodes tiny")


def test_a_corrupt_image_is_decoded_again_reported_and_repaired(tiny, cache):
    open_cache(tiny, SIZE, cache)
    path = folder_of(cache) / "train.npy"
    array = np.load(path, mmap_mode="r+")
    right = array[2].copy()
    array[2, 1, 3, 2] ^= 16  # one flipped bit
    del array
    messages = []
    train, _ = open_cache(tiny, SIZE, cache, on_repair=messages.append)
    assert not messages  # nothing was read yet
    assert np.array_equal(train[[0, 2]][1].numpy(), right)
    assert len(messages) == 1 and "images/2.jpg was corrupt in the cache" in messages[0]
    assert np.array_equal(np.load(path)[2], right)
    sums = np.load(folder_of(cache) / "train.crc32.npy")
    assert [zlib.crc32(image) for image in np.load(path)] == sums.tolist()
    open_cache(tiny, SIZE, cache, on_repair=messages.append)[0][range(4)]
    assert len(messages) == 1


@pytest.mark.parametrize("file", ["train.npy", "train.crc32.npy"])
def test_a_corrupt_entry_that_cannot_be_written_back_is_decoded_on_every_read(tiny, cache, file):
    open_cache(tiny, SIZE, cache)
    path = folder_of(cache) / file
    array = np.load(path, mmap_mode="r+")
    array[2] ^= 16
    del array
    messages = []
    train, _ = open_cache(tiny, SIZE, cache, on_repair=messages.append)
    for name in ("train.npy", "train.crc32.npy"):
        (folder_of(cache) / name).unlink()  # the open mapping stays as it is
    expected = FileImages(tiny.root, tiny.train, SIZE)[[2]]
    for _ in range(3):
        assert torch.equal(train[[2]], expected)
    assert len(messages) == 1


def test_a_cache_that_only_others_may_write_is_read(tiny, cache):
    open_cache(tiny, SIZE, cache)
    for path in [cache, *cache.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    assert len(open_cache(tiny, SIZE, cache)[0][range(4)]) == 4


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (lambda _: b"", "the file is empty"),
        (lambda _: b"not an image", "it is not an image file"),
        (lambda data: data[: len(data) // 2], "(?i:truncated)"),
    ],
    ids=["empty", "text", "truncated"],
)
def test_an_unreadable_image_is_named_and_leaves_no_cache(tiny, cache, content, reason):
    file = tiny.root / "images" / "3.jpg"
    file.write_bytes(content(file.read_bytes()))
    with pytest.raises(SetupError, match=rf"1 unreadable images: .*images/3\.jpg \(.*{reason}"):
        open_cache(tiny, SIZE, cache)
    assert not list(cache.rglob("*.npy"))
    with pytest.raises(SetupError, match=rf"images/3\.jpg is unreadable \(.*{reason}"):
        FileImages(tiny.root, tiny.train, SIZE)[[0, 3]]


def test_a_disk_that_is_too_small_is_an_error_before_anything_is_written(tiny, cache):
    with pytest.raises(DiskTooSmallError, match=r"needs 18360.0 GB, but .* has .* GB free"):
        open_cache(tiny, (10**6, 10**6), cache)
    assert not list(cache.rglob("*.npy"))


LIMITED = """
import resource, signal, sys
from pathlib import Path
from harness.data.pixel_cache import DiskTooSmallError, open_cache
from harness.data.dataset import Image, make_dataset
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
images = [Image(f"images/{n}.jpg", n // 2, n % 2) for n in range(6)]
data = make_dataset("tiny", Path(sys.argv[1]), images[:4], images[4:5], images[5:])
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    open_cache(data, (128, 64), Path(sys.argv[2]))
except DiskTooSmallError as error:
    print(error)
"""


def test_a_disk_that_fills_up_meanwhile_is_an_error_not_a_dead_process(tiny, cache):
    """Writing to mapped room that is not there kills a process; the limit stands for the disk."""
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, tiny.root, cache],
        env=os.environ | {"PYTHONPATH": str(tiny_grid.ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "The pixel cache needs" in done.stdout and "File too large" in done.stdout
    assert not list(cache.rglob("*.npy"))


SLOW = (
    LIMITED.partition("resource.setrlimit")[0]
    + """
import time
def slowly(done, total):
    print(done, flush=True)
    time.sleep(60 if done == 3 else 0)
open_cache(data, (8, 4), Path(sys.argv[2]), progress=slowly)
"""
)


def test_a_killed_builder_is_followed_by_the_next(tiny, cache):
    builder = subprocess.Popen(
        [sys.executable, "-c", SLOW, tiny.root, cache],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(tiny_grid.ROOT)},
    )
    while builder.stdout.readline() != "3\n":
        assert builder.poll() is None
    assert list(cache.rglob("train.npy"))  # half a cache lies there
    builder.send_signal(signal.SIGKILL)
    builder.wait()
    builder.stdout.close()
    began = time.monotonic()
    train, _ = open_cache(tiny, SIZE, cache)
    assert time.monotonic() - began < 30  # it is known to be dead: nobody waits for its lease
    assert len(train[range(4)]) == 4
    assert len(list(cache.rglob("train.npy"))) == 1


@pytest.mark.parametrize("cause", ["asked", "no room"])
def test_runs_without_a_cache_end_with_the_same_bits(with_teacher, tmp_path, cause, monkeypatch):
    cached, outcome = tiny_grid.run(with_teacher, "sp")
    assert len(outcome.done) == 2
    expected = {spec.key: tiny_grid.result_of(with_teacher, spec.key) for spec in cached.specs[1:]}
    for spec in cached.specs[1:]:
        shutil.rmtree(with_teacher / spec.key)
    shutil.rmtree(with_teacher / "cache")
    if cause == "no room":
        monkeypatch.setattr("harness.data.pixel_cache.SPACE_FACTOR", 1e12)
    plan, _ = tiny_grid.run(with_teacher, "sp", cache=cause == "no room")
    assert not list(with_teacher.rglob("cache/**/*.npy"))
    for key, result in expected.items():
        tiny_grid.assert_same_bits(tiny_grid.result_of(with_teacher, key), result)

"""Damage that decoders pass over, made in many ways in many kinds of JPEG files."""

import io
import random

import numpy as np
import pytest
from PIL import Image

from harness.data.jpeg_scan import ZERO_RUN, JpegReport, inspect_jpeg

ENCODINGS = {
    "usual": {},
    "fine": {"quality": 95, "subsampling": 0},
    "4:2:2": {"subsampling": 1},
    "optimised": {"optimize": True},
    "restart markers": {"restart_marker_blocks": 3},
    "restarts by row": {"restart_marker_rows": 1},
    "coarse": {"quality": 5},
    "progressive": {"progressive": True},
}
SEQUENTIAL = [name for name in ENCODINGS if name != "progressive"]


def encode(seed=0, size=(64, 128), mode="RGB", **encoding):
    random_numbers = np.random.default_rng(seed)
    walk = np.cumsum(np.cumsum(random_numbers.normal(size=(*size[::-1], 3)), 0), 1)
    walk = (walk - walk.min()) / max(1e-9, np.ptp(walk)) * 255
    pixels = (walk + random_numbers.normal(size=walk.shape) * 4).clip(0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(file, "JPEG", **encoding)
    return file.getvalue()


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("size", [(64, 128), (1, 1), (17, 33), (120, 50)])
def test_whole_files_raise_no_alarm(encoding, mode, size):
    content = encode(1, size, mode, **ENCODINGS[encoding])
    assert inspect_jpeg(content) == JpegReport()
    assert inspect_jpeg(content + b"appended \xff\xd8 by a camera" + bytes(100)) == JpegReport()


def coded_part(content):
    start = content.index(b"\xff\xda") + 14
    return start, len(content) - 2


def overwrite_with_zeros(content, draw):
    start, end = coded_part(content)
    at = draw.randrange(start, end - ZERO_RUN)
    return content[:at] + bytes(ZERO_RUN) + content[at + ZERO_RUN :]


def zeros_to_the_end(content, draw):
    start, end = coded_part(content)
    at = draw.randrange(start, end - ZERO_RUN)
    return content[:at] + bytes(len(content) - at)


def zeros_to_the_end_marker(content, draw):
    return zeros_to_the_end(content, draw)[:-2] + content[-2:]


def cut_and_close(content, draw):
    start, end = coded_part(content)
    return content[: draw.randrange(start, end - 8)] + b"\xff\xd9"


def lose_the_end_marker(content, draw):
    return content[:-2]


def overwrite_with_ff(content, draw):
    start, end = coded_part(content)
    at = draw.randrange(start, end - 64)
    return content[:at] + b"\xff" * 64 + content[at + 64 :]


CERTAIN = [
    overwrite_with_zeros,
    zeros_to_the_end,
    zeros_to_the_end_marker,
    cut_and_close,
    lose_the_end_marker,
    overwrite_with_ff,
]


@pytest.mark.parametrize("encoding", SEQUENTIAL)
@pytest.mark.parametrize("damage", CERTAIN)
def test_lost_content_is_found(encoding, damage):
    for seed in range(5):
        content = encode(seed, (96, 192), **ENCODINGS[encoding])
        report = inspect_jpeg(damage(content, random.Random(seed)))
        assert report.damage or report.remarks


@pytest.mark.parametrize(
    "damage", [overwrite_with_zeros, zeros_to_the_end, zeros_to_the_end_marker, lose_the_end_marker]
)
def test_zeros_and_ends_are_found_in_progressive_files(damage):
    for seed in range(5):
        content = encode(seed, (96, 192), progressive=True)
        assert inspect_jpeg(damage(content, random.Random(seed))).damage


def test_exchanged_blocks_of_a_disk_are_mostly_found():
    found = 0
    for seed in range(40):
        content, other = encode(seed, (96, 192)), encode(seed + 1000, (96, 192))
        start, end = coded_part(content)
        at = random.Random(seed).randrange(start, min(end, coded_part(other)[1]) - 512)
        found += bool(
            inspect_jpeg(content[:at] + other[at : at + 512] + content[at + 512 :]).damage
        )
    assert found >= 30


def test_one_colour_is_no_damage():
    """With tables of its own, a large area of one colour is coded as zeros."""
    file = io.BytesIO()
    Image.new("RGB", (1000, 1000)).save(file, "JPEG", optimize=True)
    report = inspect_jpeg(file.getvalue())
    assert not report.damage
    assert "zero bytes in a row" in report.remarks[0] and "every code is valid" in report.remarks[0]


def test_any_bytes_give_a_report():
    draw = random.Random(5)
    for number in range(300):
        content = bytearray(encode(number % 5, (24, 24), **list(ENCODINGS.values())[number % 8]))
        for _ in range(draw.randrange(1, 9)):
            content[draw.randrange(2, len(content))] = draw.randrange(256)
        assert isinstance(inspect_jpeg(bytes(content[: draw.randrange(len(content))])), JpegReport)
    for content in (b"", b"\xff\xd8", b"\xff\xd8\xff", b"\xff\xd8\xff\xda\xff\xff", b"text"):
        assert inspect_jpeg(content).damage

"""Every image of a copy is decoded and its codes are read; what decoders pass over is named."""

import io
import os
import random

import numpy as np
import pytest
from PIL import Image

from harness.data import image_check
from harness.data.datasets import market1501
from harness.data.decoding import decode_image
from harness.data.image_check import inspect_images
from harness.data.synthetic.generator import generate
from tests.data.test_completeness import SETTINGS


@pytest.fixture
def copy(tmp_path):
    return generate(tmp_path / "market1501", SETTINGS)


def inspect(copy, workers=2):
    reports = []
    dataset = market1501.load(copy)
    findings = list(inspect_images(dataset, workers, lambda *report: reports.append(report)))
    images = len(dataset.train) + len(dataset.test)
    assert reports[-1] == (images, images)
    return [(finding.kind, finding.is_damage, finding.text) for finding in findings]


def corrupt(copy, change, folder="query"):
    path = sorted((copy / folder).glob("*.jpg"))[0]
    path.write_bytes(change(path.read_bytes()))
    return f"{folder}/{path.name}"


def as_png(content):
    file = io.BytesIO()
    Image.open(io.BytesIO(content)).save(file, "PNG")
    return file.getvalue()


def as_bomb(_):
    """A JPEG file of a few hundred bytes whose header claims four thousand million pixels."""
    file = io.BytesIO()
    Image.new("L", (8, 8)).save(file, "JPEG")
    content = bytearray(file.getvalue())
    frame = content.index(b"\xff\xc0")
    content[frame + 5 : frame + 9] = b"\xff\xff\xff\xff"
    return bytes(content)


def as_large(_):
    file = io.BytesIO()
    Image.new("L", (9000, 9000)).save(file, "JPEG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda content: content[: len(content) // 2], "truncated"),
        (lambda _: b"", "the file is empty"),
        (lambda _: b"not an image", "it is not an image file"),
        (as_png, "it is a PNG file, not JPEG"),
        (as_bomb, "many pixels, where images of these datasets have"),
        (as_large, "9,000 x 9,000 pixels, where images of these datasets have"),
    ],
    ids=["truncated", "empty", "text", "PNG", "bomb", "large"],
)
def test_every_unreadable_image_is_named(copy, change, words):
    file = corrupt(copy, change)
    ((kind, is_damage, text),) = inspect(copy)
    assert (kind, is_damage) == ("unreadable", True)
    assert text.startswith(f"{file}: ") and words in text


def test_decodable_damage_is_suspicious_and_an_orientation_is_not_damage(copy):
    def overwrite(content):
        middle = int(0.6 * len(content))
        return content[:middle] + bytes(200) + content[middle + 200 :]

    def rotate(content):
        file, exif = io.BytesIO(), Image.Exif()
        exif[0x0112] = 6
        Image.open(io.BytesIO(content)).save(file, "JPEG", exif=exif)
        return file.getvalue()

    assert inspect(copy) == []
    damaged, rotated = corrupt(copy, overwrite), corrupt(copy, rotate, "bounding_box_train")
    rotation, damage = inspect(copy)
    assert rotation == ("rotated", False, f"{rotated}: EXIF orientation 6")
    assert damage[:2] == ("suspicious", True) and damage[2].startswith(f"{damaged}: its coded dat")
    assert "200 zero bytes in a row" in damage[2]


@pytest.mark.parametrize("suffix", ["pipe", "folder"])
def test_special_files_are_named(copy, suffix):
    path = sorted((copy / "query").glob("*.jpg"))[0]
    path.unlink()
    os.mkfifo(path) if suffix == "pipe" else path.mkdir()
    ((kind, _, text),) = inspect(copy)
    assert kind == "unreadable" and text == f"query/{path.name}: it is a {suffix}, not a file"


def test_processes_find_the_same(copy, monkeypatch):
    corrupt(copy, lambda content: content[:-2])
    plain = inspect(copy)
    monkeypatch.setattr(image_check, "MIN_FOR_PROCESSES", 2)
    monkeypatch.setattr(image_check, "IMAGES_PER_TASK", 7)
    assert inspect(copy) == plain != []


def test_pixels_ignore_the_orientation(tmp_path):
    """As the loaders of other toolboxes do."""
    pixels = np.arange(8 * 16 * 3, dtype=np.uint8).reshape(16, 8, 3)
    exif = Image.Exif()
    exif[0x0112] = random.choice([3, 6, 8])
    Image.fromarray(pixels).save(tmp_path / "plain.jpg")
    Image.fromarray(pixels).save(tmp_path / "rotated.jpg", exif=exif)
    plain, rotated = (np.asarray(decode_image(tmp_path / f"{n}.jpg")) for n in ("plain", "rotated"))
    assert np.array_equal(plain, rotated)

import numpy as np
import pytest
import torch
from PIL import Image as Picture

from harness.data.dataset import Image, assemble
from harness.data.pixels import open_pixels, read_image
from harness.errors import SetupError


@pytest.fixture
def dataset(tmp_path, jpeg):
    images = []
    for number in range(6):
        jpeg(tmp_path / "images" / f"{number}.jpg", colour=40 * number)
        images.append(Image(f"images/{number}.jpg", number // 2, number % 2))
    return assemble("tiny", tmp_path, images[:4], images[4:5], images[5:])


def test_pixels_are_the_decoded_and_resized_files(dataset, tmp_path):
    train, test = open_pixels(dataset, (8, 4), tmp_path / "cache", workers=2)
    assert (len(train), len(test)) == (4, 2)
    picture = Picture.open(tmp_path / "images" / "2.jpg").resize(
        (4, 8), Picture.Resampling.BILINEAR
    )
    expected = torch.from_numpy(np.array(picture).transpose(2, 0, 1))
    assert torch.equal(train[[2]][0], expected)
    assert train[[3, 0, 3]].shape == (3, 3, 8, 4)


def test_a_second_opening_decodes_nothing(dataset, tmp_path):
    calls = []
    for _ in range(2):
        open_pixels(dataset, (8, 4), tmp_path / "cache", progress=lambda d, t: calls.append((d, t)))
    assert calls == [(done, 6) for done in range(1, 7)]


def test_a_half_built_cache_is_built_again(dataset, tmp_path):
    train, _ = open_pixels(dataset, (8, 4), tmp_path / "cache")
    expected = train[[0, 1, 2, 3]]
    (folder,) = [path for path in (tmp_path / "cache").iterdir() if (path / "ready.json").exists()]
    (folder / "ready.json").unlink()  # as a builder killed half way leaves it
    (folder / "train.npy").write_bytes(b"half")
    train, _ = open_pixels(dataset, (8, 4), tmp_path / "cache")
    assert torch.equal(train[[0, 1, 2, 3]], expected)


@pytest.mark.parametrize("content", [b"", b"not an image", None])
def test_an_unreadable_image_is_named(dataset, tmp_path, content):
    file = tmp_path / "images" / "3.jpg"
    file.write_bytes(file.read_bytes()[:300] if content is None else content)
    with pytest.raises(SetupError, match=r"1 unreadable images: .*images/3\.jpg"):
        open_pixels(dataset, (8, 4), tmp_path / "cache")
    assert not list((tmp_path / "cache").rglob("*.npy"))


def test_grey_and_transparent_pictures_become_rgb(tmp_path):
    Picture.fromarray(np.zeros((6, 5), np.uint8)).save(tmp_path / "grey.png")
    assert read_image(tmp_path / "grey.png", (4, 3)).shape == (3, 4, 3)

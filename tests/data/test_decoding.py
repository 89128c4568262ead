import numpy as np
import pytest
import torch
from PIL import Image as Picture

from harness.data.decoding import UnreadableError, decode_image, read_image


def test_pixels_are_the_decoded_and_resized_file(jpeg, tmp_path):
    path = jpeg(tmp_path / "a.jpg", size=(16, 32))
    picture = Picture.open(path).resize((4, 8), Picture.Resampling.BILINEAR)
    expected = np.array(picture).transpose(2, 0, 1)
    assert torch.equal(torch.tensor(read_image(path, (8, 4))), torch.tensor(expected))
    assert np.array_equal(
        read_image(path, (32, 16)), np.array(Picture.open(path)).transpose(2, 0, 1)
    )


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_grey_and_cmyk_pictures_become_rgb(tmp_path, mode):
    Picture.new(mode, (5, 6)).save(tmp_path / "a.jpg")
    assert read_image(tmp_path / "a.jpg", (4, 3)).shape == (3, 4, 3)


def test_a_png_under_a_jpeg_name_is_refused(tmp_path):
    Picture.new("RGB", (5, 6)).save(tmp_path / "a.jpg", format="PNG")
    with pytest.raises(UnreadableError, match="it is a PNG file, not JPEG"):
        decode_image(tmp_path / "a.jpg")


def test_an_absent_file_is_refused(tmp_path):
    with pytest.raises(UnreadableError, match="No such file"):
        decode_image(tmp_path / "a.jpg")

"""Decoding of JPEG files. All code that opens images of a dataset uses this module."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import PIL
import PIL.Image
from PIL import features

# Pixels depend on the libraries that decode and resize: raise the last number with every change of
# this file that changes a pixel. The name is part of a cache folder's name.
DECODER_VERSION = f"pillow{PIL.__version__}-jpeg{features.version('jpg')}-bilinear-1"

JPEG_FORMATS = ("JPEG", "MPO")  # MPO: a JPEG file with further images after the first

PixelArray = np.ndarray[Any, np.dtype[np.uint8]]


class UnreadableError(Exception):
    """An image file is missing, damaged or not a JPEG file; the message gives the reason."""


def decode_image(path: Path) -> PIL.Image.Image:
    """Decode an image file completely, as RGB.

    Raises:
        UnreadableError: The file cannot be opened, is damaged or truncated, or is not JPEG.
    """
    try:
        with PIL.Image.open(path) as image:
            if image.format not in JPEG_FORMATS:
                raise UnreadableError(f"it is a {image.format} file, not JPEG")
            return image.convert("RGB")
    except OSError as error:
        empty = path.is_file() and path.stat().st_size == 0
        reason = "the file is empty" if empty else error.strerror or _describe_error(error)
        raise UnreadableError(reason) from error
    except (SyntaxError, ValueError, PIL.Image.DecompressionBombError) as error:
        raise UnreadableError(str(error)) from error


def read_image(path: Path, size: tuple[int, int]) -> PixelArray:
    """Decode an image file and resize it (bilinear) to `size`, (height, width) in pixels.

    Returns:
        Pixels, (3, H, W) uint8, RGB.

    Raises:
        UnreadableError: The file cannot be opened, is damaged or truncated, or is not JPEG.
    """
    height, width = size
    rgb = decode_image(path)
    if rgb.size != (width, height):
        rgb = rgb.resize((width, height), PIL.Image.Resampling.BILINEAR)
    return np.asarray(rgb).transpose(2, 0, 1)


def _describe_error(error: OSError) -> str:
    """Describe an error of Pillow without the path, which the caller's message contains."""
    unknown = isinstance(error, PIL.UnidentifiedImageError)
    return "it is not an image file" if unknown else str(error)

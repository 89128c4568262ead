"""Decoding of JPEG files. All code that opens images of a dataset uses this module."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import PIL
import PIL.Image
from PIL import features

from harness.data.image_files import UnreadableError, read_image_file

__all__ = [
    "DECODER_VERSION",
    "PixelArray",
    "UnreadableError",
    "decode_content",
    "decode_image",
    "read_image",
    "read_orientation",
]

# Pixels depend on the libraries that decode and resize: raise the last number with every change of
# this file that changes a pixel. The name is part of a cache folder's name.
DECODER_VERSION = f"pillow{PIL.__version__}-jpeg{features.version('jpg')}-bilinear-1"

JPEG_FORMATS = ("JPEG", "MPO")  # MPO: a JPEG file with further images after the first
ORIENTATION = 0x0112  # tag of EXIF
MAX_PIXELS = 50_000_000  # of an image; decoding more would take the memory of many images

PixelArray = np.ndarray[Any, np.dtype[np.uint8]]


def decode_image(path: Path, digest: str | None = None) -> PIL.Image.Image:
    """Decode an image file completely, as RGB. Its EXIF orientation is ignored.

    Args:
        path: The file.
        digest: SHA-256 that its content must have, if given.

    Raises:
        UnreadableError: The file cannot be opened, is damaged or truncated, is not JPEG, or has
            other content.
    """
    content, _ = read_image_file(path)
    if digest is not None and hashlib.sha256(content).hexdigest() != digest:
        raise UnreadableError("its content has changed since the command read it first")
    return decode_content(content)


def decode_content(content: bytes) -> PIL.Image.Image:
    """Decode the content of an image file completely, as RGB.

    Raises:
        UnreadableError: It is damaged, truncated, absurdly large, or not JPEG.
    """
    if not content:
        raise UnreadableError("the file is empty")
    try:
        with PIL.Image.open(io.BytesIO(content)) as image:
            if image.format not in JPEG_FORMATS:
                raise UnreadableError(f"it is a {image.format} file, not JPEG")
            if image.width * image.height > MAX_PIXELS:
                raise UnreadableError(_describe_size(f"{image.width:,} x {image.height:,} pixels"))
            return image.convert("RGB")
    except PIL.UnidentifiedImageError as error:  # its message contains the object that was read
        raise UnreadableError("it is not an image file") from error
    except (PIL.Image.DecompressionBombError, PIL.Image.DecompressionBombWarning) as error:
        raise UnreadableError(_describe_size("too many pixels")) from error
    except (OSError, SyntaxError, ValueError) as error:
        raise UnreadableError(str(error)) from error


def read_orientation(content: bytes) -> int:
    """Return the EXIF orientation of a decodable image file: 1 is upright; 1 if it has none."""
    try:
        with PIL.Image.open(io.BytesIO(content)) as image:
            orientation = image.getexif().get(ORIENTATION, 1)
    except Exception:  # damaged EXIF data raise nearly anything, and change no pixel
        return 1
    return orientation if isinstance(orientation, int) and 1 < orientation <= 8 else 1


def read_image(path: Path, size: tuple[int, int], digest: str | None = None) -> PixelArray:
    """Decode an image file and resize it (bilinear) to `size`, (height, width) in pixels.

    Args:
        path: The file.
        size: Height and width.
        digest: SHA-256 that its content must have, if given.

    Returns:
        Pixels, (3, H, W) uint8, RGB.

    Raises:
        UnreadableError: The file cannot be opened, is damaged or truncated, is not JPEG, or has
            other content.
    """
    height, width = size
    rgb = decode_image(path, digest)
    if rgb.size != (width, height):
        rgb = rgb.resize((width, height), PIL.Image.Resampling.BILINEAR)
    return np.asarray(rgb).transpose(2, 0, 1)


def _describe_size(pixels: str) -> str:
    return f"it has {pixels}, where images of these datasets have at most a few million"

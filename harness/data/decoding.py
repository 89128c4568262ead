"""From a JPEG file to pixels. Everything that looks into an image file goes through here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import PIL
from PIL import Image as Picture
from PIL import features

# Pixels depend on who decodes and resizes them; raise the last number when this file changes them.
DECODER_VERSION = f"pillow{PIL.__version__}-jpeg{features.version('jpg')}-bilinear-1"

FORMATS = ("JPEG", "MPO")  # MPO: a JPEG file with further pictures behind the first

Array = np.ndarray[Any, np.dtype[np.uint8]]


class UnreadableError(Exception):
    """An image file is absent, damaged, or not what its name says; the message says which."""


def decode(path: Path) -> Picture.Image:
    """The picture in a file, decoded to its last pixel, as RGB.

    Raises:
        UnreadableError: it cannot be opened, is damaged or cut off, or is no JPEG file.
    """
    try:
        with Picture.open(path) as picture:
            if picture.format not in FORMATS:
                raise UnreadableError(f"it is a {picture.format} file, not JPEG")
            return picture.convert("RGB")
    except OSError as error:
        empty = path.is_file() and path.stat().st_size == 0
        reason = "the file is empty" if empty else error.strerror or _without_path(error)
        raise UnreadableError(reason) from error
    except (SyntaxError, ValueError, Picture.DecompressionBombError) as error:
        raise UnreadableError(str(error)) from error


def read_image(path: Path, size: tuple[int, int]) -> Array:
    """Decode a file and resize it to (height, width): (3, H, W) uint8.

    Raises:
        UnreadableError: as `decode`.
    """
    height, width = size
    rgb = decode(path)
    if rgb.size != (width, height):
        rgb = rgb.resize((width, height), Picture.Resampling.BILINEAR)
    return np.asarray(rgb).transpose(2, 0, 1)


def _without_path(error: OSError) -> str:
    """Pillow repeats the path; whoever prints this has named it already."""
    unknown = isinstance(error, PIL.UnidentifiedImageError)
    return "it is no image file" if unknown else str(error)

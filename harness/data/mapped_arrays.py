"""Arrays of images in files: mapped, so that they are read when they are needed, with checksums."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from harness.core.errors import UnreadableFileError
from harness.core.files import require_plain_file
from harness.data.decoding import PixelArray


def map_array(path: Path) -> np.memmap[Any, Any] | None:
    """Return an array on the disk, of which nothing is read yet; None if missing or damaged.

    Raises:
        OSError: The disk or its permissions do not let it be read.
        UnreadableFileError: It is a folder, a pipe or a device.
    """
    try:
        require_plain_file(path)
        array: np.memmap[Any, Any] = npy.open_memmap(path, mode="r")
    except FileNotFoundError:
        return None
    except (OSError, UnreadableFileError):
        raise
    except Exception:  # numpy raises nearly anything for a damaged header
        return None
    return array


def checksum(image: PixelArray) -> int:
    """Return the CRC-32 of an image."""
    return zlib.crc32(np.ascontiguousarray(image).data)


def checksum_path(path: Path) -> Path:
    """Return the path of the checksums of the images in a file."""
    return path.with_suffix(".crc32.npy")

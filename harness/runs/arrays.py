"""Read arrays of an npz file that anyone may have written: nothing is unpickled or overallocated.

`numpy.load` allocates what the header of an array claims before it reads the array. Here the claim
is compared with the size of the array's data first, and the sizes of all arrays with a limit.
"""

from __future__ import annotations

import io
import math
import os
import stat
import zlib
from pathlib import Path
from tokenize import TokenError
from typing import Any
from zipfile import BadZipFile, ZipFile

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

MAX_BYTES = 1 << 28  # of all arrays together; ten draws of VehicleID's three tests have a sixth
MAX_ARRAYS = 10_000
_DAMAGE = (
    ValueError,
    OSError,
    EOFError,
    KeyError,
    TypeError,
    NotImplementedError,  # a kind of compression
    RuntimeError,  # encrypted; nested too deeply
    MemoryError,
    OverflowError,
    SyntaxError,
    TokenError,  # of the header, which is Python's notation
    BadZipFile,
    zlib.error,
)


def read_arrays(
    path: Path, suffixes: tuple[str, ...], max_bytes: int = MAX_BYTES
) -> dict[str, NDArray[Any]]:
    """Return the arrays of an npz file whose names end with one of some suffixes.

    Args:
        path: The file.
        suffixes: Ends of names; the other arrays are not read.
        max_bytes: Largest size of these arrays together.

    Raises:
        ValueError: The file is missing, unreadable, damaged or too large; the message says which.
    """
    try:
        handle = _open_plain_file(path)
    except FileNotFoundError as error:
        raise ValueError(f"{path.name} is missing") from error
    except OSError as error:
        raise ValueError(f"{path.name} cannot be read ({error.strerror})") from error
    try:
        with os.fdopen(handle, "rb") as file, ZipFile(file) as archive:
            members = [
                info
                for info in archive.infolist()
                if info.filename.removesuffix(".npy").endswith(suffixes)
            ]
            size = sum(info.file_size for info in members)
            if size > max_bytes or len(members) > MAX_ARRAYS:
                raise _TooLargeError(f"{path.name} claims {size:,} bytes, too many for its kind")
            return {
                info.filename.removesuffix(".npy"): _parse(archive.read(info)) for info in members
            }
    except _TooLargeError:
        raise
    except _DAMAGE as error:
        raise ValueError(f"{path.name} is damaged") from error


class _TooLargeError(ValueError):
    """Error for a file that is refused before its arrays are read."""


def _open_plain_file(path: Path) -> int:
    """Return an open file; a pipe or a device is refused and not waited for."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(0, "it is not a plain file")
    return os.open(path, os.O_RDONLY | os.O_NONBLOCK)


def _parse(content: bytes) -> NDArray[Any]:
    """Return the array in a member of an npz file, without a copy.

    Raises:
        ValueError: It is an array of objects, or its header does not fit its size.
    """
    stream = io.BytesIO(content)
    version = npy.read_magic(stream)
    read_header = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}[version]
    shape, is_fortran, dtype = read_header(stream)
    count = math.prod(shape)
    if dtype.hasobject or not dtype.itemsize or min((*shape, 0)) < 0 or is_fortran:
        raise ValueError("not an array of plain values")
    if count * dtype.itemsize != len(content) - stream.tell():
        raise ValueError("an array's header does not fit its size")
    return np.frombuffer(content, dtype, count, stream.tell()).reshape(shape)

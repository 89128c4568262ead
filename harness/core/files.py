"""Write files and folders so that a kill at any moment leaves the old content or the new."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from harness.core.errors import SetupError


def atomic_write(path: Path, content: bytes | Callable[[IO[bytes]], object]) -> None:
    """Replace a file by new content in one step; its folder is created if needed.

    The content is written to a temporary file in the same folder, flushed to the disk and renamed,
    which is atomic within a file system. A killed process may leave `.<name>.<random>.tmp`.

    Args:
        path: The file. It gets the permissions of any new file of this process (the umask).
        content: The bytes, or a function that writes them to the open file it is given.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        with temporary.open("xb") as file:
            if isinstance(content, bytes):
                file.write(content)
            else:
                content(file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_json(path: Path, value: object) -> None:
    """Replace a file by `value` as indented JSON, in one step."""
    atomic_write(path, (json.dumps(value, indent=1, sort_keys=True) + "\n").encode())


@contextmanager
def atomic_directory(root: Path) -> Iterator[Path]:
    """Yield a new folder to fill; it is renamed to `root` if the block ends without an error.

    Raises:
        OSError: `root` exists by then and contains something.
    """
    partial = root.with_name(f".{root.name}.{uuid.uuid4().hex[:8]}.partial")
    partial.mkdir(parents=True)
    try:
        yield partial
        partial.rename(root)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def read_json(path: Path) -> dict[str, Any] | None:
    """Return the JSON object in a file; None if the file is missing or contains anything else."""
    try:
        value = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def ensure_writable(folder: Path) -> None:
    """Create the runs folder if needed and check that files can be created in it.

    Raises:
        SetupError: They cannot.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise SetupError(
            f"The runs folder {folder} is not writable ({error.strerror}). "
            f"Choose another with --runs DIR."
        ) from error

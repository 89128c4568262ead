"""Writing files so that a kill at any moment leaves either the old content or the new."""

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


def atomic_write(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Let `write` fill a temporary file beside `path`, then flush it to disk and rename it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write_json(path: Path, value: object) -> None:
    """Write `value` as indented JSON, atomically."""
    content = json.dumps(value, indent=1, sort_keys=True) + "\n"
    atomic_write(path, lambda file: file.write(content.encode()))


@contextmanager
def atomic_directory(root: Path) -> Iterator[Path]:
    """A new folder beside `root` to fill; it takes that name if the block ends without an error.

    Raises:
        OSError: `root` holds something by then.
    """
    partial = root.with_name(f".{root.name}.{uuid.uuid4().hex[:8]}.partial")
    partial.mkdir(parents=True)
    try:
        yield partial
        partial.rename(root)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in `path`; None if the file is absent or is not a JSON object."""
    try:
        value = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def ensure_writable(folder: Path) -> None:
    """Create `folder` if needed and prove that files can be made in it.

    Raises:
        SetupError: they cannot.
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

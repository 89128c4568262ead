"""Read and write files: absent, unreadable and damaged ones are distinct; writing is atomic.

A kill at any moment leaves the old content of a file or folder, or the new.
"""

from __future__ import annotations

import errno
import io
import json
import os
import shutil
import stat
import unicodedata
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from harness.core.errors import SetupError, UnreadableFileError, UnwritableFileError
from harness.core.file_errors import damaged_file, explain, unreadable_file, unwritable_file

WRITE_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG, errno.ENOTEMPTY)
MAX_JSON_BYTES = 64_000_000  # a record of a thousand epochs has a hundredth of that
SPECIAL_FILES = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class _NewFile(io.FileIO):
    """New file that keeps the error of a failed write, which libraries replace by their own.

    When a disk is full, `torch.save` reports an unexpected position in `inline_container.cc`.
    """

    error: OSError | None = None

    def write(self, content: Any, /) -> int:
        try:
            return super().write(content)
        except OSError as error:
            self.error = error
            raise


def atomic_write(path: Path, content: bytes | Callable[[IO[bytes]], object]) -> None:
    """Replace a file by new content in one step; its folder is created if needed.

    The content is written to a temporary file in the same folder, flushed to the disk and renamed,
    which is atomic within a file system. A killed process may leave `.<name>.<random>.tmp`.

    Args:
        path: The file. It gets the permissions of any new file of this process (the umask).
        content: The bytes, or a function that writes them to the open file it is given.

    Raises:
        UnwritableFileError: The file cannot be written; the old content is still there.
    """
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_new(temporary, content)
        temporary.replace(path)
    except OSError as error:
        raise unwritable_file(path, error) from None
    finally:
        with suppress(OSError):  # after the renaming there is none
            temporary.unlink()


def _write_new(path: Path, content: bytes | Callable[[IO[bytes]], object]) -> None:
    """Write a new file to the disk.

    Raises:
        OSError: The disk does not take it, whatever the function that writes it makes of that.
    """
    raw = _NewFile(path, "x")
    try:
        with io.BufferedWriter(raw) as file:
            if isinstance(content, bytes):
                file.write(content)
            else:
                content(file)
            file.flush()
            os.fsync(raw.fileno())
    except Exception:
        if raw.error is not None:
            raise raw.error from None
        raise


@contextmanager
def temporary_file(folder: Path, prefix: str) -> Iterator[IO[bytes]]:
    """Yield a new, open file in a folder, which is removed after the block.

    Unlike those of `tempfile`, it has the permissions of any new file of this process (the umask),
    so that a file that is made from it by a link can be read by the others of a shared folder.

    Args:
        folder: The folder.
        prefix: The beginning of its name; the rest is random.
    """
    path = folder / f"{prefix}{uuid.uuid4().hex[:8]}"
    try:
        with path.open("xb") as file:
            yield file
    finally:
        path.unlink(missing_ok=True)


def write_json(path: Path, value: object) -> None:
    """Replace a file by `value` as indented JSON, in one step."""
    atomic_write(path, (json.dumps(value, indent=1, sort_keys=True) + "\n").encode())


@contextmanager
def atomic_directory(root: Path) -> Iterator[Path]:
    """Yield a new folder to fill; it is renamed to `root` if the block ends without an error.

    Raises:
        UnwritableFileError: The disk is full, or `root` exists by then and contains something.
    """
    partial = root.with_name(f".{root.name}.{uuid.uuid4().hex[:8]}.partial")
    try:
        partial.mkdir(parents=True)
    except OSError as error:
        raise unwritable_file(root, error) from None
    try:
        yield partial
        partial.rename(root)
    except OSError as error:
        # Whoever fills the folder may also read: those errors are not about this folder.
        if error.errno in WRITE_ERRORS:
            raise unwritable_file(root, error) from None
        raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def read_json(path: Path) -> dict[str, Any] | None:
    """Return the JSON object in a file; None if there is no such file.

    Raises:
        UnreadableFileError: The file is there, or may be, and cannot be read.
        DamagedFileError: It does not contain one JSON object, for example because it was cut.
    """
    content = read_file(path, MAX_JSON_BYTES)
    return None if content is None else parse_json_object(content, path)


def read_file(path: Path, max_bytes: int) -> bytes | None:
    """Return the content of a plain file; None if there is no such file.

    Pipes, devices and sockets are refused without being opened, so nothing is waited for.

    Raises:
        UnreadableFileError: The file is there, or may be, and cannot be read.
        DamagedFileError: It is larger than `max_bytes`.
    """
    for attempt in (1, 2):
        try:
            content = _read_plain_file(path, max_bytes)
        except FileNotFoundError:
            if not path.is_symlink():
                return None
            message = f"{path} is a link to nothing: mount what it points to, or remove the link."
            raise UnreadableFileError(path, message) from None
        except OSError as error:
            # On a network disk, a file may be replaced after it was found and before it is read.
            if error.errno != errno.ESTALE or attempt == 2:
                raise unreadable_file(path, error) from error
        else:
            break
    if len(content) > max_bytes:
        message = f"it has more than {max_bytes:,} bytes"
        raise damaged_file(path, message)
    return content


def parse_json_object(content: bytes, path: Path) -> dict[str, Any]:
    """Return the JSON object that a file contains.

    Args:
        content: The file's content.
        path: The file, for the error's message.

    Raises:
        DamagedFileError: The content is anything else.
    """
    try:
        value = json.loads(content.decode())
        if b"\\ud" in content.lower():  # a lone surrogate, which no file or terminal accepts
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError as error:
        raise damaged_file(path, "it is nested too deeply") from error
    except (UnicodeDecodeError, UnicodeEncodeError) as error:
        raise damaged_file(path, f"it is not UTF-8: {error.reason}") from error
    except ValueError as error:
        reason = f"it is not complete JSON: {error}" if content.strip() else "it is empty"
        raise damaged_file(path, reason) from error
    if not isinstance(value, dict):
        raise damaged_file(path, "it is not a JSON object")
    return value


def file_exists(path: Path) -> bool:
    """Return whether there is a file or folder; unlike `Path.exists`, no error means absence.

    Raises:
        UnreadableFileError: It is not known, for example because its folder is not readable.
    """
    try:
        path.stat()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise unreadable_file(path, error) from error
    return True


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Return whether an entry is a folder or leads to one, as far as this process can see."""
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def require_plain_file(path: Path) -> None:
    """Check that a library that opens a file will not wait for a pipe or read a device.

    Raises:
        OSError: The file is missing, or nothing is known about it.
        UnreadableFileError: It is a folder, a pipe, a device or a socket.
    """
    _require_plain_file(path, path.stat())


def _read_plain_file(path: Path, max_bytes: int) -> bytes:
    """Return at most one byte more than `max_bytes` of a file."""
    require_plain_file(path)
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # do not wait if it became a pipe
    with os.fdopen(handle, "rb") as file:
        _require_plain_file(path, os.fstat(handle))
        return file.read(max_bytes + 1)


def _require_plain_file(path: Path, status: os.stat_result) -> None:
    if stat.S_ISREG(status.st_mode):
        return
    kind = SPECIAL_FILES.get(stat.S_IFMT(status.st_mode), "a special file")
    message = f"{path} is {kind}, not a file: move it away and repeat the command."
    raise UnreadableFileError(path, message)


def require_writable(folder: Path) -> None:
    """Create a folder if needed and check that files can be created in it.

    Raises:
        UnwritableFileError: They cannot.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with temporary_file(folder, ".write."):
            pass
    except OSError as error:
        reason, step = explain(folder / "file", error)
        message = f"{folder} cannot be written ({reason}): {step}."
        raise UnwritableFileError(folder, message, error, reason) from None


def ensure_writable(folder: Path) -> None:
    """Create the runs folder if needed and check that files can be created in it.

    Raises:
        SetupError: They cannot.
    """
    if any(unicodedata.category(character) == "Cc" for character in str(folder)):
        raise SetupError(
            f"The name of the runs folder contains a line break or another control character: "
            f"{str(folder)!r}. Choose another with --runs DIR."
        )
    try:
        require_writable(folder)
    except UnwritableFileError as error:
        raise SetupError(
            f"The runs folder {folder} is not writable ({error.reason}). Choose another with "
            "--runs DIR."
        ) from error

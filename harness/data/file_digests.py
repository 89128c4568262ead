"""Digests of a dataset's files, kept so that a file is read again only if it may have changed.

They are kept in `cache/` of the runs folder, a file for each folder of images, with the size, times
and inode that each image had when it was read. Several processes and users may use it at once: it
is replaced in one step, and whatever one of them overwrites is only computed again.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from harness.core.errors import FileError, SetupError
from harness.core.file_errors import damaged_file
from harness.core.files import atomic_write, read_file
from harness.core.progress import Reporter
from harness.data.image_files import FileStamp, UnreadableError, read_image_file, stamp_of

FORMAT = b"kdreid file digests 1"
MAX_BYTES = 1_000_000_000
RECENT_NS = 2_000_000_000  # changes so short before the reading may not show in a file's times
MAX_LISTED_FILES = 3  # unreadable files that a message lists
MIN_PROGRESS = 2000  # files to read from which on the progress is shown

KeptDigests = dict[str, tuple[str, FileStamp]]  # digest and stamp, by file


@dataclass(frozen=True)
class FileDigester:
    """SHA-256 digests of image files, computed in threads, or taken from those that are kept.

    Attributes:
        folder: Folder in which the digests are kept; None: they are computed each time.
        workers: Number of threads.
        reporter: Shows the progress, and a line about a damaged file of digests.
    """

    folder: Path | None = None
    workers: int = 4
    reporter: Reporter = field(default_factory=lambda: Reporter(quiet=True))

    def digest_files(self, name: str, root: Path, files: Iterable[str]) -> dict[str, str]:
        """Return the digest of each file, 64 hexadecimal digits.

        Args:
            name: Name of the dataset, for messages.
            root: Folder that the files' names are relative to.
            files: The files.

        Raises:
            SetupError: Some files cannot be read; the message lists the first.
        """
        names = list(dict.fromkeys(files))
        path = self._path(root)
        kept = self._load(path)
        current = _current_digests(root, names, kept)
        current |= self._read(name, root, [file for file in names if file not in current], kept)
        return {file: current[file] for file in names}

    def find_silent_changes(self, name: str, root: Path, files: Iterable[str]) -> list[str]:
        """Read all files again; return those that changed although size, times and inode did not.

        The digests that are kept are renewed.

        Args and errors are those of `digest_files`.
        """
        names = list(dict.fromkeys(files))
        kept = self._load(self._path(root))
        expected = _current_digests(root, names, kept)
        found = self._read(name, root, names, kept)
        return [file for file in names if expected.get(file, found[file]) != found[file]]

    def _path(self, root: Path) -> Path | None:
        """Return the file with the digests of a folder's images."""
        if self.folder is None:
            return None
        place = hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:16]
        return self.folder / f"digests-{place}.txt"

    def _load(self, path: Path | None) -> KeptDigests:
        """Return the digests that are kept; none if they cannot be used."""
        if path is None:
            return {}
        try:
            content = read_file(path, MAX_BYTES)
            return {} if content is None else _decode(content, path)
        except FileError as error:
            self.reporter.info(f"{path} cannot be used ({error.reason}): all images are read.")
            return {}

    def _read(
        self, name: str, root: Path, files: Sequence[str], kept: KeptDigests
    ) -> dict[str, str]:
        """Return the digests of files that are read now, and keep them.

        Raises:
            SetupError: Some files cannot be read; the message lists the first.
        """
        # A second change within the same tick of the clock would not show in a file's times.
        latest = time.time_ns() - RECENT_NS
        problems: list[str] = []
        read: KeptDigests = {}
        is_long = len(files) >= MIN_PROGRESS
        shown = self.reporter if is_long else Reporter(quiet=True)
        with shown.task(f"reading {name}") as progress, ThreadPoolExecutor(self.workers) as pool:
            results = pool.map(lambda file: _digest_file(root / file), files)
            for number, (file, result) in enumerate(zip(files, results, strict=True), 1):
                if isinstance(result, str):
                    problems.append(f"{root / file} cannot be read ({result})")
                else:
                    read[file] = result
                if number % 100 == 0 or number == len(files):
                    progress(number, len(files))
        if problems:
            more = len(problems) - MAX_LISTED_FILES
            rest = f"; and {more:,} more files" if more > 0 else ""
            raise SetupError(
                f"{name}: {'; '.join(problems[:MAX_LISTED_FILES])}{rest}. Restore them from the "
                "dataset's archive, then run the same command again."
            )
        self._keep(
            root, kept, {f: one for f, one in read.items() if _is_settled(f, one[1], latest)}
        )
        return {file: digest for file, (digest, _) in read.items()}

    def _keep(self, root: Path, kept: KeptDigests, new: KeptDigests) -> None:
        """Add digests to those that are kept, where that is possible."""
        path = self._path(root)
        if path is not None and any(kept.get(file) != one for file, one in new.items()):
            with suppress(OSError):  # a later command reads the files again
                atomic_write(path, _encode(kept | new))


def _digest_file(path: Path) -> tuple[str, FileStamp] | str:
    """Return digest and stamp of a file, or why it cannot be read."""
    try:
        content, stamp = read_image_file(path)
    except UnreadableError as error:
        return str(error)
    return hashlib.sha256(content).hexdigest(), stamp


def _current_digests(
    root: Path, files: Sequence[str], kept: Mapping[str, tuple[str, FileStamp]]
) -> dict[str, str]:
    """Return the kept digests of the files whose size, times and inode are as they were."""
    current = {}
    for file in files:
        if (entry := kept.get(file)) is None:
            continue
        with suppress(OSError):
            if stamp_of((root / file).stat()) == entry[1]:
                current[file] = entry[0]
    return current


def _is_settled(file: str, stamp: FileStamp, latest: int) -> bool:
    """Return whether a digest may be kept: any later change shows in the file's stamp."""
    return max(stamp.mtime_ns, stamp.ctime_ns) < latest and "\n" not in file


def _encode(digests: KeptDigests) -> bytes:
    """Return the content of a file of digests: a heading with its own digest, a line for each."""
    lines = [
        f"{digest} {stamp.size} {stamp.mtime_ns} {stamp.ctime_ns} {stamp.inode} {file}\n"
        for file, (digest, stamp) in sorted(digests.items())
    ]
    body = "".join(lines).encode(errors="surrogateescape")
    return b"%s %s\n%s" % (FORMAT, hashlib.sha256(body).hexdigest().encode(), body)


def _decode(content: bytes, path: Path) -> KeptDigests:
    """Return the digests in a file.

    Raises:
        DamagedFileError: It is not as it was written.
    """
    heading, _, body = content.partition(b"\n")
    if heading != b"%s %s" % (FORMAT, hashlib.sha256(body).hexdigest().encode()):
        raise damaged_file(path, "its digest is not that of its content")
    digests: KeptDigests = {}
    for line in body.decode(errors="surrogateescape").split("\n")[:-1]:
        digest, size, mtime, ctime, inode, file = line.split(" ", 5)
        digests[file] = digest, FileStamp(int(size), int(mtime), int(ctime), int(inode))
    return digests

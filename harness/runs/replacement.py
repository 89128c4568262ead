"""Train a finished run again beside its result, and replace the result when the new one is done.

The new training has a folder of its own in the run's, with the same files, the record last. When
that record is there, the former result is set aside and the new one takes its place. A kill in
between leaves every file in one of three folders, and whoever holds the run's lease next goes on.
As a record means that a run is done, the old one goes first and the new one comes last: at no time
does a record describe the files of another result.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping
from pathlib import Path

from harness.core.errors import FileError
from harness.core.file_errors import unwritable_file
from harness.core.files import read_json, write_json
from harness.runs.layout import (
    AGAIN,
    CONSISTENCY,
    CURVE,
    EMBEDDINGS,
    MODEL,
    PER_QUERY,
    PREPARED,
    RECORD,
    REPLACED,
)

ORIGIN = "origin.json"  # in `again`: what made the checkpoint
RESULTS = (MODEL, PER_QUERY, CURVE)  # besides the record
DERIVED = (EMBEDDINGS, CONSISTENCY, PREPARED)  # computed from the former result on request


def output_folder(runs: Path, key: str, again: Collection[str]) -> Path:
    """Return the folder that a run's training writes to.

    Args:
        runs: The runs folder.
        key: The run's key.
        again: Keys of finished runs that are trained again.
    """
    return runs / key / AGAIN if key in again else runs / key


def begin_replacement(folder: Path, origin: Mapping[str, str]) -> None:
    """Prepare the folder in which a finished run is trained again.

    What another origin began is removed: a checkpoint goes on only with what made it.

    Args:
        folder: The run's folder, whose lease this process holds.
        origin: What makes the new result, as `present_origin` returns it.

    Raises:
        UnwritableFileError: The folder cannot be written.
    """
    path = folder / AGAIN / ORIGIN
    try:
        begun = read_json(path)
    except FileError:
        begun = None
    if begun == dict(origin):
        return
    try:
        if (folder / AGAIN).exists():
            shutil.rmtree(folder / AGAIN)
    except OSError as error:
        raise unwritable_file(folder / AGAIN, error) from None
    write_json(path, dict(origin))


def has_replacement(folder: Path) -> bool:
    """Return whether a new result is complete and waits to take the place of the former one."""
    return (folder / AGAIN / RECORD).exists()


def complete_replacement(folder: Path) -> None:
    """Set the former result aside and put the new one in its place; goes on after a kill.

    Nothing is done until a new result is complete.

    Args:
        folder: The run's folder, whose lease this process holds.

    Raises:
        UnwritableFileError: A file cannot be moved; the next call goes on.
    """
    new = folder / AGAIN
    if not has_replacement(folder):
        return
    try:
        aside = _folder_aside(folder)
        aside.mkdir(parents=True, exist_ok=True)
        _move(folder / RECORD, aside / RECORD)
        for name in DERIVED:
            _move(folder / name, aside / name)
        for name in RESULTS:
            if (new / name).exists():  # else it is in its place already
                _move(folder / name, aside / name)
                _move(new / name, folder / name)
        _move(new / RECORD, folder / RECORD)
        shutil.rmtree(new)
    except OSError as error:
        raise unwritable_file(folder, error) from None


def _folder_aside(folder: Path) -> Path:
    """Return a new folder for the former result; that of an unfinished replacement, if any.

    A record in the run's folder is the former one, which has not been moved yet.
    """
    numbers = [int(path.name) for path in (folder / REPLACED).glob("[0-9]*")]
    last = max(numbers, default=0)
    is_new = (folder / RECORD).exists() and (folder / REPLACED / str(last) / RECORD).exists()
    return folder / REPLACED / str(last + 1 if is_new or not last else last)


def _move(source: Path, target: Path) -> None:
    """Move a file or folder, if it is there and has not been moved before."""
    if source.exists() and not target.exists():
        source.rename(target)

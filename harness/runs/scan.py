"""Which file speaks for each run below a runs folder, whatever else lies there.

Runs may go on meanwhile, folders may have been copied, linked or damaged: what cannot be used is
named and left out. Nothing is waited for and nothing is read twice.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.runs.layout import FAILURE, RECORD, RUN_DEPTH, holds_runs

DEEPEST = 9  # folders below which nobody looks for misplaced runs
LARGEST = 64_000_000  # bytes; a record of a thousand epochs has a hundredth of that


def scan_runs(runs: Path, problems: list[str]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The record or failure of every run, with its content; all else is added to `problems`."""
    for folder in _folders(runs, problems):
        try:
            found = read_record_or_failure(folder)
        except (OSError, ValueError, RecursionError) as error:
            path = folder / (RECORD if os.path.lexists(folder / RECORD) else FAILURE)
            problems.append(f"{path}: ignored, {describe_error(error)}.")
            continue
        if found is not None:
            yield found


def read_record_or_failure(folder: Path) -> tuple[Path, dict[str, Any]] | None:
    """A run's record, else its failure, with its content; None if it has neither.

    A run that ends now writes its record and then removes an old failure: so look twice.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not a file that holds one JSON object.
        RecursionError: it is nested too deeply.
    """
    for name in (RECORD, FAILURE, RECORD):
        try:
            return folder / name, load_json_object(folder / name)
        except FileNotFoundError:
            if (folder / name).is_symlink():
                raise ValueError("it is a link to nothing") from None
    return None


def load_json_object(path: Path) -> dict[str, Any]:
    """The JSON object in a file; a record's is without its curve.

    Raises:
        OSError: it cannot be read.
        ValueError: it is not a plain file, not JSON, no object, or too large for a record.
        RecursionError: it is nested too deeply.
    """
    _require_record(path.stat())
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # if it became a pipe: do not wait
    with os.fdopen(handle, "rb") as file:
        _require_record(os.fstat(handle))
        content = file.read()
    try:
        value = _parsed(content.decode())
    except ValueError as error:
        raise ValueError(f"it is no JSON, or only a part of it ({error})") from error
    if not isinstance(value, dict):
        raise ValueError("it is not a JSON object")
    if b"\\ud" in content.lower():  # half a character, which no file could be written with
        json.dumps(value, ensure_ascii=False).encode()
    return value


def describe_error(error: Exception) -> str:
    """What to say of a file that cannot be used."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, OSError) and error.strerror:
        return f"it cannot be read ({error.strerror})"
    if isinstance(error, KeyError):
        return f"it has no {error}"
    if isinstance(error, TypeError | AttributeError):
        return f"it is not formed as a record is ({error})"
    return str(error) or "it has no evaluation"


def escape_undecodable(text: str) -> str:
    """Text that every terminal and file takes: names on disk may hold bytes that are no text."""
    return text.encode("utf-8", "backslashreplace").decode()


def _parsed(text: str) -> Any:
    """JSON text as a value, without the curve that is most of a long training's record.

    In a record as the harness lays it out, keys stand behind a line break and one space, and no
    text within holds a line break; whatever is laid out otherwise is parsed in full.
    """
    start = text.find('\n "curve": {\n')
    end = text.find("\n },\n", start)
    if start >= 0 and end >= 0:
        try:
            return json.loads(text[:start] + text[end + len("\n },") :])
        except ValueError:
            pass  # the damage is told with its place in the whole text
    return json.loads(text)


def _require_record(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise ValueError("it is not a plain file")
    if status.st_size > LARGEST:
        raise ValueError(f"it has {status.st_size:,} bytes, too many for a record")


def _folders(runs: Path, problems: list[str]) -> Iterator[Path]:
    """Every folder that lies where runs lie, in order; misplaced records are named."""
    if not os.path.lexists(runs):
        return
    home = runs.resolve()
    for entry in _entries(runs, problems):
        if not holds_runs(entry.name):
            continue
        if _is_folder(entry):
            yield from _below(entry, 1, home, problems)
        else:
            problems.append(f"{entry.path}: ignored, it belongs to no run.")


def _below(folder: os.DirEntry[str], depth: int, home: Path, problems: list[str]) -> Iterator[Path]:
    """The folder itself if it lies where a run lies, and what is below it."""
    if folder.is_symlink() and (depth > RUN_DEPTH or _inside(folder, home, problems)):
        return
    entries = _entries(folder.path, problems)
    names = {entry.name for entry in entries} & {RECORD, FAILURE}
    if depth == RUN_DEPTH:
        if names:
            yield Path(folder.path)
    else:
        problems += [
            f"{folder.path}/{name}: ignored, a run lies {RUN_DEPTH} folders below the runs folder."
            for name in sorted(names)
        ]
    for entry in entries:
        if depth < DEEPEST and entry.name not in names and _is_folder(entry):
            yield from _below(entry, depth + 1, home, problems)


def _inside(folder: os.DirEntry[str], home: Path, problems: list[str]) -> bool:
    """Whether a link leads to what is gathered anyway; a link to another disk is followed."""
    target = Path(folder.path).resolve()
    if home.is_relative_to(target):
        problems.append(f"{folder.path}: ignored, it is a link back to {target}.")
        return True
    if not target.is_relative_to(home):
        return False
    top = target.relative_to(home).parts[0]
    if not holds_runs(top):
        return False
    problems.append(f"{folder.path}: ignored, it is a link to {target}, which is gathered itself.")
    return True


def _entries(folder: Path | str, problems: list[str]) -> list[os.DirEntry[str]]:
    """What a folder holds, in order; nothing, and a problem, if that cannot be read."""
    try:
        with os.scandir(folder) as found:
            return sorted(found, key=lambda entry: entry.name)
    except FileNotFoundError:  # gone since its parent was read
        return []
    except OSError as error:
        problems.append(f"{folder}: ignored, {describe_error(error)}.")
        return []


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False

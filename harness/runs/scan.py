"""Find the record or failure of every run below a runs folder, whatever else lies there.

Runs may be in progress, and folders may have been copied, linked or damaged. Files that cannot be
used are skipped with a problem for the user. Nothing is waited for and no file is read twice.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.core.files import is_folder
from harness.runs.layout import AGAIN, FAILURE, RECORD, REPLACED, RUN_DEPTH, holds_runs

MAX_DEPTH = 9  # folders below the runs folder in which misplaced records are still reported
MAX_RECORD_BYTES = 64_000_000  # a record of a thousand epochs has a hundredth of that


def scan_runs(
    runs: Path, problems: list[str], refused: list[str] | None = None
) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield the path and content of every run's record, or of its failure if it has no record.

    Args:
        runs: The runs folder.
        problems: Gets a sentence for everything that is skipped.
        refused: Gets the sentences about files and folders that cannot be read, in place of
            `problems`.
    """
    refused = problems if refused is None else refused
    for folder in _find_run_folders(runs, problems, refused):
        try:
            file = read_record_or_failure(folder)
        except (OSError, ValueError, RecursionError) as error:
            path = folder / (RECORD if os.path.lexists(folder / RECORD) else FAILURE)
            sentence = f"{path}: ignored, {describe_error(error)}."
            refused.append(sentence)
            continue
        if file is not None:
            yield file


def read_record_or_failure(folder: Path) -> tuple[Path, dict[str, Any]] | None:
    """Return the path and content of a run's record, else of its failure; None if it has neither.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is not a file that contains one JSON object.
        RecursionError: It is nested too deeply.
    """
    # A run that ends just now writes its record and then removes an old failure: so if neither was
    # there, the record may be by now.
    for name in (RECORD, FAILURE, RECORD):
        try:
            return folder / name, load_json_object(folder / name)
        except FileNotFoundError:
            if (folder / name).is_symlink():
                raise ValueError("it is a link to nothing") from None
    return None


def load_json_object(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file; that of a record without its curve.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is not a plain file, not JSON, not an object, or too large for a record.
        RecursionError: It is nested too deeply.
    """
    _require_record_file(path.stat())
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # do not wait if it became a pipe
    with os.fdopen(handle, "rb") as file:
        _require_record_file(os.fstat(handle))
        content = file.read()
    try:
        value = _parse_without_curve(content.decode())
    except ValueError as error:
        raise ValueError(f"it is not JSON or not complete ({error})") from error
    if not isinstance(value, dict):
        raise ValueError("it is not a JSON object")
    if b"\\ud" in content.lower():  # a lone surrogate, which could not be written to a report
        json.dumps(value, ensure_ascii=False).encode()
    return value


def describe_error(error: Exception) -> str:
    """Return why a file cannot be used, as the end of a sentence about it."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, OSError) and error.strerror:
        return f"it cannot be read ({error.strerror})"
    if isinstance(error, KeyError):
        return f"it has no {error}"
    if isinstance(error, TypeError | AttributeError):
        return f"it does not have the form of a record ({error})"
    return str(error) or "it has no evaluation"


def escape_undecodable(text: str) -> str:
    """Return text that every terminal and file accepts: names on disk may not be valid UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode()


def _parse_without_curve(text: str) -> Any:
    """Parse JSON without the curve, which is most of a long training's record.

    In a record as `write_json` formats it, top-level keys follow a line break and one space, and no
    string contains a line break. JSON in any other format is parsed in full.
    """
    start = text.find('\n "curve": {\n')
    end = text.find("\n },\n", start)
    if start >= 0 and end >= 0:
        try:
            return json.loads(text[:start] + text[end + len("\n },") :])
        except ValueError:
            pass  # parsing the whole text raises an error with the right position
    return json.loads(text)


def _require_record_file(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise ValueError("it is not a plain file")
    if status.st_size > MAX_RECORD_BYTES:
        raise ValueError(f"it has {status.st_size:,} bytes, too many for a record")


def _find_run_folders(runs: Path, problems: list[str], refused: list[str]) -> Iterator[Path]:
    """Yield the folders of runs with a record or failure, in order; report misplaced files."""
    if not os.path.lexists(runs):
        return
    root = runs.resolve()
    for entry in _list_entries(runs, refused):
        if not holds_runs(entry.name):
            continue
        if is_folder(entry):
            yield from _descend(entry, 1, root, problems, refused)
        else:
            problems.append(f"{entry.path}: ignored, it belongs to no run.")


def _descend(
    folder: os.DirEntry[str], depth: int, root: Path, problems: list[str], refused: list[str]
) -> Iterator[Path]:
    """Yield a folder if it is a run's, and the runs' folders below it."""
    if folder.is_symlink() and (depth > RUN_DEPTH or _is_scanned_anyway(folder, root, problems)):
        return
    entries = _list_entries(folder.path, refused)
    names = {entry.name for entry in entries} & {RECORD, FAILURE}
    if depth == RUN_DEPTH:
        if names:
            yield Path(folder.path)
    else:
        problems += [
            f"{folder.path}/{name}: ignored, a run lies {RUN_DEPTH} folders below the runs folder."
            for name in sorted(names)
        ]
    if depth == RUN_DEPTH:
        names |= {AGAIN, REPLACED}  # they hold further results of the same run
    for entry in entries:
        if depth < MAX_DEPTH and entry.name not in names and is_folder(entry):
            yield from _descend(entry, depth + 1, root, problems, refused)


def _is_scanned_anyway(folder: os.DirEntry[str], root: Path, problems: list[str]) -> bool:
    """Return whether a link leads to a scanned folder, so that its runs would count twice.

    Links to other disks and to folders that are not scanned are followed.
    """
    target = Path(folder.path).resolve()
    if root.is_relative_to(target):
        problems.append(f"{folder.path}: ignored, it is a link back to {target}.")
        return True
    if not target.is_relative_to(root):
        return False
    if not holds_runs(target.relative_to(root).parts[0]):
        return False
    problems.append(f"{folder.path}: ignored, it is a link to {target}, which is read itself.")
    return True


def _list_entries(folder: Path | str, refused: list[str]) -> list[os.DirEntry[str]]:
    """Return a folder's entries in order; nothing, and a sentence, if it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except FileNotFoundError:  # removed since its parent was read
        return []
    except OSError as error:
        refused.append(f"{folder}: ignored, {describe_error(error)}.")
        return []

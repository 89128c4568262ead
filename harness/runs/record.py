"""Write and read the files of a run: its folder is the only state, and `record.json` means done.

The names of the files, and when each exists, are in `harness.runs.layout`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from harness.core.errors import DamagedFileError, SetupError
from harness.core.file_errors import damaged_file
from harness.core.files import read_json, write_json
from harness.core.lease import remove_stale_claims
from harness.core.text import printable
from harness.runs.groups import is_time
from harness.runs.layout import (
    CHECKPOINT,
    CURVE,
    FAILURE,
    MODEL,
    PER_QUERY,
    PROGRESS,
    RECORD,
    RUN_DEPTH,
    SPEC,
)
from harness.runs.spec import RunSpec
from harness.runs.states import FailureKind

RECORD_FORMAT = 1
RESULT_TYPES = {"steps": int, "model": str, "evaluations": dict}  # of what other runs need
LEASED_FILES = (RECORD, FAILURE, PROGRESS, CHECKPOINT, MODEL, PER_QUERY, CURVE)


def create_run_folder(runs: Path, spec: RunSpec) -> None:
    """Create a run's folder with its spec, so that `kdreid status` lists the run as planned.

    Raises:
        FileError: There is a spec that is damaged or cannot be read.
    """
    path = runs / spec.key / SPEC
    if read_json(path) is None:
        write_json(path, spec.as_json())


def stored_teachers(path: Path, spec: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the specs of a run's teachers, each with its key, from a spec as read from a file.

    Args:
        path: The file, for the error's message.
        spec: What it contains, or the spec of a teacher in it.

    Raises:
        DamagedFileError: They are not a list of specs.
    """
    teachers = spec.get("teachers", [])
    if not isinstance(teachers, list) or not all(
        isinstance(teacher, dict) and isinstance(teacher.get("key"), str) for teacher in teachers
    ):
        raise damaged_file(path, "its teachers are not a list of runs")
    return teachers


def read_teacher_keys(folder: Path) -> tuple[str, ...]:
    """Return the keys of a run's teachers from its spec; none if it has no spec.

    Raises:
        UnreadableFileError: The spec cannot be read.
        DamagedFileError: It is damaged, or its teachers have another form.
    """
    path = folder / SPEC
    return tuple(teacher["key"] for teacher in stored_teachers(path, read_json(path) or {}))


def remove_temporary_files(folder: Path) -> None:
    """Remove partial files of a killed process; only the holder of the run's lease may do that."""
    for name in LEASED_FILES:
        for path in folder.glob(f".{name}.*.tmp"):
            path.unlink(missing_ok=True)
    remove_stale_claims(folder)


def find_record(folder: Path) -> dict[str, Any] | None:
    """Return the record in a run's folder, with a result of the form that this program writes.

    Returns:
        The record; None if there is none, so that the run is not done.

    Raises:
        UnreadableFileError: The record cannot be read.
        DamagedFileError: It is damaged, of another run, or its result has another form.
    """
    record = read_json(folder / RECORD)
    if record is None:
        return None
    result = record.get("result")
    if not isinstance(result, dict):
        raise damaged_file(folder / RECORD, "it has no result")
    for name, kind in RESULT_TYPES.items():
        if name not in result:
            raise damaged_file(folder / RECORD, f"its result has no {name}")
        if type(result[name]) is not kind:
            raise damaged_file(folder / RECORD, f"its result has no valid {name}")
    if record.get("key") != "/".join(folder.parts[-RUN_DEPTH:]):
        raise damaged_file(folder / RECORD, f"it is of the run {printable(record.get('key'))}")
    return record


def read_record(runs: Path, spec: RunSpec) -> dict[str, Any]:
    """Return the record of a finished run; see `find_record`.

    Raises:
        SetupError: The run has no record, or one that is damaged or cannot be read.
    """
    record = find_record(runs / spec.key)
    if record is None:
        raise SetupError(f"{spec.key} has no {RECORD}; run it first.")
    return record


def write_record(
    runs: Path, spec: RunSpec, content: dict[str, Any], folder: Path | None = None
) -> None:
    """Declare a run done, and remove the files of an unfinished run.

    Args:
        runs: The runs folder.
        spec: The run.
        content: The record's fields in addition to format, key and spec.
        folder: Where the run's new files are, if not in its own folder; see `output_folder`.
    """
    folder = folder or runs / spec.key
    header = {"format": RECORD_FORMAT, "key": spec.key, "spec": spec.as_json()}
    write_json(folder / RECORD, header | content)
    for name in (FAILURE, CHECKPOINT, PROGRESS):
        with suppress(OSError):  # the run is done, whatever else lies in its folder
            (folder / name).unlink()


def write_failure(
    runs: Path, spec: RunSpec, kind: FailureKind, message: str, trace: str = ""
) -> None:
    """Store why a run ended without a record, and count the attempt.

    Args:
        runs: The runs folder.
        spec: The run.
        kind: The kind of failure.
        message: One sentence for the user.
        trace: The traceback, if there is one.
    """
    write_failure_of(runs, spec.key, spec.as_json(), kind, message, trace)


def write_failure_of(
    runs: Path, key: str, spec: dict[str, Any], kind: FailureKind, message: str, trace: str = ""
) -> None:
    """Store a failure as `write_failure`, of a run whose spec may not be that of this code.

    Args:
        runs: The runs folder.
        key: The run's key.
        spec: Its spec as JSON, as far as it can be read.
        kind: The kind of failure.
        message: One sentence for the user.
        trace: The traceback, if there is one.
    """
    path = runs / key / FAILURE
    try:
        attempt = int((read_json(path) or {}).get("attempt", 0)) + 1
    except (DamagedFileError, TypeError, ValueError, OverflowError):
        attempt = 1  # nothing in a damaged one is worth more than the present failure
    content = {"kind": kind, "message": message, "traceback": trace, "attempt": attempt}
    write_json(path, {"key": key, "spec": spec, "time": time.time(), **content})


def failure_kind(failure: Mapping[str, Any]) -> FailureKind:
    """Return the kind of a failure as read from `failure.json`."""
    return FailureKind(failure.get("kind", ""))


def failure_time(failure: Mapping[str, Any]) -> float:
    """Return the Unix time of a failure as read from `failure.json`; 0 if it is damaged."""
    when = failure.get("time")
    return float(when) if when is not None and is_time(when) else 0.0

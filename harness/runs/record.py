"""What a run leaves on disk: the folder is the only state, and `record.json` means done.

spec.json      written when the run is planned      checkpoint.pt   while it trains
progress.json  how far it is                        failure.json    if it failed, and no record
model.pt, per_query.npz, curve.csv, and last of all record.json
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.core.errors import SetupError
from harness.core.files import read_json, write_json
from harness.runs.layout import (
    CHECKPOINT,
    CURVE,
    FAILURE,
    MODEL,
    PER_QUERY,
    PROGRESS,
    RECORD,
    SPEC,
)
from harness.runs.spec import RunSpec
from harness.runs.states import FailureKind

WRITTEN = (RECORD, FAILURE, PROGRESS, CHECKPOINT, MODEL, PER_QUERY, CURVE)  # by who has the lease
RECORD_FORMAT = 1


def create_run_folder(runs: Path, spec: RunSpec) -> None:
    """Make the run's folder, so that `status` knows that the run is wanted."""
    path = runs / spec.key / SPEC
    if not path.exists():
        write_json(path, spec.as_json())


def remove_temporary_files(folder: Path) -> None:
    """Remove what a killed process had only begun to write; for the holder of the run's lease."""
    for name in WRITTEN:
        for path in folder.glob(f".{name}.*.tmp"):
            path.unlink(missing_ok=True)


def read_record(runs: Path, spec: RunSpec) -> dict[str, Any]:
    """The record of a run that is done.

    Raises:
        SetupError: it is not done.
    """
    record = read_json(runs / spec.key / RECORD)
    if record is None:
        raise SetupError(f"{spec.key} has no readable {RECORD}; run it first.")
    return record


def write_record(runs: Path, spec: RunSpec, content: dict[str, Any]) -> None:
    """Declare a run done and remove what only an unfinished run needs."""
    folder = runs / spec.key
    write_json(
        folder / RECORD,
        {"format": RECORD_FORMAT, "key": spec.key, "spec": spec.as_json(), **content},
    )
    for name in (FAILURE, CHECKPOINT, PROGRESS):
        (folder / name).unlink(missing_ok=True)


def write_failure(
    runs: Path, spec: RunSpec, kind: FailureKind, message: str, trace: str = ""
) -> None:
    """Store why a run ended without a record; attempts are counted."""
    path = runs / spec.key / FAILURE
    attempt = int((read_json(path) or {}).get("attempt", 0)) + 1
    content = {"kind": kind, "message": message, "traceback": trace, "attempt": attempt}
    write_json(path, {"key": spec.key, "spec": spec.as_json(), "time": time.time(), **content})


def failure_kind(failure: Mapping[str, Any]) -> FailureKind:
    """Return the kind of a failure as read from `failure.json`."""
    return FailureKind(failure.get("kind", ""))

"""Names of all files and folders below a runs folder, and where runs lie in it.

<dataset>/<method>/<pair>/seed<n>-<digest>/   one run
    spec.json             written when the run is planned
    job.json              its last submission
    checkpoint.pt         while it trains
    progress.json         its step, while it trains
    failure.json          why it failed; removed with the record
    model.pt, per_query.npz, curve.csv, and last of all record.json: the run is done
    prepared/             of a teacher: what methods computed from it
    embeddings.npz, consistency.json   on request
    again/                a finished run that is trained again; its files as above
    replaced/<n>/         a former result, after the new one is done
data/, cache/, code/      generated images, decoded images, copies of the code for jobs
groups/<submission>/      group.json, one file for each job, logs/
report/                   figures/, measured/
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from harness.core.errors import UnreadableFileError
from harness.core.file_errors import unreadable_file
from harness.core.files import file_exists, is_folder

# Files of a run.
SPEC, JOB, RECORD, FAILURE = "spec.json", "job.json", "record.json", "failure.json"
CHECKPOINT, PROGRESS = "checkpoint.pt", "progress.json"
MODEL, PER_QUERY, CURVE = "model.pt", "per_query.npz", "curve.csv"
PREPARED = "prepared"  # a folder
EMBEDDINGS, CONSISTENCY = "embeddings.npz", "consistency.json"
AGAIN, REPLACED = "again", "replaced"  # folders of a run that is trained again

# Folders below the runs folder that hold no runs, and what lies in them.
DATA_FOLDER, CACHE_FOLDER, CODE, GROUPS, REPORT = "data", "cache", "code", "groups", "report"
NOT_RUNS = (DATA_FOLDER, CACHE_FOLDER, CODE, GROUPS, REPORT)
GROUP, LOGS = "group.json", "logs"  # of a submission
FIGURES = "figures"  # of the report
TRAINING_COST, EXTRACTION_TIME = "measured/cost.json", "measured/extraction.json"  # of the report

RUN_DEPTH = 4  # folders from the runs folder down to a run


def holds_runs(name: str) -> bool:
    """Return whether a folder of this name, directly below the runs folder, may contain runs."""
    return name not in NOT_RUNS and not name.startswith(".")


def iter_run_folders(runs: Path, problems: list[str] | None = None) -> Iterator[Path]:
    """Yield the folder of every planned run below `runs`, in the order of their keys.

    A run whose folder cannot be read is among them: that its spec is not seen proves nothing.

    Args:
        runs: The runs folder; if it does not exist, it contains no runs.
        problems: Gets a sentence for each folder whose runs cannot be listed.

    Raises:
        UnreadableFileError: The runs folder, or without `problems` any folder, cannot be listed.
    """
    if file_exists(runs):
        for name in _list_folders(runs, None):
            if holds_runs(name):
                yield from _descend(runs / name, 1, problems)


def _descend(folder: Path, depth: int, problems: list[str] | None) -> Iterator[Path]:
    """Yield the runs' folders below a folder, or the folder if it is a run's."""
    if depth < RUN_DEPTH:
        for name in _list_folders(folder, problems):
            yield from _descend(folder / name, depth + 1, problems)
        return
    try:
        # A link to nothing: its disk is not mounted, and the run is not absent for that.
        is_run = file_exists(folder / SPEC) or (folder / SPEC).is_symlink()
    except UnreadableFileError:
        is_run = True
    if is_run:
        yield folder


def _list_folders(folder: Path, problems: list[str] | None) -> list[str]:
    """Return the names of the folders in a folder, in order."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if is_folder(entry))
    except FileNotFoundError:  # removed since its parent was listed
        return []
    except OSError as error:
        if problems is None:
            raise unreadable_file(folder, error) from error
        problems.append(str(unreadable_file(folder, error)))
        return []

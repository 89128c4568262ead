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

from collections.abc import Iterator
from pathlib import Path

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


def iter_run_folders(runs: Path) -> Iterator[Path]:
    """Yield the folder of every planned run below `runs`, in the order of their keys."""
    pattern = "/".join(["*"] * RUN_DEPTH + [SPEC])
    folders = sorted(path.parent for path in runs.glob(pattern))
    yield from (folder for folder in folders if holds_runs(folder.relative_to(runs).parts[0]))

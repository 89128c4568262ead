"""Finished runs whose key contains the fingerprint of versions up to 0.2.0.

That fingerprint covered the content of a sample of the images only. Such runs are read and reported
as before; `kdreid run` plans them again, under keys that contain the fingerprint of all images.
"""

from __future__ import annotations

from pathlib import Path

from harness.core.errors import FileError
from harness.core.files import read_json
from harness.data.dataset import Dataset
from harness.runs.layout import RECORD, SPEC, iter_run_folders


def describe_former_runs(dataset: Dataset, runs: Path) -> str:
    """Return a sentence about the finished runs on a dataset by its former fingerprint, or none.

    Args:
        dataset: The dataset.
        runs: The runs folder.

    Raises:
        SetupError: A file of the dataset cannot be read.
    """
    count = 0
    for folder in iter_run_folders(runs, []):
        if folder.relative_to(runs).parts[0] != dataset.name:
            continue
        try:
            spec = read_json(folder / SPEC) or {}
        except FileError:  # named by whoever needs the run
            continue
        if spec.get("fingerprint") == dataset.sample_fingerprint and (folder / RECORD).is_file():
            count += 1
    if not count:
        return ""
    runs_were = "1 finished run was" if count == 1 else f"{count} finished runs were"
    return (
        f"{dataset.name}: {runs_were} made with the fingerprint of version 0.2.0 "
        f"({dataset.sample_fingerprint}), which covers only a sample of the images. Reports show "
        "such runs as before; this plan has new keys"
    )

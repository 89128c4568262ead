"""Paths of runs below a runs folder."""

import pytest

from harness.core.files import write_json
from harness.runs import layout
from harness.runs.layout import NOT_RUNS, RECORD, SPEC, holds_runs, iter_run_folders
from harness.runs.scan import scan_runs
from tests.support import run_folders


def test_every_planned_run_is_found_in_the_order_of_its_key(tmp_path):
    keys = [run_folders.done(tmp_path, 2), run_folders.waiting(tmp_path, 1)]
    found = [folder.relative_to(tmp_path).as_posix() for folder in iter_run_folders(tmp_path)]
    assert found == sorted(keys)


@pytest.mark.parametrize("folder", [*NOT_RUNS, ".hidden"])
def test_folders_of_other_things_hold_no_runs(tmp_path, folder):
    """A copy of a runs folder in `data` was once listed by status and skipped by the report."""
    assert not holds_runs(folder)
    for name in (SPEC, RECORD):
        write_json(tmp_path / folder / "none" / "cnn5" / "seed0-00000000" / name, {"spec": {}})
    assert list(iter_run_folders(tmp_path)) == []
    assert list(scan_runs(tmp_path, [])) == []


@pytest.mark.parametrize("parts", [("a",), ("a", "b", "c"), ("a", "b", "c", "d", "e")])
def test_runs_lie_at_one_depth(tmp_path, parts):
    write_json(tmp_path.joinpath(*parts, SPEC), {})
    assert list(iter_run_folders(tmp_path)) == []


def test_names_are_those_that_earlier_versions_wrote():
    names = {name: value for name, value in vars(layout).items() if name.isupper()}
    assert names == {
        "SPEC": "spec.json",
        "JOB": "job.json",
        "RECORD": "record.json",
        "FAILURE": "failure.json",
        "CHECKPOINT": "checkpoint.pt",
        "PROGRESS": "progress.json",
        "MODEL": "model.pt",
        "PER_QUERY": "per_query.npz",
        "CURVE": "curve.csv",
        "PREPARED": "prepared",
        "EMBEDDINGS": "embeddings.npz",
        "CONSISTENCY": "consistency.json",
        "DATA_FOLDER": "data",
        "CACHE_FOLDER": "cache",
        "CODE": "code",
        "GROUPS": "groups",
        "REPORT": "report",
        "NOT_RUNS": ("data", "cache", "code", "groups", "report"),
        "GROUP": "group.json",
        "LOGS": "logs",
        "FIGURES": "figures",
        "TRAINING_COST": "measured/cost.json",
        "EXTRACTION_TIME": "measured/extraction.json",
        "RUN_DEPTH": 4,
    }

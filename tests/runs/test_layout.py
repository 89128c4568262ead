"""Paths of runs below a runs folder."""

import pytest

from harness.core.errors import UnreadableFileError
from harness.core.files import write_json
from harness.execution.cluster.status import read_status
from harness.runs import layout
from harness.runs.layout import NOT_RUNS, RECORD, SPEC, holds_runs, iter_run_folders
from harness.runs.scan import scan_runs
from tests.support import run_folders
from tests.support.unprivileged import as_nobody


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
        "AGAIN": "again",
        "REPLACED": "replaced",
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


def test_runs_that_cannot_be_seen_are_not_absent(public_path):
    closed, other = run_folders.done(public_path, 1), run_folders.done(public_path, 2)
    method = run_folders.done(public_path, 3, method="kd", teachers=(run_folders.TEACHER,))
    (public_path / closed).chmod(0o700)
    (public_path / method).parents[1].chmod(0o700)
    problems = []
    with as_nobody():
        found = [
            str(path.relative_to(public_path)) for path in iter_run_folders(public_path, problems)
        ]
        with pytest.raises(UnreadableFileError, match=f"{public_path}/synthetic/kd belongs to"):
            list(iter_run_folders(public_path))
        report = read_status(public_path)
    assert found == sorted([closed, other])
    (problem,) = problems
    assert f"{public_path}/synthetic/kd cannot be read" in problem
    assert report.unlisted == (problem,)
    assert {row.key: row.state for row in report.rows} == {closed: "unreadable", other: "done"}


def test_a_run_whose_spec_is_a_link_to_nothing_is_listed(tmp_path):
    key = run_folders.done(tmp_path)
    (tmp_path / key / "spec.json").unlink()
    (tmp_path / key / "spec.json").symlink_to("/not/mounted")
    assert list(iter_run_folders(tmp_path)) == [tmp_path / key]
    assert [(row.key, row.state) for row in read_status(tmp_path).rows] == [(key, "done")]


def test_a_private_runs_folder_is_not_an_empty_one(public_path):
    run_folders.done(public_path)
    public_path.chmod(0o700)
    with as_nobody(), pytest.raises(UnreadableFileError, match=f"{public_path} belongs to"):
        list(iter_run_folders(public_path, []))


def test_a_missing_runs_folder_and_links_to_nothing_hold_no_runs(tmp_path):
    assert list(iter_run_folders(tmp_path / "nowhere")) == []
    (tmp_path / "synthetic").symlink_to("/not/mounted")
    (tmp_path / "other").symlink_to("other")
    assert list(iter_run_folders(tmp_path)) == []

"""Files of a run: its spec, its record and its failure."""

import time

import pytest

from harness.core.errors import DamagedFileError, SetupError
from harness.core.files import read_json, write_json
from harness.runs.layout import CHECKPOINT, FAILURE, PROGRESS, RECORD, SPEC
from harness.runs.record import (
    RECORD_FORMAT,
    create_run_folder,
    read_record,
    remove_temporary_files,
    write_failure,
    write_record,
)
from harness.runs.spec import RunSpec
from harness.runs.states import FailureKind
from tests.support import run_folders

RUN = run_folders.spec(0)


def test_a_planned_run_is_a_folder_with_its_spec_which_stays(tmp_path):
    create_run_folder(tmp_path, RUN)
    path = tmp_path / RUN.key / SPEC
    assert RunSpec.from_json(read_json(path)) == RUN
    written = path.stat().st_mtime_ns
    create_run_folder(tmp_path, RUN)
    assert path.stat().st_mtime_ns == written


def test_a_record_has_a_header_and_ends_the_unfinished_run(tmp_path):
    key = run_folders.interrupted(tmp_path)
    run_folders.failed(tmp_path)
    write_record(tmp_path, RUN, {"result": run_folders.RESULT})
    record = read_record(tmp_path, RUN)
    assert (record["format"], record["key"]) == (RECORD_FORMAT, key)
    assert RunSpec.from_json(record["spec"]) == RUN
    assert record["result"] == run_folders.RESULT
    names = {path.name for path in (tmp_path / key).iterdir()}
    assert names == {SPEC, RECORD}
    assert not names & {FAILURE, CHECKPOINT, PROGRESS}


def test_a_run_without_a_record_must_be_run_first(tmp_path):
    create_run_folder(tmp_path, RUN)
    with pytest.raises(SetupError, match=r"has no record\.json; run it first"):
        read_record(tmp_path, RUN)


@pytest.mark.parametrize("content", ['{"half":', "[]"])
def test_a_damaged_record_is_named(tmp_path, content):
    create_run_folder(tmp_path, RUN)
    (tmp_path / RUN.key / RECORD).write_text(content)
    with pytest.raises(DamagedFileError, match=r"record\.json is damaged"):
        read_record(tmp_path, RUN)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({}, "it has no result"),
        ({"result": None}, "it has no result"),
        ({"result": []}, "it has no result"),
        ({"result": {"steps": 1, "evaluations": {}}}, "its result has no model"),
        ({"result": run_folders.RESULT | {"model": 5}}, "its result has no valid model"),
        ({"result": run_folders.RESULT | {"evaluations": []}}, "its result has no valid eval"),
        ({"result": run_folders.RESULT | {"steps": True}}, "its result has no valid steps"),
    ],
)
def test_a_record_of_another_form_is_damaged(tmp_path, content, reason):
    write_json(tmp_path / RUN.key / RECORD, content)
    with pytest.raises(DamagedFileError, match=rf"record\.json is damaged \({reason}"):
        read_record(tmp_path, RUN)


def test_failures_count_the_attempts(tmp_path):
    create_run_folder(tmp_path, RUN)
    for attempt in (1, 2):
        write_failure(tmp_path, RUN, FailureKind.MEMORY, f"message {attempt}", "trace")
        failure = read_json(tmp_path / RUN.key / FAILURE)
        assert failure["attempt"] == attempt
    assert (failure["kind"], failure["message"]) == ("memory", "message 2")
    assert failure["traceback"] == "trace" and failure["key"] == RUN.key
    assert time.time() - failure["time"] < 60
    assert RunSpec.from_json(failure["spec"]) == RUN


def test_only_temporary_files_of_the_runs_own_files_are_removed(tmp_path):
    create_run_folder(tmp_path, RUN)
    folder = tmp_path / RUN.key
    partial = [folder / ".record.json.0a1b.tmp", folder / ".model.pt.x.tmp"]
    others = [folder / ".job.json.0a1b.tmp", folder / "notes.tmp", folder / SPEC]
    for path in [*partial, *others]:
        path.touch()
    remove_temporary_files(folder)
    assert not any(path.exists() for path in partial)
    assert all(path.exists() for path in others)

"""What a worker leaves when it cannot even start: a failure in each of its runs' folders."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from harness.core.files import read_json, write_json
from harness.core.lease import LEASE, try_acquire
from harness.execution.worker_failures import describe_error, record_failures, runs_of_job
from harness.runs.layout import FAILURE, JOB, SPEC
from harness.runs.states import FailureKind
from tests.support import run_folders, tiny_grid

GROUP = "20260101-000000-abcd"


@pytest.fixture
def job(tmp_path):
    """A submission of two jobs; the first has two runs, one of which is done."""
    runs = tmp_path / "runs"
    done, waiting, other = (
        run_folders.done(runs, 0),
        *(run_folders.waiting(runs, n) for n in (1, 2)),
    )
    run_folders.submitted(runs, [("local-1", [done, waiting]), ("local-2", [other])], group=GROUP)
    path = runs / "groups" / GROUP / "1.json"
    write_json(path, {"runs": [done, waiting], "dataset": "synthetic", "unknown": 1})
    return runs, path, done, waiting


def damage_job_file(runs, path):
    path.write_bytes(b"{")


def damage_group_too(runs, path):
    path.write_bytes(b"\xff")
    (path.parent / "group.json").write_text('{"jobs": [{"number": 1, "runs": 7}, null]}')


def remove_both(runs, path):
    path.unlink()
    (path.parent / "group.json").unlink()


@pytest.mark.parametrize("damage", [None, damage_job_file, damage_group_too, remove_both])
def test_the_runs_of_a_job_are_found_whatever_is_damaged(job, damage):
    runs, path, done, waiting = job
    if damage:
        damage(runs, path)
    assert sorted(runs_of_job(path, runs)) == sorted([done, waiting])


def test_names_outside_the_runs_folder_are_no_runs(job):
    runs, path, *_ = job
    write_json(path, {"runs": ["../../home", 3, None, "a/b/c/d"]})
    for file in runs.glob(f"**/{JOB}"):
        file.write_text("[]")
    (path.parent / "group.json").unlink()
    assert runs_of_job(path, runs) == []
    assert runs_of_job(path, runs / "missing") == []


def worker(runs, path, **environment):
    return subprocess.run(
        [sys.executable, "-m", "harness.execution.worker", str(path), "--runs", str(runs)],
        cwd=tiny_grid.ROOT,
        env=os.environ | {"PYTHONPATH": str(tiny_grid.ROOT)} | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )


@pytest.mark.parametrize("damage", [None, damage_job_file, remove_both])
def test_a_worker_without_a_job_file_leaves_a_failure(job, damage):
    runs, path, done, waiting = job
    if damage:
        damage(runs, path)
    ended = worker(runs, path)
    assert ended.returncode == 3
    assert "Traceback" not in ended.stderr
    failure = read_json(runs / waiting / FAILURE)
    assert failure["kind"] == "setup" and str(path) in failure["message"]
    assert failure["spec"] == read_json(runs / waiting / SPEC)
    assert not (runs / done / FAILURE).exists()
    assert not (runs / waiting / LEASE).exists()


def test_a_damaged_spec_is_a_failure_that_names_it(job):
    runs, path, _, waiting = job
    content = {"runs": [waiting], "dataset": "synthetic", "data_root": str(runs), "weights": {}}
    write_json(path, content | {"device": "cpu", "threads": 1})
    (runs / waiting / SPEC).write_text("{")
    ended = worker(runs, path)
    assert ended.returncode == 3 and "Traceback" not in ended.stderr
    failure = read_json(runs / waiting / FAILURE)
    assert str(runs / waiting / SPEC) in failure["message"]


@pytest.mark.parametrize("package", ["torch", "rich", "numpy"])
def test_a_package_that_cannot_be_imported_is_a_failure(job, package, tmp_path):
    runs, path, _, waiting = job
    content = {"runs": [waiting], "dataset": "synthetic", "data_root": str(runs), "weights": {}}
    write_json(path, content | {"device": "cpu", "threads": 1})
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / f"{package}.py").write_text("raise ImportError('its library is missing')")
    ended = worker(runs, path, PYTHONPATH=f"{broken}{os.pathsep}{tiny_grid.ROOT}")
    assert ended.returncode == 1
    failure = read_json(runs / waiting / FAILURE)
    assert failure["kind"] == "error"
    assert failure["message"] == "ImportError: its library is missing"
    assert f"{package}.py" in failure["traceback"]


def test_runs_that_others_hold_or_have_finished_get_no_failure(job):
    runs, _, done, waiting = job
    with try_acquire(runs / waiting):
        record_failures(runs, [done, waiting], FailureKind.SETUP, "m")
    assert not list(runs.glob(f"**/{FAILURE}"))
    record_failures(runs, [done, waiting], FailureKind.SETUP, "m", "t")
    assert [path.parent for path in runs.glob(f"**/{FAILURE}")] == [runs / waiting]


def test_a_failure_that_cannot_be_written_is_printed(job, capsys):
    runs, _, _, waiting = job
    shutil.rmtree(runs / waiting)
    (runs / waiting).write_text("a file")
    record_failures(runs, [waiting], FailureKind.SETUP, "m")
    assert f"the failure of {waiting} cannot be written" in capsys.readouterr().err


def test_attempts_are_counted_on_after_a_damaged_failure(job):
    runs, _, _, waiting = job
    for content in ("{", '{"attempt": "x"}', '{"attempt": null}', '{"attempt": Infinity}'):
        (runs / waiting / FAILURE).write_text(content)
        record_failures(runs, [waiting], FailureKind.SETUP, "m")
        assert json.loads((runs / waiting / FAILURE).read_text())["attempt"] == 1


def test_any_error_has_a_kind_and_a_sentence():
    assert describe_error(ValueError("bad"))[:2] == (FailureKind.ERROR, "ValueError: bad")
    assert describe_error(MemoryError("x"))[0] is FailureKind.MEMORY
    assert describe_error(OSError(28, "No space left"))[0] is FailureKind.DISK

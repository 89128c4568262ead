"""Runs folders as they really are: runs in progress, copies, links, damage and foreign files."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from threading import Thread

import pytest

from harness.runs.scan import (
    MAX_RECORD_BYTES,
    describe_error,
    escape_undecodable,
    load_json_object,
    read_record_or_failure,
    scan_runs,
)
from results.collect import collect_runs, gather_runs
from tests.support.records import (
    done,
    draw,
    failed,
    record,
    spec,
    teacher_spec,
    write,
    write_scores,
)
from tests.support.unprivileged import as_nobody


def one_and(tmp_path, name="record.json"):
    """A good run and the path of another one's file, which the test spoils."""
    done(tmp_path, spec("sp"), 0.5)
    return write(tmp_path, record(spec(), draw(0.5))) / name


def assert_only_the_good_run(tmp_path, path, reason):
    frame, problems = collect_runs(tmp_path)
    assert frame["method"].tolist() == ["sp"]
    (problem,) = problems
    assert problem.startswith(f"{path}: ignored, ") and reason in problem


def test_a_folder_named_record_json(tmp_path):
    path = one_and(tmp_path)
    path.unlink()
    path.mkdir()
    assert_only_the_good_run(tmp_path, path, "it is not a plain file")


def test_a_pipe_is_not_waited_for(tmp_path):
    path = one_and(tmp_path)
    path.unlink()
    os.mkfifo(path)
    code = (
        "import sys, pathlib; from results.collect import collect_runs, gather_runs;"
        "print(*collect_runs(pathlib.Path(sys.argv[1]))[1])"
    )
    said = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "it is not a plain file" in said.stdout


def test_a_socket(tmp_path, monkeypatch):
    path = one_and(tmp_path)
    path.unlink()
    monkeypatch.chdir(path.parent)  # a socket's path may not be long
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("record.json")
        assert_only_the_good_run(tmp_path, path, "it is not a plain file")


def test_a_huge_file_is_not_read(tmp_path):
    path = one_and(tmp_path)
    os.truncate(path, MAX_RECORD_BYTES + 1)
    assert_only_the_good_run(tmp_path, path, "64,000,001 bytes")


def test_nesting_without_end(tmp_path):
    path = one_and(tmp_path)
    path.write_text("[" * 200_000)
    assert_only_the_good_run(tmp_path, path, "nested too deeply")


def test_half_a_character_could_not_be_printed(tmp_path):
    path = one_and(tmp_path)
    path.write_text(json.dumps(record(spec(), draw(0.5), label="\ud800")))
    assert_only_the_good_run(tmp_path, path, "surrogates not allowed")


@pytest.mark.parametrize("share", [0, 1, 10, 500])
def test_a_record_that_is_half_there(tmp_path, share):
    path = one_and(tmp_path)
    path.write_bytes(path.read_bytes()[:share])
    assert_only_the_good_run(tmp_path, path, "not JSON or not complete")


def test_a_link_to_nothing_and_one_to_itself(tmp_path):
    path = one_and(tmp_path)
    path.unlink()
    path.symlink_to("gone.json")
    assert_only_the_good_run(tmp_path, path, "a link to nothing")
    path.unlink()
    path.symlink_to(path)
    assert_only_the_good_run(tmp_path, path, "Too many levels of symbolic links")


@pytest.mark.parametrize(
    "closed", ["record.json", ".", "..", "../.."], ids=["file", "run", "pair", "method"]
)
def test_what_may_not_be_read_is_named(closed):
    runs = Path(tempfile.mkdtemp())  # pytest's own folder is closed to others
    runs.chmod(0o755)
    path = one_and(runs)
    shut = Path(os.path.normpath(path.parent / closed))
    shut.chmod(0)
    try:
        with as_nobody():
            assert_only_the_good_run(runs, shut, "cannot be read (Permission denied)")
    finally:
        shut.chmod(0o755)
        shutil.rmtree(runs)


def test_a_runs_folder_that_may_not_be_read():
    runs = Path(tempfile.mkdtemp())
    runs.chmod(0)
    try:
        with as_nobody():
            collected = gather_runs(runs)
        assert collected.frame.empty and collected.notes == ()
        assert collected.refused == (f"{runs}: ignored, it cannot be read (Permission denied).",)
    finally:
        runs.rmdir()


def test_a_run_that_is_being_written(tmp_path):
    """Nothing of it is a result yet, and nothing of it is a problem."""
    path = one_and(tmp_path)
    path.rename(path.with_name(".record.json.x1.tmp"))
    (path.parent / "spec.json").write_text("{}")
    (path.parent / "checkpoint.pt").write_bytes(b"")
    frame, problems = collect_runs(tmp_path)
    assert len(frame) == 1 and problems == []


def test_a_failure_that_became_a_record_while_we_looked(tmp_path, monkeypatch):
    """A retry writes its record and then removes the failure, here between our two reads."""
    made = failed(tmp_path, spec())
    folder = tmp_path / made["key"]
    usual = Path.stat

    def stat(path, **options):
        if path.name == "failure.json" and os.path.lexists(path):
            done(tmp_path, made, 0.5)
            path.unlink()
        return usual(path, **options)

    monkeypatch.setattr(Path, "stat", stat)
    path, content = read_record_or_failure(folder)
    assert path.name == "record.json" and content["result"]


def test_gathering_while_runs_fail_and_end(tmp_path):
    """At whatever moment the folder is read, no run is a problem and none that ended is lost."""
    specs = [spec("sp", seed) for seed in range(150)]
    ended = []

    def put(folder, name, content):
        (folder / ".part").write_text(json.dumps(content))
        (folder / ".part").rename(folder / name)

    def work():
        for made in specs:
            folder = tmp_path / made["key"]
            folder.mkdir(parents=True)
            put(folder, "failure.json", {"key": made["key"], "spec": made, "kind": "memory"})
            write_scores(folder, {"test": [draw(0.5)]})
            put(folder, "record.json", record(made, draw(0.5)))
            (folder / "failure.json").unlink()
            ended.append(made["key"])

    thread = Thread(target=work)
    thread.start()
    passes = 0
    while thread.is_alive() or passes == 0:
        before, passes = set(ended), passes + 1
        frame, problems = collect_runs(tmp_path)
        assert problems == []
        assert before <= set(frame["key"][frame["status"] == "done"])
    thread.join()
    assert passes > 1 and len(collect_runs(tmp_path)[0]) == len(specs)


def test_a_folder_copied_aside_counts_once(tmp_path):
    made = done(tmp_path, spec(), 0.5)
    folder = tmp_path / made["key"]
    shutil.copytree(folder, folder.with_name("seed0-copy"))
    shutil.copytree(tmp_path / "synthetic", tmp_path / "synthetic-old")
    shutil.copytree(tmp_path / "synthetic", tmp_path / "backup" / "synthetic")
    frame, problems = collect_runs(tmp_path)
    assert frame["key"].tolist() == [made["key"]]
    assert len([p for p in problems if "a copy; that run is counted from its own folder" in p]) == 3
    assert len([p for p in problems if "4 folders below the runs folder" in p]) == 2
    assert len(problems) == 5


def test_a_copy_whose_key_was_edited_is_named(tmp_path):
    made = done(tmp_path, spec(), 0.5)
    folder = tmp_path / made["key"]
    twin = shutil.copytree(folder, folder.with_name("seed0-copy"))
    content = json.loads((twin / "record.json").read_text())
    content["key"] = f"{made['key'].rpartition('/')[0]}/seed0-copy"
    (twin / "record.json").write_text(json.dumps(content))
    frame, (problem,) = collect_runs(tmp_path)
    assert frame["key"].tolist() == [made["key"]]
    assert "its spec is of the run" in problem


def test_one_run_under_two_keys_is_never_twice_in_a_mean(tmp_path):
    """A field that tables do not know may set keys apart; the finished run is the one to keep."""
    teacher = teacher_spec()
    kept = done(tmp_path, spec("sp", 0, [teacher], later="a"), 0.5)
    done(tmp_path, spec("sp", 1, [teacher], later="a"), 0.6)
    other = failed(tmp_path, spec("sp", 0, [teacher], later="b"))
    frame, (problem,) = collect_runs(tmp_path)
    assert sorted(frame["seed"]) == [0, 1] and set(frame["status"]) == {"done"}
    assert problem.startswith(f"{other['key']}: ignored, {kept['key']} is the same run")


def test_links_inside_are_named_once_and_links_outside_are_followed(tmp_path):
    runs, disk = tmp_path / "runs", tmp_path / "disk"
    made = done(disk, spec("sp"), 0.5)
    here = done(runs, spec("at", dataset="other"), 0.5)
    (runs / "synthetic").symlink_to(disk / "synthetic")
    (runs / "again").symlink_to(runs / "other")
    (runs / "other" / "up").symlink_to(runs)
    frame, problems = collect_runs(runs)
    assert sorted(frame["key"]) == sorted([made["key"], here["key"]])
    assert problems == [
        f"{runs}/again: ignored, it is a link to {runs}/other, which is read itself.",
        f"{runs}/other/up: ignored, it is a link back to {runs}.",
    ]


def test_names_that_are_no_text(tmp_path):
    done(tmp_path, spec(), 0.5)
    folder = tmp_path / "synthetic" / os.fsdecode(b"\xff")
    folder.mkdir()
    (folder / "record.json").write_text("{}")
    frame, (problem,) = collect_runs(tmp_path)
    assert len(frame) == 1
    assert "udcff/record.json" in problem and problem.encode()


def test_load_takes_objects_only(tmp_path):
    path = tmp_path / "x.json"
    path.write_text("3")
    with pytest.raises(ValueError, match="not a JSON object"):
        load_json_object(path)


@pytest.mark.parametrize("indent", [None, 1, 2])
def test_the_curve_is_skipped_only_where_that_changes_nothing_else(tmp_path, indent):
    content = record(spec(), draw(0.5), curve={"file": "c", "thinned": [{"step": 1}, {"step": 2}]})
    content["label"] = '\n "curve": {\n text \n },\n'  # breaks within text are written as \n
    content["result"]["curve"] = {"kept": 1}
    path = tmp_path / "record.json"
    path.write_text(json.dumps(content, indent=indent, sort_keys=True))
    found = load_json_object(path)
    assert ("curve" in found) == (indent != 1)
    assert found == {name: value for name, value in content.items() if name in found}
    assert len(found) >= len(content) - 1
    path.write_text(path.read_text()[:-9])
    with pytest.raises(ValueError, match="not JSON or not complete"):
        load_json_object(path)


def test_the_record_goes_before_the_failure_of_an_earlier_attempt(tmp_path):
    made = failed(tmp_path, spec())
    assert [path.name for path, _ in scan_runs(tmp_path, [])] == ["failure.json"]
    done(tmp_path, made, 0.5)
    ((path, content),) = scan_runs(tmp_path, [])
    assert path == tmp_path / made["key"] / "record.json" and content["key"] == made["key"]


def test_a_runs_folder_that_does_not_exist_has_no_runs(tmp_path):
    problems = []
    assert list(scan_runs(tmp_path / "absent", problems)) == problems == []


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (RecursionError(), "it is nested too deeply"),
        (PermissionError(13, "Permission denied"), "it cannot be read (Permission denied)"),
        (KeyError("mAP"), "it has no 'mAP'"),
        (TypeError("not a list"), "it does not have the form of a record (not a list)"),
        (ValueError("its seed is no number"), "its seed is no number"),
        (ValueError(), "it has no evaluation"),
    ],
)
def test_every_error_has_a_reason(error, reason):
    assert describe_error(error) == reason


def test_undecodable_names_are_escaped():
    name = os.fsdecode(b"seed\xff")
    assert escape_undecodable(name) == "seed\\udcff"
    assert escape_undecodable("Größe") == "Größe"

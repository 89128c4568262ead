"""`kdreid status`, `logs` and `failures`."""

import json

from harness.runs.states import RunState
from tests.support import run_folders
from tests.support.command_line import call, invoke


def test_status(shared_runs):
    done = call("kdreid", "status", "--runs", shared_runs)
    assert "done" in done.stdout
    rows = json.loads(invoke("status", "--runs", shared_runs, "--json").stdout)
    assert {row["state"] for row in rows} >= {"done"}


def test_status_exit_codes(tmp_path, with_teacher):
    assert invoke("status", "--runs", tmp_path / "nowhere").returncode == 3
    assert invoke("status", "--runs", with_teacher).returncode == 0
    (teacher,) = with_teacher.glob("synthetic/none/resnet18/*")
    (teacher / "record.json").unlink()
    assert invoke("status", "--runs", with_teacher).returncode == 4
    (teacher / "failure.json").write_text('{"kind": "diverged", "message": "m", "attempt": 1}')
    failed = invoke("status", "--runs", with_teacher)
    assert failed.returncode == 1
    assert "diverged: m (attempt 1)" in failed.stdout
    assert f"Causes and fixes: kdreid failures --runs {with_teacher}" in failed.stdout


def test_one_state_is_shown_and_all_are_counted(tmp_path):
    keys = [run_folders.done(tmp_path, 1), run_folders.waiting(tmp_path, 2)]
    done = invoke("status", "--state", "waiting", "--runs", tmp_path)
    assert done.returncode == 4
    assert keys[1] in done.stdout and keys[0] not in done.stdout
    assert "2 runs: 1 done, 1 waiting" in done.stdout


def test_a_wrong_state_is_refused_and_help_lists_all(tmp_path):
    run_folders.waiting(tmp_path)
    done = invoke("status", "--state", "don", "--runs", tmp_path)
    assert done.returncode == 2
    assert "No state is called 'don'. Did you mean 'done'?" in done.stderr
    text = invoke("status", "--help").stdout
    assert all(state in text for state in RunState)


def test_failures_exit_with_1_and_name_the_cause(tmp_path):
    key = run_folders.failed(tmp_path, kind="diverged")
    done = invoke("failures", "--runs", tmp_path)
    assert done.returncode == 1 and key in done.stdout and "diverged: 1 run" in done.stdout
    done = invoke("failures", "--only", "diverge", "--runs", tmp_path)
    assert done.returncode == 2 and "Did you mean 'diverged'?" in done.stderr


def test_logs_of_a_run_that_was_never_submitted(tmp_path):
    key = run_folders.waiting(tmp_path)
    done = invoke("logs", "1", "--runs", tmp_path)
    assert done.returncode == 2 and done.stderr.startswith(f"kdreid: {key} was not submitted")


def test_clean_lists_and_with_yes_removes(tmp_path):
    assert invoke("clean", "--runs", tmp_path / "nowhere").returncode == 3
    key = run_folders.done(tmp_path)
    assert "Nothing to remove" in invoke("clean", "--runs", tmp_path).stdout
    (tmp_path / key / "checkpoint.pt").write_bytes(b"x" * 1_500_000)
    listed = invoke("clean", "--runs", tmp_path)
    assert listed.returncode == 0
    assert f"   1.5 MB  {key}/checkpoint.pt  (checkpoint of a finished run)" in listed.stdout
    assert f"Nothing was removed; kdreid clean --yes --runs {tmp_path} removes" in listed.stdout
    (row,) = json.loads(invoke("clean", "--json", "--runs", tmp_path).stdout)
    assert row["path"] == f"{key}/checkpoint.pt" and row["bytes"] == 1_500_000
    assert row["removed"] is False
    removed = invoke("clean", "--yes", "--runs", tmp_path)
    assert "1 of 1 leftovers removed" in removed.stdout
    assert not (tmp_path / key / "checkpoint.pt").exists()
    assert (tmp_path / key / "record.json").exists()


def test_clean_names_what_it_cannot_examine(tmp_path):
    key = run_folders.done(tmp_path)
    (tmp_path / key / "record.json").write_text("{")
    done = invoke("clean", "--runs", tmp_path)
    assert done.returncode == 3
    assert f"{tmp_path / key} was not examined" in done.stderr

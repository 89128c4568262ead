"""`kdreid status`, `logs` and `failures`."""

import json

def test_status_and_list(shared_runs):
    status = call("kdreid", "status", "--runs", shared_runs)
    assert "done" in status.stdout
    rows = json.loads(call("kdreid", "status", "--runs", shared_runs, "--json").stdout)
    assert {row["state"] for row in rows} >= {"done"}
    names = call("kdreid", "list").stdout
    for word in ("pdrd", "msmt17", "resnet101", "bnneck", "demo"):
        assert word in names


def test_status_exit_codes(tmp_path, with_teacher):
    assert call("kdreid", "status", "--runs", tmp_path / "nowhere").returncode == 3
    assert call("kdreid", "status", "--runs", with_teacher).returncode == 0
    (teacher,) = with_teacher.glob("synthetic/none/resnet18/*")
    (teacher / "record.json").unlink()
    assert call("kdreid", "status", "--runs", with_teacher).returncode == 4
    (teacher / "failure.json").write_text('{"kind": "diverged", "message": "m", "attempt": 1}')
    failed = call("kdreid", "status", "--runs", with_teacher)
    assert failed.returncode == 1
    assert "diverged: m (attempt 1)" in failed.stdout



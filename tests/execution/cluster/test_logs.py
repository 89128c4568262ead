"""Logs of runs: all attempts, without the lines of submitit, followed while they grow."""

import threading

import pytest

from harness.core.errors import SetupError, UsageError
from harness.core.lease import try_acquire
from harness.execution.cluster import logs
from harness.execution.cluster.logs import log_tail, show_logs
from harness.runs.layout import GROUPS
from tests.support import run_folders

# What Python and srun add after the worker has written its own error.
TRACEBACK = """submitit ERROR (2026-01-01 00:00:00,000) - Submitted job triggered an exception
Traceback (most recent call last):
  File "<frozen runpy>", line 198, in _run_module_as_main
    self._result = self.function(*self.args, **self.kwargs)
                   ^^^^^^^^^^^^^^^
  File "slurm/worker_job.py", line 53, in __call__
    raise WorkerFailedError(f"The worker ended with {status}; see the end of its log.")
slurm.worker_job.WorkerFailedError: The worker ended with exit code 1; see the end of its log.
srun: error: n1: task 0: Exited with exit code 1
"""
SUBMITIT = "submitit INFO (2026-01-01 00:00:00,000) - Job has triggered an exception\n"


@pytest.fixture
def logged(tmp_path):
    """A run that was submitted twice: as an array's element, then in a pool."""
    key = run_folders.waiting(tmp_path)
    first = run_folders.submitted(tmp_path, [("12_3", [key])], group="20260101-000000-aaaa")
    (first / "logs" / "12_3_0_log.out").write_text("=== attempt 1 ===\n" + SUBMITIT + "step 5\n")
    (first / "logs" / "12_3_0_log.err").write_text("")
    (first / "logs" / "12_30_0_log.out").write_text("of another job\n")
    second = run_folders.submitted(
        tmp_path, [("local-7", [key])], group="20260102-000000-bbbb", kind="local"
    )
    (second / "logs" / "local-7_0_log.err").write_text("the end\n")
    return tmp_path, key


def test_all_attempts_oldest_first(logged):
    runs, _ = logged
    lines = []
    show_logs(["1"], runs, lines.append, follow=False, raw=False)
    text = "\n".join(lines)
    assert text.index("attempt 1") < text.index("step 5") < text.index("the end")
    assert "of another job" not in text and "triggered" not in text
    assert "[1 lines of submitit hidden" in text
    assert "20260101-000000-aaaa, job 12_3: 12_3_0_log.out" in text
    lines.clear()
    show_logs(["1"], runs, lines.append, follow=False, raw=True)
    assert SUBMITIT.strip() in lines


def test_the_tail_is_of_the_newest_log_and_else_of_the_failure(logged):
    runs, key = logged
    assert log_tail(runs, key, 3) == ["the end"]
    other = run_folders.failed(runs, 5, trace="a\nb\nc\n")
    assert log_tail(runs, other, 2) == ["b", "c"]


def test_the_workers_own_error_is_last(logged):
    runs, key = logged
    own = 'Traceback (most recent call last):\n  File "x.py", line 1\nZeroDivisionError: a bug\n'
    path = runs / GROUPS / "20260102-000000-bbbb" / "logs" / "local-7_0_log.err"
    path.write_text(own + TRACEBACK)
    assert log_tail(runs, key, 9) == own.splitlines()
    path.write_text(TRACEBACK.replace("exit code 1; see", "signal 9; see"))
    assert log_tail(runs, key, 9) == ["The worker ended with signal 9; see the end of its log."]


def test_following_ends_with_the_run(logged, monkeypatch):
    runs, key = logged
    monkeypatch.setattr(logs, "STATE_POLL_SECONDS", 0.2)
    monkeypatch.setattr(logs, "FILE_POLL_SECONDS", 0.05)
    path = runs / GROUPS / "20260102-000000-bbbb" / "logs" / "local-7_0_log.err"
    lines = []
    with try_acquire(runs / key):
        reader = threading.Thread(
            target=show_logs,
            args=([key], runs, lines.append),
            kwargs={"follow": True, "raw": False},
        )
        reader.start()
        with path.open("a") as file:
            file.write("one more step\nhalf a li")
            file.flush()
            while "one more step" not in lines:
                assert reader.is_alive()
            file.write("ne\n")
    reader.join(10)
    assert not reader.is_alive()
    assert lines[-2:] == ["half a line", "==> waiting: its pool has ended"]


def test_a_run_without_a_log_is_explained(tmp_path):
    run_folders.failed(tmp_path)
    with pytest.raises(UsageError, match="was not submitted.*failure.json contains its error"):
        show_logs(["1"], tmp_path, print, follow=False, raw=False)
    with pytest.raises(UsageError, match="Name the runs"):
        show_logs([], tmp_path, print, follow=False, raw=False)
    run_folders.submitted(tmp_path, [("17", [run_folders.spec(0).key])])
    with pytest.raises(UsageError, match="has not started"):
        show_logs(["1"], tmp_path, print, follow=False, raw=False)


def test_a_damaged_submission_is_named(logged):
    runs, key = logged
    lines, first = [], runs / GROUPS / "20260101-000000-aaaa" / "group.json"
    first.write_text("{")
    show_logs(["1"], runs, lines.append, follow=False, raw=False)
    assert "the end" in lines and f"[{first} is damaged" in lines[-1]
    (runs / GROUPS / "20260102-000000-bbbb" / "group.json").unlink()
    with pytest.raises(SetupError, match=rf"logs of {key} are not found: {first} is damaged"):
        show_logs(["1"], runs, lines.append, follow=False, raw=False)

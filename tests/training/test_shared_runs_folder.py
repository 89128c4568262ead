"""Several processes on one runs folder: a run is trained once, also when its holder is killed."""

import json
import signal
import time

from harness.runs.folder_state import local_state
from tests.support import tiny_grid

# The main command, which logs every run that it starts to train (a resumed one too).
LOGGING = """
import os, sys
from harness import run
from harness.training.state import TrainingRun
original = TrainingRun.restore
def restore(self, report):
    original(self, report)
    with open(os.environ["START_LOG"], "a") as file:
        file.write(f"{self.spec.key} {self.step}\\n")
TrainingRun.restore = restore
sys.argv[0] = "run"
run.main()
"""


def starts(log, key):
    return [line for line in log.read_text().splitlines() if line.startswith(f"{key} ")]


def test_two_processes_that_need_one_teacher_train_it_once(tmp_path, monkeypatch):
    runs, log = tmp_path / "runs", tmp_path / "log"
    monkeypatch.setenv("START_LOG", str(log))
    processes = [tiny_grid.start(runs, method, code=LOGGING) for method in ("sp", "pdrd")]
    for process in processes:
        _, errors = process.communicate(timeout=200)
        assert process.returncode == 0, errors
    for method in ("sp", "pdrd"):
        plan = tiny_grid.grid(runs, method)
        assert all(local_state(runs / spec.key) == "done" for spec in plan.specs)
        assert all(len(starts(log, spec.key)) == 1 for spec in plan.specs)


def test_a_killed_holders_teacher_is_taken_over_and_resumed(tmp_path, monkeypatch):
    runs, log = tmp_path / "runs", tmp_path / "log"
    monkeypatch.setenv("START_LOG", str(log))
    first = tiny_grid.start(runs, "sp", arguments=("--checkpoint-every", "0"), code=LOGGING)
    while not list(runs.glob("synthetic/none/resnet18/*/checkpoint.pt")):
        assert first.poll() is None
        time.sleep(0.02)
    second = tiny_grid.start(runs, "pdrd", code=LOGGING)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    _, errors = second.communicate(timeout=200)
    assert second.returncode == 0, errors
    teacher = tiny_grid.grid(runs, "pdrd").cohorts[0][0]
    attempts = starts(log, teacher.key)
    assert len(attempts) == 2
    assert int(attempts[1].split()[1]) >= 1  # it continued from the dead process's checkpoint
    record = json.loads((runs / teacher.key / "record.json").read_text())
    assert record["result"]["steps"] == 8

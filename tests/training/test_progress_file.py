"""Progress of a cohort on disk, as `kdreid status` reads it."""

import time

from harness.core.files import read_json
from harness.runs.layout import PROGRESS
from harness.training import progress_file
from harness.training.progress_file import ProgressWriter
from tests.support.training_runs import training_run


def content(run):
    return read_json(run.folder / PROGRESS)


def test_every_run_gets_its_step_and_the_speed_of_this_attempt(tmp_path):
    runs = [training_run(tmp_path, seed=seed) for seed in (0, 1)]
    runs[1].step = 3  # resumed
    before, reports = time.time(), []
    writer = ProgressWriter(runs, lambda *report: reports.append(report))
    runs[0].step, runs[1].step = 4, 4
    writer(4, 10, "loss 1.00")
    assert reports == [(4, 10, "loss 1.00")]
    for run, first in zip(runs, (0, 3), strict=True):
        assert {k: content(run)[k] for k in ("step", "steps", "from_step")} == {
            "step": 4,
            "steps": 10,
            "from_step": first,
        }
        assert before <= content(run)["since"] <= content(run)["time"] <= time.time()


def test_it_is_written_now_and_then_and_at_the_end(tmp_path, monkeypatch):
    run = training_run(tmp_path)
    clock = [1000.0]
    monkeypatch.setattr(progress_file.time, "time", lambda: clock[0])
    writer = ProgressWriter([run], lambda *_: None)
    written = []
    for done, now in ((1, 1000.0), (2, 1004.9), (3, 1005.1), (4, 1005.2), (5, 1005.3)):
        run.step, clock[0] = done, now
        writer(done, 5)
        written.append(content(run)["step"])
    assert written == [1, 1, 3, 3, 5]


def test_the_progress_of_a_stopped_run_stays(tmp_path):
    runs = [training_run(tmp_path, seed=seed) for seed in (0, 1)]
    writer = ProgressWriter(runs, lambda *_: None)
    writer(5, 5)
    writer.stop(runs[0].spec.key)
    assert writer.is_stopped(runs[0].spec.key) and not writer.is_stopped(runs[1].spec.key)
    runs[0].step = runs[1].step = 5
    writer(5, 5)
    assert (content(runs[0])["step"], content(runs[1])["step"]) == (0, 5)

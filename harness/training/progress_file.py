"""How far a run is and how long it still takes, as one file that a look at the folder reads."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.core.files import write_json
from harness.runs.layout import PROGRESS

if TYPE_CHECKING:  # looking at a folder must not wait for torch
    from harness.core.progress import ProgressCallback
    from harness.training.state import TrainingRun

SHOWN_EVERY = 5.0  # seconds between two updates of a run's progress file


class ProgressWriter:
    """Passes a cohort's progress on, and writes it beside each run now and then.

    `step` of `steps` was reached at `time`; this process began at `from_step` at `since`, so that
    the pace is that of the present attempt. Times are Unix times.
    """

    def __init__(self, training_runs: Sequence[TrainingRun], progress: ProgressCallback) -> None:
        self._trainees, self._progress = training_runs, progress
        self._since = time.time()
        self._first = {training_run.spec.key: training_run.step for training_run in training_runs}
        self._written = 0.0
        self._gone: set[str] = set()

    def stop(self, key: str) -> None:
        """From now on a run's progress file stays as it is: it has failed."""
        self._gone.add(key)

    def is_stopped(self, key: str) -> bool:
        """Whether a run has left."""
        return key in self._gone

    def __call__(self, done: int, total: int, note: str) -> None:
        self._progress(done, total, note)
        now = time.time()
        if done < total and now - self._written <= SHOWN_EVERY:
            return
        self._written = now
        for training_run in (one for one in self._trainees if not self.is_stopped(one.spec.key)):
            content = {
                "step": training_run.step,
                "steps": total,
                "time": now,
                "since": self._since,
                "from_step": self._first.get(training_run.spec.key, 0),
            }
            write_json(training_run.folder / PROGRESS, content)

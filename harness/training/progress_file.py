"""Write how far each run of a cohort is, for `kdreid status`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress

from harness.core.errors import UnwritableFileError
from harness.core.files import write_json
from harness.core.progress import ProgressCallback
from harness.runs.layout import PROGRESS
from harness.training.state import TrainingRun

WRITE_EVERY_S = 5.0


class ProgressWriter:
    """Progress callback that also writes `progress.json` of every run now and then.

    `step` of `steps` was reached at `time`; this process began at `from_step` at `since`, so that
    the speed is that of the present attempt. Times are Unix times.

    Args:
        training_runs: The runs of the cohort, at their first step.
        progress: Called as well, for a progress bar.
    """

    def __init__(self, training_runs: Sequence[TrainingRun], progress: ProgressCallback) -> None:
        self._training_runs, self._progress = training_runs, progress
        self._since = time.time()
        self._first_steps = {run.spec.key: run.step for run in training_runs}
        self._last_write = 0.0
        self._stopped: set[str] = set()

    def stop(self, key: str) -> None:
        """Leave the progress of a run as it is from now on, because the run has failed."""
        self._stopped.add(key)

    def is_stopped(self, key: str) -> bool:
        """Return whether `stop` was called for a run."""
        return key in self._stopped

    def __call__(self, done: int, total: int, note: str = "") -> None:
        """Report the cohort's step, and write it if it is the last or some seconds have passed."""
        self._progress(done, total, note)
        now = time.time()
        if done < total and now - self._last_write <= WRITE_EVERY_S:
            return
        self._last_write = now
        for run in self._training_runs:
            if self.is_stopped(run.spec.key) or not run.lease.confirm():
                continue
            content = {
                "step": run.step,
                "steps": total,
                "time": now,
                "since": self._since,
                "from_step": self._first_steps[run.spec.key],
            }
            # Nothing depends on it: where a disk is full, the next checkpoint says so.
            with suppress(UnwritableFileError):
                write_json(run.folder / PROGRESS, content)

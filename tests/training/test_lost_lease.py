"""A run that another process takes over while it trains: the loser leaves its folder alone."""

import json
from contextlib import ExitStack
from dataclasses import replace

import pytest

from harness.core.lease import LEASE, try_acquire
from harness.runs.layout import FAILURE
from harness.runs.record import create_run_folder
from harness.runs.states import FailureKind
from harness.training import cohort, loop, recording
from harness.training.cohort import run_cohort
from tests.support import run_folders, tiny_grid

OTHER = {"token": "t", "machine": "elsewhere", "host": "node7", "process": 9, "started": "1"}


@pytest.fixture
def student(with_teacher):
    """A plan with a plain and a distilled student, the folder of the latter, and its snapshots."""
    plan = tiny_grid.grid(with_teacher, "kd")
    for spec in plan.specs:
        create_run_folder(with_teacher, spec)
    return plan, with_teacher / plan.cohorts[-1][-1].key, []


def take_over(folder, snapshots):
    (folder / LEASE).write_text(json.dumps(OTHER))
    snapshots.append(run_folders.everything(folder))


def train(plan):
    specs = plan.cohorts[-1]
    with ExitStack() as stack:
        leases = {s.key: stack.enter_context(try_acquire(plan.runs / s.key)) for s in specs}
        context = replace(plan.context, checkpoint_seconds=0)
        return run_cohort(specs, leases, plan.open_data(specs[-1]), context)


def raise_disk_error():
    raise FileNotFoundError(2, "No such file or directory")  # its temporary file was swept


@pytest.mark.parametrize("moment", ["step", "step with an error", "scoring", "recording"])
def test_the_loser_writes_nothing_afterwards(student, moment, monkeypatch):
    plan, folder, snapshots = student
    plain = plan.cohorts[-1][0]

    def at(module, name, when, *, error=None):
        original = getattr(module, name)

        def wrapper(run, *others, **named):
            if run.spec.key == plan.cohorts[-1][-1].key and when(run) and not snapshots:
                take_over(folder, snapshots)
                if error:
                    error()
            return original(run, *others, **named)

        monkeypatch.setattr(module, name, wrapper)

    if moment.startswith("step"):
        error = raise_disk_error if "error" in moment else None
        at(loop, "_update", lambda run: run.step == 3, error=error)
    elif moment == "scoring":
        at(cohort, "score_and_record", lambda run: True)
    else:
        at(recording, "_record_content", lambda run: True)
    failures = train(plan)
    assert list(failures) == [plan.cohorts[-1][-1].key]
    (failure,) = failures.values()
    assert failure.kind is FailureKind.LOST
    assert len(snapshots) == 1
    assert run_folders.everything(folder) == snapshots[0]
    assert not (folder / FAILURE).exists()
    assert (plan.runs / plain.key / "record.json").exists()  # the rest of the cohort goes on

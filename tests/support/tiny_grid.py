"""Grids that train in seconds: few tiny images, few steps, the real networks."""

import json
from dataclasses import replace
from pathlib import Path

import torch

from harness.core.progress import Reporter
from harness.core.signals import StopRequest
from harness.execution.in_process import InProcessExecutor
from harness.planning.plan import make_plan
from harness.planning.request import RunRequest
from tests.support import forks

ROOT = Path(__file__).parents[2]
STUDY = Path(__file__).with_name("tiny_grid.yaml")


def grid(runs, *methods, **asked):
    """The plan of a small grid below `runs`."""
    asked.setdefault("seeds", "0")
    reporter = Reporter(quiet=True)
    return make_plan(RunRequest(methods=methods, study=str(STUDY), runs=runs, **asked), reporter)


def launch(plan, *, interval=1e9, retry=False, stop=None):
    """Run a small grid in this process."""
    context = replace(plan.context, stop=stop or StopRequest(), checkpoint_seconds=interval)
    return InProcessExecutor(context, plan.open_data, retry).launch(plan.cohorts)


def run(runs, *methods, **asked):
    """Plan a small grid and run it; the plan and its outcome."""
    launching = {k: asked.pop(k) for k in ("interval", "retry", "stop") if k in asked}
    plan = grid(runs, *methods, **asked)
    return plan, launch(plan, **launching)


def result_of(runs, key):
    """Everything of a finished run that must not depend on how it came about."""
    folder = Path(runs) / key
    record = json.loads((folder / "record.json").read_text())
    return {
        "result": record["result"],
        "per_query": (folder / "per_query.npz").read_bytes(),
        "curve": (folder / "curve.csv").read_text(),
        "weights": torch.load(folder / "model.pt", weights_only=True),
    }


def assert_same_bits(left, right):
    """Both results are equal to the last bit."""
    assert left["result"] == right["result"]
    assert left["per_query"] == right["per_query"]
    assert left["curve"] == right["curve"]
    assert left["weights"].keys() == right["weights"].keys()
    for name, value in left["weights"].items():
        assert torch.equal(value, right["weights"][name]), name


def assert_same_run(key, runs, other_runs):
    """The run of this key has the same bits in both folders."""
    assert_same_bits(result_of(runs, key), result_of(other_runs, key))


def start(runs, *methods, arguments=(), code=None):
    """The same grid in a process of its own, by the main command or by Python `code`."""
    command = ["-c", code] if code else ["-m", "harness.run"]
    options = ["--study", str(STUDY), "--methods", ",".join(methods), "--runs", str(runs)]
    return forks.start([*command, *options, *arguments])

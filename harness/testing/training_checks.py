"""Checks of a method in training: on generated images, packed with others, alone, and killed.

The networks are real but small, the images tiny and the steps few. Results are compared bit by bit.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from harness.core.files import read_json
from harness.core.progress import Reporter
from harness.execution.in_process import InProcessExecutor
from harness.planning.plan import Plan, make_plan
from harness.planning.request import RunRequest
from harness.runs.layout import CACHE_FOLDER, DATA_FOLDER, MODEL, PER_QUERY, RECORD
from harness.runs.spec import RunSpec
from harness.testing.checks import CheckResult, run_checks
from methods import EXTRA_METHODS

STUDY, DATASET = "conformance", "synthetic"
COHORT_SIZE = 16
OTHERS = tuple(EXTRA_METHODS)  # in the same cohort as the method
NEVER = 1e9  # seconds between two checkpoints, longer than any training here

# The main command in a process that kills itself after the fifth checkpoint.
KILLED_RUN = """
import os, signal
from harness import run
from harness.training.state import TrainingRun
saves, save = [], TrainingRun.save
def save_and_die(training_run):
    save(training_run)
    saves.append(1)
    if len(saves) == 5:
        os.kill(os.getpid(), signal.SIGKILL)
TrainingRun.save = save_and_die
run.main()
"""


def check_training(name: str, folder: Path) -> Iterator[CheckResult]:
    """Train with a method, make all checks of it and yield their results.

    Args:
        name: Name of the method, as `--methods` takes it.
        folder: An empty folder for the runs.
    """
    packed = folder / "packed"
    checks = {
        "it trains, and is scored": partial(_check_result, name, packed),
        "its parameters are reported and not in the kept student": partial(
            _check_parameters, name, packed
        ),
        "alone it ends with the same bits as in a cohort": partial(_check_alone, name, packed),
        "killed and resumed it ends with the same bits": partial(_check_resumed, name, packed),
    }
    return run_checks(checks)


def _check_result(name: str, runs: Path) -> str:
    plan = _plan(runs, [name, *OTHERS], COHORT_SIZE)
    return _train(plan).get(_student(plan, name).key, "")


def _check_parameters(name: str, runs: Path) -> str:
    folder = runs / _student(_plan(runs, [name], COHORT_SIZE), name).key
    record = read_json(folder / RECORD) or {}
    kept = torch.load(folder / MODEL, weights_only=True)
    foreign = {key for key in kept if not key.startswith(("backbone.", "head."))}
    if foreign:
        return f"{MODEL} holds {sorted(foreign)[0]}"
    return "" if "adapters" in record.get("parameters", {}) else "the record does not report them"


def _check_alone(name: str, packed: Path) -> str:
    runs = _copy_without_students(packed, packed.with_name("alone"))
    _train(_plan(runs, [name], 1))
    return _compare_results(name, packed, runs)


def _check_resumed(name: str, packed: Path) -> str:
    runs = _copy_without_students(packed, packed.with_name("killed"))
    arguments = ["--study", STUDY, "--methods", name, "--runs", str(runs), "--pack", "1"]
    arguments += ["--device", "cpu", "--checkpoint-every", "0", "--quiet"]
    child = subprocess.run(
        # -P: the current folder does not come first, its packages do not hide this program's
        [sys.executable, "-P", "-c", KILLED_RUN, *arguments],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    if child.returncode != -signal.SIGKILL:
        return f"it ended before it could be killed: {child.stderr.strip()[-300:]}"
    _train(_plan(runs, [name], 1))
    return _compare_results(name, packed, runs)


def _plan(runs: Path, names: list[str], cohort_size: int) -> Plan:
    request = RunRequest(
        methods=names, study=STUDY, runs=runs, pack=cohort_size, device="cpu", workers=1
    )
    return make_plan(request, Reporter(quiet=True))


def _train(plan: Plan) -> dict[str, str]:
    """Carry out a plan; return the reasons of failures by key."""
    context = replace(plan.context, checkpoint_seconds=NEVER)
    return InProcessExecutor(context, plan.open_data).launch(plan.cohorts).failed


def _student(plan: Plan, name: str) -> RunSpec:
    return next(spec for spec in plan.specs if spec.method == name and spec.teachers)


def _copy_without_students(packed: Path, runs: Path) -> Path:
    """Copy images and the teacher of the packed runs, so that only the student is trained."""
    for part in (DATA_FOLDER, CACHE_FOLDER, f"{DATASET}/none"):
        if (packed / part).exists():
            shutil.copytree(packed / part, runs / part)
    return runs


def _compare_results(name: str, packed: Path, other: Path) -> str:
    """Compare weights and scores of the student in two runs folders."""
    spec = _student(_plan(packed, [name], COHORT_SIZE), name)
    records = [read_json(runs / spec.key / RECORD) for runs in (packed, other)]
    if None in records:
        return f"there is no record; see failure.json in {other / spec.key}"
    first, second = (record["result"]["model"] for record in records if record)
    if first != second:
        return "the weights differ: something random or stateful is not in the method's state"
    scores = [(runs / spec.key / PER_QUERY).read_bytes() for runs in (packed, other)]
    return "" if scores[0] == scores[1] else "the scores of equal weights differ"

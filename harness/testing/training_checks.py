"""Checks of a method in training: a small grid of generated images, packed, alone and killed.

The networks are real but small, the images tiny, the steps few; what is compared are bits.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

from harness.core.files import read_json
from harness.core.progress import Reporter
from harness.core.session import RunContext
from harness.execution.in_process import InProcessExecutor
from harness.planning.plan import Plan, make_plan
from harness.planning.request import RunRequest
from harness.runs.layout import MODEL, PER_QUERY, RECORD
from harness.runs.spec import RunSpec
from methods import EXTRA_METHODS

STUDY = "conformance"
COMPANY = tuple(EXTRA_METHODS)  # side by side with the method
STUDY_DATA = "synthetic"
NEVER = 1e9  # seconds between two checkpoints: longer than any training here

# The main command in a process that kills itself after the fifth checkpoint.
KILLED = """
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


def checks(name: str, folder: Path) -> dict[str, Callable[[], str]]:
    """The checks of a method by the name that `--methods` takes; runs go below `folder`."""
    packed = folder / "packed"
    return {
        "it trains, and is scored": partial(_trains, name, packed),
        "its parameters are reported and not in the kept student": partial(_kept, name, packed),
        "alone it ends with the same bits as in company": partial(_alone, name, packed),
        "killed and resumed it ends with the same bits": partial(_killed, name, packed),
    }


def _trains(name: str, runs: Path) -> str:
    plan, failed = _run(runs, [name, *COMPANY], pack=16)
    if reasons := [reason for key, reason in failed.items() if key == _spec(plan, name).key]:
        return reasons[0]
    return ""


def _kept(name: str, runs: Path) -> str:
    folder = runs / _spec(_grid(runs, [name], 16), name).key
    record = read_json(folder / RECORD) or {}
    kept = torch.load(folder / MODEL, weights_only=True)
    backbones = {key for key in kept if not key.startswith(("backbone.", "head."))}
    if backbones:
        return f"model.pt holds {sorted(backbones)[0]}"
    return "" if "adapters" in record.get("parameters", {}) else "the record does not report them"


def _alone(name: str, packed: Path) -> str:
    runs = _copy_without_students(packed, packed.with_name("alone"))
    _run(runs, [name], pack=1)
    return _compare(name, packed, runs)


def _killed(name: str, packed: Path) -> str:
    runs = _copy_without_students(packed, packed.with_name("killed"))
    arguments = ["--study", STUDY, "--methods", name, "--runs", str(runs), "--pack", "1"]
    arguments += ["--device", "cpu", "--checkpoint-every", "0", "--quiet"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    child = subprocess.run(
        [sys.executable, "-c", KILLED, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if child.returncode != -signal.SIGKILL:
        return f"it ended before it could be killed: {child.stderr.strip()[-300:]}"
    _run(runs, [name], pack=1)
    return _compare(name, packed, runs)


def _grid(runs: Path, names: list[str], pack: int) -> Plan:
    request = RunRequest(methods=names, study=STUDY, runs=runs, pack=pack, device="cpu", workers=1)
    return make_plan(request, Reporter(quiet=True))


def _run(runs: Path, names: list[str], *, pack: int) -> tuple[Plan, dict[str, str]]:
    plan = _grid(runs, names, pack)
    context = RunContext(
        runs=runs,
        reporter=plan.reporter,
        device=plan.device,
        pretrained_files=plan.pretrained_files,
        checkpoint_seconds=NEVER,
    )
    return plan, InProcessExecutor(context, plan.open_data).launch(plan.cohorts).failed


def _spec(plan: Plan, name: str) -> RunSpec:
    return next(spec for spec in plan.specs if spec.method == name and spec.teachers)


def _copy_without_students(packed: Path, runs: Path) -> Path:
    """The packed runs' images and teacher, so that only the student is trained again."""
    for part in ("data", "cache", f"{STUDY_DATA}/none"):
        if (packed / part).exists():
            shutil.copytree(packed / part, runs / part)
    return runs


def _compare(name: str, packed: Path, other: Path) -> str:
    spec = _spec(_grid(packed, [name], 16), name)
    records = [read_json(runs / spec.key / RECORD) for runs in (packed, other)]
    if None in records:
        return f"there is no record; see failure.json in {other / spec.key}"
    ours, theirs = (record["result"]["model"] for record in records if record)
    if ours != theirs:
        return "the weights differ: something random or stateful lies outside the method's state"
    scores = [(runs / spec.key / PER_QUERY).read_bytes() for runs in (packed, other)]
    return "" if scores[0] == scores[1] else "the scores of equal weights differ"

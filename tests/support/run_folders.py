"""Runs' folders in every state, written as the program writes them but without training."""

import json
import time

from harness.core.files import write_json
from harness.runs.layout import CHECKPOINT, GROUPS, JOB, PROGRESS
from harness.runs.record import create_run_folder, write_failure, write_record
from harness.runs.spec import Recipe, RunSpec
from harness.runs.states import FailureKind

RESULT = {"steps": 1, "model": "m", "evaluations": {}}
TEACHER = RunSpec("synthetic", "none", "resnet18", (), 0, Recipe(), weights="w")


def spec(seed, *, method="none", teachers=()):
    return RunSpec("synthetic", method, "cnn5", teachers, seed, Recipe(), fingerprint="f")


def waiting(runs, seed=0, **others):
    run = spec(seed, **others)
    create_run_folder(runs, run)
    return run.key


def done(runs, seed=0, **others):
    run = spec(seed, **others)
    create_run_folder(runs, run)
    write_record(runs, run, {"result": RESULT})
    return run.key


def failed(runs, seed=0, kind="error", message="m", trace="", **others):
    run = spec(seed, **others)
    create_run_folder(runs, run)
    write_failure(runs, run, FailureKind(kind), message, trace)
    return run.key


def interrupted(runs, seed=0, step=5, steps=10):
    key = waiting(runs, seed)
    (runs / key / CHECKPOINT).write_bytes(b"")
    write_json(runs / key / PROGRESS, {"step": step, "steps": steps})
    return key


def submitted(runs, jobs, *, group="20260101-000000-abcd", kind="slurm", ago=3600.0):
    """A group on disk; `jobs` are pairs of Slurm's id (or None) and the keys it has."""
    when = time.time() - ago
    entries = []
    for number, (job, keys) in enumerate(jobs, 1):
        entries.append(
            {
                "number": number,
                "runs": keys,
                "after": [],
                "job": job,
                "array": "a",
                "index": 0,
                "resources": {},
            }
        )
        for key in keys:
            write_json(
                runs / key / JOB,
                {
                    "group": group,
                    "number": number,
                    "job": job,
                    "cluster": "test",
                    "submitted": when,
                },
            )
    content = {
        "name": group,
        "cluster": "test",
        "kind": kind,
        "command": "c",
        "snapshot": "s",
        "created": when,
        "jobs": entries,
    }
    write_json(runs / GROUPS / group / "group.json", content)
    (runs / GROUPS / group / "logs").mkdir(exist_ok=True)
    return runs / GROUPS / group


def everything(folder):
    """Every path below a folder with its times and content."""
    return {
        str(path): (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else None)
        for path in [folder, *sorted(folder.rglob("*"))]
    }


def change(path, **fields):
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))

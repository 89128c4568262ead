"""Commands for login nodes start without torch, which takes seconds and hundreds of megabytes."""

import os
import subprocess
import sys

import pytest

from tests.support import records, tiny_grid

HEAVY = ("torch", "torchvision", "torchdistill")
CODE = f"""
import sys
from harness.cli.app import main
try:
    main()
finally:
    print("imported:", *(name for name in {HEAVY} if name in sys.modules), file=sys.stderr)
"""
OPTIONS = ("ft.steps=3", "csd.variant=original", "kd.temperature=3.0")
METHODS = ("all", "kd")
PLAN = [
    *("plan", "--study", str(tiny_grid.STUDY), "--methods", ",".join(METHODS), "--seeds", "0"),
    *(word for option in OPTIONS for word in ("--set", option)),
]
ON_CPU = ["--device", "cpu", "--threads", "1"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder in which every run of the plan is done."""
    runs = tmp_path_factory.mktemp("runs")
    plan = tiny_grid.grid(runs, *METHODS, overrides=OPTIONS, device="cpu", threads=1)
    for number, spec in enumerate(plan.specs):
        content = spec.as_json()
        records.write(runs, content, "spec.json")
        records.done(runs, content, 0.3 + number / 100)
    return runs


def call(runs, *words):
    """What a command in a process of its own printed, and which heavy packages it imported."""
    done = subprocess.run(
        [sys.executable, "-c", CODE, *words, *(["--runs", str(runs)] if runs else [])],
        capture_output=True,
        text=True,
        timeout=250,
        cwd=tiny_grid.ROOT,
        check=False,
        env=os.environ | {"COLUMNS": "100"},
    )
    printed, _, imported = done.stderr.rpartition("imported:")
    assert done.returncode == 0, (done.stdout, printed)
    return done.stdout, imported.split()


@pytest.mark.parametrize("words", [["list"], ["list", "--json"]], ids=" ".join)
def test_names_are_listed_without_torch(words):
    printed, imported = call(None, *words)
    assert "pdrd" in printed and "resnet18-hap" in printed
    assert imported == []


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["status"], "15 runs: 15 done"),
        (["status", "--json"], "synthetic/pdrd"),
        (["failures"], "No run"),
        (["clean"], "Nothing to remove"),
        (["trace", "comparison-synthetic:PDRD:mAP"], "this plans the same keys"),
        (["report"], "For a browser"),
        ([*PLAN, *ON_CPU], "15 runs: 15 done"),
        ([*PLAN, *ON_CPU, "--json"], '"state": "done"'),
    ],
    ids=lambda part: " ".join(part[:2]) if isinstance(part, list) else "",
)
def test_finished_runs_are_shown_without_torch(finished, words, expected):
    printed, imported = call(finished, *words)
    assert expected in printed
    assert imported == []


def test_the_page_has_the_commands_of_runs_with_options(finished):
    assert call(finished, "report", "--no-figures")[1] == []
    page = (finished / "report" / "index.html").read_text()
    assert "csd.variant=original" in page and "kd.temperature=3.0" in page


@pytest.mark.parametrize(
    "words",
    [[*PLAN, *ON_CPU, "--set", "pkt.weight=7"], [*PLAN, "--device", "cpu"]],
    ids=["options that no run has", "the usual number of threads"],
)
def test_a_plan_that_only_torch_can_answer_imports_it(finished, words):
    assert "torch" in call(finished, *words)[1]

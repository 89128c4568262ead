"""`kdreid plan`: what would run, in which cohorts, and how long it would take."""

import json

import pytest

from tests.support import tiny_grid
from tests.support.command_line import invoke


@pytest.fixture
def study(shared_runs):
    return ("--study", tiny_grid.STUDY, "--runs", shared_runs, "--methods", "kd")


def test_a_plan_as_json(study):
    rows = json.loads(invoke("plan", *study, "--json").stdout)
    assert [row["state"] for row in rows] == ["done"] * 3
    assert [row["cohort"] for row in rows] == [1, 2, 2]
    assert [row["cohort_seconds"] for row in rows] == [0, 0, 0]


def test_a_plan_starts_nothing(study, tmp_path):
    runs = study[study.index("--runs") + 1]
    before = sorted(runs.rglob("*"))
    done = invoke("plan", *study, "--seeds", "0,1")
    assert done.returncode == 0, done.stderr
    assert "5 runs: 3 done, 2 waiting. Nothing was started." in done.stdout
    assert "In all about " in done.stdout
    assert sorted(runs.rglob("*")) == before


def test_a_plan_without_weights_names_them(shared_runs, monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    words = ["--study", tiny_grid.STUDY, "--methods", "kd", "--set", "recipe.pretrained=imagenet"]
    done = invoke("plan", *words, "--runs", shared_runs)
    assert done.returncode == 0, done.stderr
    assert "Nothing was started." in done.stdout
    assert "No ImageNet weights for resnet18" in done.stderr
    done = invoke("run", *words, "--runs", shared_runs)
    assert done.returncode == 3 and "No ImageNet weights for resnet18" in done.stderr

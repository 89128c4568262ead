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


@pytest.fixture
def profile(tmp_path, monkeypatch):
    """A profile of a cluster that accepts everything."""
    monkeypatch.setattr("harness.execution.cluster.submit.max_array_size", lambda: 1001)
    monkeypatch.setattr("harness.cli.plan.check_submission", lambda array: f"accepts {array.size}")
    path = tmp_path / "cluster.yaml"
    path.write_text("kind: slurm\ngpus: 0\ncpus: 2\ntime: 60\nmemory: 4G\n")
    return path


def test_a_plan_for_a_cluster_prints_every_array_that_would_be_submitted(study, profile, tmp_path):
    words = ["--methods", "kd,sp", "--seeds", "0,1", "--cluster", profile, "--cohort-size", "2"]
    done = invoke("plan", *study[:2], *words, "--runs", tmp_path / "runs")
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.split("\nsubmission ")[1:]
    assert first.startswith("1: a job, 1 run\n") and second.startswith("2: an array of 4 jobs, 6")
    assert "#SBATCH --time=60" in first and "  JOB1: 1 run\n" in first
    assert "  JOB2: 2 runs, after JOB1\n" in second and "#SBATCH --array=0-3" in second
    assert first.rstrip().endswith("sbatch --test-only: accepts 1")
    assert second.rstrip().endswith("sbatch --test-only: accepts 4")
    assert not (tmp_path / "runs" / "groups").exists()


def test_a_plan_for_a_cluster_as_json_is_only_the_plan(study, profile, tmp_path):
    done = invoke("plan", *study[:2], "--cluster", profile, "--runs", tmp_path / "r", "--json")
    assert {row["state"] for row in json.loads(done.stdout)} == {"waiting"}

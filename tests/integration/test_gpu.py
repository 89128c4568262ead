"""Training and scoring on a GPU, beside the same runs on the CPU of the same machine."""

import csv
import json

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from harness.cli.app import app
from harness.core.errors import RunInterrupted
from methods import METHODS
from tests.support import tiny_grid
from tests.support.stopping import StopAfter

pytestmark = pytest.mark.gpu

NAMES = [name for name in METHODS if name != "none"]  # in the order of a plan


def columns(runs, key):
    """The columns of a run's curve.csv, as numbers."""
    with (runs / key / "curve.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: np.array([float(row[name] or "nan") for row in rows]) for name in rows[0]}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """All methods of the tiny grid on both devices, behind one teacher that the CPU trained."""
    runs = tmp_path_factory.mktemp("devices")
    plans = {}
    plans["cpu"], outcome = tiny_grid.run(runs, *NAMES, device="cpu")
    assert not outcome.failed
    teacher = plans["cpu"].cohorts[0][0].key
    plans["cuda"], outcome = tiny_grid.run(runs, *NAMES, device="cuda", teacher_run=[teacher])
    assert not outcome.failed
    return plans


def students(plan):
    return [spec for spec in plan.specs if spec.teachers]


def test_every_method_begins_with_the_losses_of_a_cpu(trained):
    """The first step: same weights, images and draws; only the order of additions differs."""
    pairs = list(zip(students(trained["cpu"]), students(trained["cuda"]), strict=True))
    assert [spec.method for spec, _ in pairs] == NAMES
    for here, there in pairs:
        assert here.key != there.key and here.method == there.method
        cpu, cuda = (columns(trained["cpu"].runs, spec.key) for spec in (here, there))
        losses = [name for name in cpu if "loss" in name]
        assert losses
        for name in losses:
            np.testing.assert_allclose(cuda[name][0], cpu[name][0], rtol=0.01, err_msg=here.method)


@pytest.fixture
def deterministic(monkeypatch):
    """Have torch choose the algorithms of a GPU that always give the same bits."""
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    yield
    torch.use_deterministic_algorithms(False)


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_a_stopped_training_ends_with_the_same_bits(deterministic, tmp_path, precision):
    """Of a GPU's usual algorithms, some add in another order each time."""
    methods = ("fitnet", "kdpe", "pdrd")
    asked = {"device": "cuda", "precision": precision}
    whole, outcome = tiny_grid.run(tmp_path / "whole", *methods, **asked)
    assert not outcome.failed
    parts = tiny_grid.grid(tmp_path / "parts", *methods, **asked)
    with pytest.raises(RunInterrupted):
        tiny_grid.launch(parts, stop=StopAfter(9))
    assert not tiny_grid.launch(parts).failed
    for spec in whole.specs:
        tiny_grid.assert_same_run(spec.key, whole.runs, parts.runs)


def test_a_teacher_at_its_own_size(tmp_path):
    sizes = ["teacher_recipe.height=64", "teacher_recipe.width=32"]
    plan, outcome = tiny_grid.run(tmp_path, "rkd", "pdrd", device="cuda", overrides=sizes)
    assert not outcome.failed and len(outcome.done) == len(plan.specs)


@pytest.mark.parametrize("device", ["cuda", "cpu"])
def test_stored_weights_score_as_after_training(trained, device):
    runs = trained["cuda"].runs
    for spec in trained["cuda"].specs[:3]:
        arguments = ["score", spec.key, "--runs", str(runs), "--device", device, "--json"]
        outcome = CliRunner().invoke(app, arguments)
        assert outcome.exit_code == 0, outcome.output
        for row in json.loads(outcome.stdout):
            assert row["scores"] and len(row["scores"]) == len(row["recorded"])
            for new, recorded in zip(row["scores"], row["recorded"], strict=True):
                assert new["mAP"] == pytest.approx(recorded["mAP"], abs=0.005)


def test_the_peak_of_the_gpus_memory_is_recorded(trained):
    record = json.loads(
        (trained["cuda"].runs / trained["cuda"].specs[0].key / "record.json").read_text()
    )
    memory = record["memory"]
    assert 0 < memory["gpu"] <= memory["gpu_reserved"]

"""Finished runs with the fingerprint of version 0.2.0 are named in a plan."""

import json

import pytest

from harness.planning.former_runs import describe_former_runs
from tests.support import tiny_grid


@pytest.fixture
def dataset(tmp_path):
    return tiny_grid.grid(tmp_path, "kd").datasets["synthetic"]


def add_run(runs, number, fingerprint, dataset="synthetic", *, is_done=True):
    folder = runs / dataset / "kd" / "resnet18-cnn5" / f"seed{number}-0"
    folder.mkdir(parents=True)
    (folder / "spec.json").write_text(json.dumps({"fingerprint": fingerprint}))
    if is_done:
        (folder / "record.json").write_text("{}")
    return folder


def test_finished_runs_on_the_same_images_are_counted(dataset, tmp_path):
    assert describe_former_runs(dataset, tmp_path) == ""
    former = dataset.sample_fingerprint
    add_run(tmp_path, 1, former, is_done=False)
    add_run(tmp_path, 2, dataset.fingerprint)
    add_run(tmp_path, 3, former, "market1501")
    (add_run(tmp_path, 4, former) / "spec.json").write_text("{")
    assert describe_former_runs(dataset, tmp_path) == ""
    add_run(tmp_path, 5, former)
    assert describe_former_runs(dataset, tmp_path).startswith("synthetic: 1 finished run was made")
    add_run(tmp_path, 6, former)
    assert f"2 finished runs were made with the fingerprint of version 0.2.0 ({former})" in (
        describe_former_runs(dataset, tmp_path)
    )


def test_a_plan_names_them(dataset, tmp_path):
    add_run(tmp_path, 5, dataset.sample_fingerprint)
    plan = tiny_grid.grid(tmp_path, "kd")
    assert any("1 finished run was made with the fingerprint of" in note for note in plan.notes)

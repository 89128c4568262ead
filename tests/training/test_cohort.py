"""Files of a finished run, and that nothing outside its spec changes them."""

import json
from dataclasses import asdict

import numpy as np
import pytest
import torch

from harness.core.errors import ExitCode
from harness.execution import in_process
from harness.models import NETWORKS, NetworkEntry, build_network
from harness.models.complexity import measure_complexity
from harness.models.reid import Backbone
from harness.runs.layout import CONSISTENCY, EMBEDDINGS
from harness.training import state
from harness.training.networks import load_network
from methods import METHODS
from tests.support import tiny_grid


@pytest.fixture(scope="module")
def finished(shared_runs):
    plan = tiny_grid.grid(shared_runs, "kd")
    return plan, shared_runs / plan.cohorts[-1][-1].key


def test_a_finished_folder_holds_this_and_nothing_else(finished):
    _, folder = finished
    on_request = {EMBEDDINGS, CONSISTENCY}  # which tests of the same runs folder may have written
    names = {path.name for path in folder.iterdir()} - on_request
    assert names == {"record.json", "spec.json", "per_query.npz", "curve.csv", "model.pt"}


def test_the_record_can_be_traced(finished):
    plan, folder = finished
    record = json.loads((folder / "record.json").read_text())
    spec = plan.cohorts[-1][-1]
    assert record["key"] == spec.key == folder.relative_to(plan.runs).as_posix()
    assert record["spec"]["fingerprint"] == plan.datasets["synthetic"].fingerprint
    teacher = json.loads((plan.runs / spec.teachers[0].key / "record.json").read_text())
    assert record["teachers"] == [teacher["result"]["model"]]
    assert record["paper"]["year"] == 2015
    assert {"torch", "commit", "device_name", "command"} <= record["environment"].keys()
    assert {"training", "scoring", "cohort"} <= record["timings"].keys()
    assert record["parameters"]["network"] > 7e5
    network = build_network(spec.network, spec.head, len(plan.datasets["synthetic"].identities))
    counts = measure_complexity(network, spec.recipe.height, spec.recipe.width)
    assert record["operations"] == asdict(counts)
    assert counts.macs_with_rest > counts.macs > 1e6
    assert record["data"]["queries"] == {"test": 6}
    assert record["result"]["steps"] == 8
    first, *_ = record["curve"]["thinned"]
    assert first["step"] == 1 and first["loss"] > 0


def test_the_summary_is_the_mean_of_the_queries(finished):
    _, folder = finished
    (draw,) = json.loads((folder / "record.json").read_text())["result"]["evaluations"]["test"]
    with np.load(folder / "per_query.npz") as arrays:
        precision = arrays["test.0.average_precision"]
        assert draw["mAP"] == pytest.approx(np.nanmean(precision), abs=1e-12)
        assert draw["cmc"]["1"] == pytest.approx((arrays["test.0.first_rank"] == 1).mean())
        assert len(arrays["test.0.query"]) == draw["queries"] == 6
        assert arrays["test.0.nearest"].shape == (6, 10)
        assert set(arrays["test.0.camera"]) <= {1, 2, 3, 4}


def test_the_kept_model_scores_as_recorded(finished):
    plan, folder = finished
    spec = plan.cohorts[-1][-1]
    network = load_network(spec, plan.open_data(spec), plan.context)
    weights = torch.load(folder / "model.pt", weights_only=True)
    assert torch.equal(network.state_dict()["head.neck.weight"], weights["head.neck.weight"])
    assert not network.training


def test_running_again_does_nothing(finished, monkeypatch):
    plan, _ = finished
    monkeypatch.setattr(in_process, "run_cohort", lambda *_: pytest.fail("trained again"))
    before = {p: p.stat().st_mtime_ns for s in plan.specs for p in (plan.runs / s.key).iterdir()}
    outcome = tiny_grid.launch(plan)
    assert sorted(outcome.done_before) == sorted(spec.key for spec in plan.specs)
    assert all(path.stat().st_mtime_ns == time for path, time in before.items())


def test_a_new_scoring_version_scores_again_without_training(with_teacher, monkeypatch):
    plan = tiny_grid.grid(with_teacher, "none")
    tiny_grid.launch(plan)
    (spec,) = plan.specs
    path = with_teacher / spec.key / "record.json"
    before = json.loads(path.read_text())
    path.write_text(
        json.dumps(
            before | {"scoring_version": 0, "result": before["result"] | {"evaluations": {}}}
        )
    )
    monkeypatch.setattr(in_process, "run_cohort", lambda *_: pytest.fail("trained again"))
    assert tiny_grid.launch(plan).done == [spec.key]
    assert json.loads(path.read_text()) == before


def test_a_collapsed_network_is_named_in_its_record(with_teacher):
    """The features of a finished run are made equal; scored again, its record has a note."""
    (spec,) = tiny_grid.grid(with_teacher, "kd").cohorts[0]
    folder = with_teacher / spec.key
    weights = torch.load(folder / "model.pt", weights_only=True)
    weights["head.neck.weight"].zero_()
    torch.save(weights, folder / "model.pt")
    record = json.loads((folder / "record.json").read_text())
    assert not any("Ties" in note for note in record["notes"])
    record["result"]["model"] = state.weights_sha256(weights)
    (folder / "record.json").write_text(json.dumps(record | {"scoring_version": 0}))
    tiny_grid.launch(tiny_grid.grid(with_teacher, "kd"))
    after = json.loads((folder / "record.json").read_text())
    assert after["result"]["evaluations"]["test"][0]["ties"]["flagged"]
    assert after["notes"][:-1] == record["notes"]
    assert after["notes"][-1].startswith(
        f"Ties decide the scores of {spec.key} (test): with the worst order"
    )


@pytest.mark.parametrize("workers", [0, 3])
def test_worker_count_changes_nothing(shared_runs, with_teacher, workers):
    plan, outcome = tiny_grid.run(with_teacher, "kd", workers=workers)
    assert not outcome.failed
    spec = plan.cohorts[-1][-1]
    tiny_grid.assert_same_run(spec.key, shared_runs, with_teacher)


def test_a_teacher_whose_weights_were_exchanged_is_refused(with_teacher):
    plan = tiny_grid.grid(with_teacher, "kd")
    teacher = plan.cohorts[0][0]
    other = build_network(teacher.network, teacher.head, 8, seed=5)
    torch.save(other.state_dict(), with_teacher / teacher.key / "model.pt")
    outcome = tiny_grid.launch(plan)
    (key,) = outcome.unusable
    assert "/kd/" in key
    assert "is not what its record describes" in outcome.unusable[key]
    assert outcome.exit_code == ExitCode.ENVIRONMENT


def test_prepared_state_is_made_once_and_left_out_of_checkpoints(with_teacher, monkeypatch):
    calls = []
    original = METHODS["kdpe"].prepare
    monkeypatch.setattr(METHODS["kdpe"], "prepare", lambda *a: (calls.append(1), original(*a))[1])
    contents = []
    save = state.TrainingRun.save

    def spy(self):
        save(self)
        state = torch.load(self.folder / "checkpoint.pt", weights_only=True)
        contents.append((self.spec.method, set(state["method"])))

    monkeypatch.setattr(state.TrainingRun, "save", spy)
    for seed in ("0", "0"):
        plan, outcome = tiny_grid.run(with_teacher, "kdpe", seeds=seed, interval=0)
        assert not outcome.failed
        for path in (with_teacher / plan.cohorts[-1][-1].key).glob("record.json"):
            path.unlink()
    assert calls == [1]
    assert {frozenset(names) for method, names in contents if method == "kdpe"} == {frozenset()}


class Tiny(Backbone):
    """Four small stages: many CPUs take minutes for a ResNet in half precision."""

    widths = (4, 4, 8, 8)

    def __init__(self):
        super().__init__()
        pairs = zip((3, 4, 4, 8), self.widths, strict=True)
        self.stages = torch.nn.ModuleList([torch.nn.Conv2d(i, o, 3, 2, 1) for i, o in pairs])

    def forward(self, images):
        maps, dtypes = [], set()
        for stage in self.stages:
            pre_relu = stage(images)
            dtypes.add(pre_relu.dtype)
            images = pre_relu.relu()
            maps.append(images)
        Tiny.dtypes = dtypes
        return tuple(maps), pre_relu


@pytest.mark.parametrize(
    ("precision", "dtype"), [("bf16", torch.bfloat16), ("fp16", torch.float16)]
)
def test_half_precision_trains_and_is_another_run(with_teacher, monkeypatch, precision, dtype):
    monkeypatch.setitem(NETWORKS, "tiny", NetworkEntry(Tiny, None))
    losses = []
    original = METHODS["pdrd"].forward

    def forward(self, student, teacher, labels):
        losses.append((Tiny.dtypes, student.pooled.dtype, torch.is_autocast_enabled("cpu")))
        return original(self, student, teacher, labels)

    monkeypatch.setattr(METHODS["pdrd"], "forward", forward)
    plan, outcome = tiny_grid.run(
        with_teacher, "pdrd", teacher="tiny", student="tiny", precision=precision
    )
    assert not outcome.failed
    assert set(map(str, losses)) == {str(({dtype}, torch.float32, False))}
    full = tiny_grid.grid(with_teacher, "pdrd", teacher="tiny", student="tiny")
    assert not {spec.key for spec in plan.specs} & {spec.key for spec in full.specs}


def test_the_fc256_head_trains(with_teacher):
    assert not tiny_grid.run(with_teacher, "none", head="fc256")[1].failed

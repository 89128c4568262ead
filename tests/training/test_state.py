"""Checkpoints of a run, and the digest of weights."""

import pytest
import torch

from harness.core.lease import LEASE, LeaseLostError
from harness.core.signals import StopRequest
from harness.models import build_network
from harness.runs.layout import CHECKPOINT
from harness.training.loop import LoopContext, train
from harness.training.state import device_of, save_model, weights_sha256
from tests.support import run_folders
from tests.support.training_runs import CPU, RECIPE, Stream, training_run


@pytest.fixture
def trained(tmp_path):
    """A distilled run after some steps, whose adapters and momentum are not at their start."""
    run, teacher = training_run(tmp_path, "fitnet"), build_network("cnn5", "bnneck", 2, seed=9)
    train(
        [run],
        teacher,
        LoopContext(stream=Stream(), recipe=RECIPE, device=CPU, stop=StopRequest(), workers=0),
    )
    return run


def everything(run):
    momentum = [state["momentum_buffer"] for state in run.optimiser.state.values()]
    return [*run.network.state_dict().values(), *run.method.state_dict().values(), *momentum]


def test_a_restored_run_has_the_bits_of_the_saved_one(tmp_path, trained):
    trained.save()
    again = training_run(tmp_path / "other", "fitnet", seed=0)
    again.folder = trained.folder
    again.restore()
    assert (again.step, again.curve, again.seconds) == (4, trained.curve, trained.seconds)
    saved, restored = everything(trained), everything(again)
    assert len(saved) == len(restored) and len(saved) > 20
    assert all(torch.equal(one, other) for one, other in zip(saved, restored, strict=True))


def test_without_a_checkpoint_a_run_stays_at_its_start(tmp_path):
    run = training_run(tmp_path)
    before = weights_sha256(run.network.state_dict())
    run.restore()
    assert run.step == 0 and weights_sha256(run.network.state_dict()) == before


def test_prepared_state_is_not_part_of_a_checkpoint(tmp_path, trained):
    names = frozenset(list(trained.method.state_dict())[:1])
    trained.prepared = names
    trained.save()
    content = torch.load(trained.folder / CHECKPOINT, weights_only=True)
    assert content["method"].keys() == trained.method.state_dict().keys() - names
    again = training_run(tmp_path / "other", "fitnet")
    again.folder = trained.folder
    with pytest.raises(ValueError, match="does not fit fitnet: it lacks"):
        again.restore()  # nothing was prepared here
    again.prepared = names
    again.restore()


def test_a_run_that_was_taken_over_is_not_saved(tmp_path):
    run = training_run(tmp_path)
    run_folders.change(run.folder / LEASE, token="another")
    with pytest.raises(LeaseLostError):
        run.save()
    assert not (run.folder / CHECKPOINT).exists()


def test_a_digest_covers_names_types_shapes_and_bytes():
    state = {"a": torch.arange(6, dtype=torch.float32), "b": torch.tensor([True, False])}
    digest = weights_sha256(state)
    assert digest == weights_sha256({name: value.clone() for name, value in state.items()})
    changed = [
        {"a": state["a"], "c": state["b"]},
        {"b": state["b"], "a": state["a"]},
        {"a": state["a"].double(), "b": state["b"]},
        {"a": state["a"].reshape(2, 3), "b": state["b"]},
        {"a": state["a"] + 1e-7, "b": state["b"]},
    ]
    assert len({digest, *map(weights_sha256, changed)}) == len(changed) + 1


def test_a_digest_does_not_depend_on_the_layout_in_memory():
    value = torch.arange(6, dtype=torch.float32).reshape(2, 3)
    assert weights_sha256({"a": value.T}) == weights_sha256({"a": value.T.contiguous()})


def test_digests_of_the_first_version_stay():
    """They are in records and decide whether a stored network is still the recorded one."""
    state = {"weight": torch.tensor([[1.0, 2.0]]), "count": torch.tensor(3)}
    assert (
        weights_sha256(state) == "70b5e7e5f3b84ad282ea0d5a5bc5056088cf40c065efbacda8cf95e0af88363b"
    )


def test_a_saved_model_is_the_network_alone(tmp_path, trained):
    digest = save_model(tmp_path / "model.pt", trained.network)
    state = torch.load(tmp_path / "model.pt", weights_only=True)
    assert weights_sha256(state) == digest == weights_sha256(trained.network.state_dict())
    assert not any("adapter" in name for name in state)


def test_the_device_is_that_of_the_first_parameter():
    assert device_of(torch.nn.Linear(1, 1)) == CPU

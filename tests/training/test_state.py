"""Checkpoints of a run, damaged ones among them, and the digest of weights."""

import os
import random

import pytest
import torch

from harness.core.lease import LEASE, LeaseLostError
from harness.core.signals import StopRequest
from harness.models import build_network
from harness.runs.layout import CHECKPOINT
from harness.runs.origin import present_origin
from harness.training.loop import LoopContext, train
from harness.training.recording import origin_notes
from harness.training.state import (
    device_of,
    read_state,
    save_model,
    saved_step,
    weights_sha256,
    write_state,
)
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


def other_run(tmp_path, trained, method="fitnet"):
    """A run at its start, with the folder and the key of a trained one."""
    run = training_run(tmp_path / "other", method)
    run.folder, run.spec, run.lease = trained.folder, trained.spec, trained.lease
    return run


def restored(run):
    """The lines that a run reports as it is restored."""
    lines = []
    run.restore(lines.append)
    return lines


def everything(run):
    momentum = [state["momentum_buffer"] for state in run.optimiser.state.values()]
    return [*run.network.state_dict().values(), *run.method.state_dict().values(), *momentum]


def test_a_restored_run_has_the_bits_of_the_saved_one(tmp_path, trained):
    trained.save()
    again = other_run(tmp_path, trained)
    assert not restored(again)
    assert (again.step, again.curve, again.seconds) == (4, trained.curve, trained.seconds)
    saved, loaded = everything(trained), everything(again)
    assert len(saved) == len(loaded) and len(saved) > 20
    assert all(torch.equal(one, other) for one, other in zip(saved, loaded, strict=True))


def test_a_checkpoint_of_other_code_is_said_to_be_so(tmp_path, trained):
    """It is continued, as after an update, but its number is of two codes."""
    trained.save()
    path = trained.folder / CHECKPOINT
    other = {**present_origin(), "training code": "x", "torch": "1.13.0"}
    write_state(path, read_state(path) | {"origins": [other, present_origin()]})
    again = other_run(tmp_path, trained)
    said = "begun by other code and versions (training code, torch differ)"
    assert restored(again) == [f"{again.spec.name} was {said}; it continues."]
    assert list(origin_notes(again)) == [f"{again.spec.key} was {said} and continued."]
    again.save()
    third = other_run(tmp_path, trained)
    assert restored(third) and third.begun_by == [other], "not forgotten by the next attempt"
    assert list(origin_notes(trained)) == []


def test_without_a_checkpoint_a_run_stays_at_its_start(tmp_path):
    run = training_run(tmp_path)
    before = weights_sha256(run.network.state_dict())
    assert not restored(run)
    assert run.step == 0 and weights_sha256(run.network.state_dict()) == before


def test_prepared_state_is_not_part_of_a_checkpoint(tmp_path, trained):
    names = frozenset(list(trained.method.state_dict())[:1])
    trained.prepared = names
    trained.save()
    content = torch.load(trained.folder / CHECKPOINT, weights_only=True)
    assert content["method"].keys() == trained.method.state_dict().keys() - names
    again = other_run(tmp_path, trained)
    again.prepared = names
    again.method.load_state_dict(trained.method.state_dict())  # as `prepare` would have done
    assert not restored(again)
    assert again.step == 4


@pytest.mark.parametrize("change", ["nothing prepared", "other values"])
def test_a_checkpoint_made_with_another_prepared_state_is_not_continued(tmp_path, trained, change):
    trained.prepared = frozenset(list(trained.method.state_dict())[:1])
    trained.save()
    again = other_run(tmp_path, trained)
    if change == "other values":
        again.prepared = trained.prepared
        (name,) = trained.prepared
        again.method.state_dict()[name] += 1
    (line,) = restored(again)
    assert "what the method prepared is not the same any more" in line
    assert again.step == 0


def test_prepared_state_that_training_changes_is_known_by_its_start(tmp_path, trained):
    trained.prepared = frozenset(list(trained.method.state_dict())[:1])
    (name,) = trained.prepared
    start = {key: value.clone() for key, value in trained.method.state_dict().items()}
    trained.restore(pytest.fail)
    trained.method.state_dict()[name] += 1
    trained.save()
    again = other_run(tmp_path, trained)
    again.prepared = trained.prepared
    again.method.load_state_dict(start)  # as `prepare` computed it
    assert not restored(again)


def damage_in_some_way(path, draw):
    """Damage a file as disks, full quotas and copies do; return how."""
    content = bytearray(path.read_bytes())
    kind = draw.choice(["bit", "bit", "bit", "cut", "zeros", "empty", "other"])
    place = draw.randrange(len(content))
    if kind == "bit":
        content[place] ^= 1 << draw.randrange(8)
    elif kind == "zeros":
        content[place : place + 512] = bytes(len(content[place : place + 512]))
    elif kind == "other":
        content[:] = draw.randbytes(place)
    else:
        del content[0 if kind == "empty" else place :]
    path.write_bytes(content)
    return f"{kind} at {place}"


def strip_digest(path):
    """Make an archive what 0.2.0 wrote: without a comment, and without a key in the state."""
    state = torch.load(path, weights_only=True)
    del state["key"], state["prepared"]
    torch.save(state, path)


@pytest.mark.parametrize("version", ["0.2.0", "now"])
def test_a_damaged_checkpoint_never_gives_another_state(tmp_path, trained, version):
    """It is set aside, whole as it is, or says nothing because its content is as it was."""
    trained.save()
    path, draw = trained.folder / CHECKPOINT, random.Random(7)
    if version == "0.2.0":
        strip_digest(path)
    whole, right, begun_again = path.read_bytes(), everything(trained), 0
    start = [value.clone() for value in everything(other_run(tmp_path, trained))]
    for _ in range(40):
        how = damage_in_some_way(path, draw)
        damaged = path.read_bytes()
        again = other_run(tmp_path, trained)
        lines = restored(again)
        if again.step == 0:
            begun_again += 1
            (line,) = lines
            assert line.startswith(f"{path} is damaged (")
            assert "set aside as checkpoint.pt.damaged, and the run begins again" in line
            assert not path.exists()
            assert (trained.folder / "checkpoint.pt.damaged").read_bytes() == damaged
            expected = start
        else:
            assert not lines
            expected = right
        for one, other in zip(everything(again), expected, strict=True):
            assert torch.equal(one, other), how
        (trained.folder / "checkpoint.pt.damaged").unlink(missing_ok=True)
        path.write_bytes(whole)
    assert begun_again > 20


@pytest.mark.parametrize("size", [0, 0.5])
def test_a_halved_or_empty_checkpoint_is_set_aside_once(tmp_path, trained, size):
    trained.save()
    path = trained.folder / CHECKPOINT
    os.truncate(path, int(size * path.stat().st_size))
    assert len(restored(other_run(tmp_path, trained))) == 1
    assert not restored(other_run(tmp_path, trained))  # nothing is left to restore


def test_a_checkpoint_of_another_run_is_not_continued(tmp_path, trained):
    """Copied between the folders of two seeds, it would fit."""
    trained.save()
    other = training_run(tmp_path, "fitnet", seed=1)
    (other.folder / CHECKPOINT).write_bytes((trained.folder / CHECKPOINT).read_bytes())
    (line,) = restored(other)
    assert f"it is of the run {trained.spec.key}" in line
    assert other.step == 0


@pytest.mark.parametrize("change", ["method", "network", "optimiser", "everything"])
def test_a_whole_checkpoint_of_another_form_is_not_continued(tmp_path, trained, change):
    trained.save()
    path = trained.folder / CHECKPOINT
    state = read_state(path)
    if change == "everything":
        state = {"a": 1}
    elif change == "optimiser":
        del state["optimiser"]
    else:
        state[change].popitem()
    write_state(path, state)
    assert len(restored(other_run(tmp_path, trained))) == 1


def misfits():
    """By part, what a whole checkpoint may hold there that this run cannot take."""
    bad = {"optimiser": [None, [], {}, {"state": {}, "param_groups": []}]}
    bad |= {"network": [None, []], "method": [5], "scaler": [None], "step": [None, "4", -1, 1.5]}
    bad |= {"seconds": ["x", None], "curve": [None, {}, [1], [{"loss": "x"}]], "origins": [5, [5]]}
    return [(part, value) for part, values in bad.items() for value in values]


def assert_begins_again(tmp_path, trained, part):
    again, untouched = other_run(tmp_path, trained), other_run(tmp_path, trained)
    (line,) = restored(again)
    assert f"{CHECKPOINT} is damaged (its {part} is not that of {trained.spec.key})" in line
    assert again.step == 0 and not again.optimiser.state
    for one, other in zip(everything(again), everything(untouched), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize(("part", "value"), misfits())
def test_a_part_of_another_form_begins_the_run_again(tmp_path, trained, part, value):
    trained.save()
    path = trained.folder / CHECKPOINT
    write_state(path, read_state(path) | {part: value})
    assert_begins_again(tmp_path, trained, part)


@pytest.mark.parametrize(
    "change", ["group", "lr", "momentum", "params", "buffer", "number", "index", "entry"]
)
def test_an_optimiser_of_another_form_begins_the_run_again(tmp_path, trained, change):
    trained.save()
    path = trained.folder / CHECKPOINT
    state = read_state(path)
    optimiser = state["optimiser"]
    (group,) = optimiser["param_groups"]
    match change:
        case "group":
            optimiser["param_groups"].append(group)
        case "lr" | "momentum":
            del group[change]
        case "params":
            group["params"].pop()
        case "buffer":
            optimiser["state"][0]["momentum_buffer"] = torch.zeros(3, 1, 4)
        case "number":
            optimiser["state"][0]["momentum_buffer"] = 5
        case "index":
            optimiser["state"][len(group["params"])] = {}
        case "entry":
            optimiser["state"][0] = 5
    write_state(path, state)
    assert_begins_again(tmp_path, trained, "optimiser")


def test_a_scaler_of_another_form_begins_the_run_again(tmp_path, trained):
    trained.scaler = torch.amp.GradScaler("cpu", enabled=True)
    trained.save()
    again = other_run(tmp_path, trained)
    again.scaler = torch.amp.GradScaler("cpu", enabled=True)
    assert not restored(again)
    path = trained.folder / CHECKPOINT
    write_state(path, read_state(path) | {"scaler": {"scale": 1.0}})
    (line,) = restored(again)
    assert "its scaler is not that of" in line


def test_a_damaged_checkpoint_is_left_to_whoever_took_the_run_over(tmp_path, trained):
    trained.save()
    path = trained.folder / CHECKPOINT
    path.write_bytes(b"damaged")
    run_folders.change(trained.folder / LEASE, token="another")
    with pytest.raises(LeaseLostError):
        restored(other_run(tmp_path, trained))
    assert path.read_bytes() == b"damaged"


def test_the_step_of_a_checkpoint_is_read_whatever_the_file(trained):
    path = trained.folder / CHECKPOINT
    assert saved_step(path) == 0
    trained.save()
    assert saved_step(path) == 4
    draw, whole = random.Random(8), path.read_bytes()
    for _ in range(20):
        damage_in_some_way(path, draw)
        assert isinstance(saved_step(path), int)
        path.write_bytes(whole)


def test_a_pipe_in_place_of_a_checkpoint_is_not_waited_for(trained):
    os.mkfifo(trained.folder / CHECKPOINT)
    assert saved_step(trained.folder / CHECKPOINT) == 0


def test_a_lease_lost_while_a_checkpoint_is_written_leaves_the_others_files(tmp_path, trained):
    """Writing gigabytes takes longer than a lease lives."""

    def take_over():
        run_folders.change(trained.folder / LEASE, token="another")
        return original()

    original = trained.network.state_dict
    trained.network.state_dict = take_over  # called between the first check and the last
    with pytest.raises(LeaseLostError):
        trained.save()
    assert [path.name for path in trained.folder.iterdir()] == [LEASE]


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

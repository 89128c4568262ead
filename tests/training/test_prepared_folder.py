"""Stored results of `prepare`: damaged, of other weights, of an older version, or in the making."""

import random
import threading

import pytest
import torch

from harness.core.lease import try_acquire
from harness.training.prepared_folder import PreparedFolder
from harness.training.state import write_state

STATE = {"mean": torch.arange(40.0), "basis": torch.randn(5, 7)}
SHAPES = {name: value.shape for name, value in STATE.items()}


@pytest.fixture
def lines():
    return []


@pytest.fixture
def folder(tmp_path, lines):
    return PreparedFolder(tmp_path / "prepared", ("digest",), lines.append)


@pytest.fixture
def computed():
    return []


def load(folder, computed):
    def compute():
        computed.append(1)
        return STATE

    return folder.load_or_compute("kdpe-1234.pt", "prepares kdpe", compute, SHAPES)


def is_state(state):
    return state.keys() == STATE.keys() and all(torch.equal(state[k], STATE[k]) for k in STATE)


def test_a_result_is_computed_once(folder, computed, lines):
    assert is_state(load(folder, computed)) and is_state(load(folder, computed))
    assert computed == [1] and not lines


@pytest.mark.parametrize("version", ["0.2.0", "now"])
def test_a_damaged_result_is_computed_again_and_never_another(folder, computed, lines, version):
    load(folder, computed)
    path, draw = folder.path / "kdpe-1234.pt", random.Random(3)
    if version == "0.2.0":
        torch.save(STATE, path)
        assert is_state(load(folder, computed)) and computed == [1]
    whole = path.read_bytes()
    for number in range(40):
        content = bytearray(whole)
        if number % 8:
            content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
        else:
            del content[draw.randrange(len(content)) :]
        path.write_bytes(content)
        computed.clear()
        lines.clear()
        assert is_state(load(folder, computed))
        assert len(computed) == len(lines) <= 1
        for line in lines:
            assert line.startswith(f"{path} is damaged (")
            assert "damaged and is computed again." in line
        path.write_bytes(whole)
    assert len(list(folder.path.glob("*.damaged"))) > 20


@pytest.mark.parametrize(
    "other", [{"step": 1}, {"mean": 1}, {"layer": torch.ones(3)}, {"mean": torch.ones(3)}]
)
def test_a_file_that_holds_something_else_is_computed_again(folder, computed, lines, other):
    write_state(folder.path / "kdpe-1234.pt", other)
    assert is_state(load(folder, computed)) and computed == [1]
    assert "it holds no state of its method" in lines[0]


def test_a_result_of_other_weights_is_computed_again(folder, computed, lines):
    """The teacher was trained again, on another machine."""
    load(folder, computed)
    other = PreparedFolder(folder.path, ("other",), lines.append)
    assert is_state(load(other, computed))
    assert computed == [1, 1]
    assert "computed from other weights of the teacher" in lines[0]


def test_leftovers_of_a_killed_process_are_removed(folder, computed):
    folder.path.mkdir()
    leftover = folder.path / ".kdpe-1234.pt.0123abcd.tmp"
    leftover.write_bytes(b"half")
    load(folder, computed)
    assert not leftover.exists()


def test_waiting_for_another_process_is_reported_and_can_be_stopped(
    folder, computed, lines, monkeypatch
):
    monkeypatch.setattr("harness.core.waiting.NOTICE_S", 0.1)
    lease = try_acquire(folder.path / "kdpe-1234.making")
    threading.Timer(1.2, lease.release).start()
    assert is_state(load(folder, computed))
    (line,) = lines
    assert line.startswith("waiting for process") and line.endswith("which prepares kdpe")

    def stop():
        raise KeyboardInterrupt

    (folder.path / "kdpe-1234.pt").unlink()
    with (
        try_acquire(folder.path / "kdpe-1234.making"),
        pytest.raises(KeyboardInterrupt),
    ):
        load(PreparedFolder(folder.path, before_poll=stop), computed)


def test_a_method_that_loads_its_own_state_may_have_it_in_any_shape(tmp_path):
    folder = PreparedFolder(path=tmp_path, teachers=("t",))
    shapes = SHAPES | {"mean": None}
    state = {"mean": torch.ones(3), "basis": STATE["basis"]}
    found = folder.load_or_compute("csd-1234.pt", "prepares csd", lambda: state, shapes)
    assert torch.equal(found["mean"], torch.ones(3))

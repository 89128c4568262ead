"""A training that is killed at any moment and resumed ends with the bits of one that was not."""

import random
import signal
import subprocess
import time

import pytest

from harness.core.errors import RunInterrupted
from harness.runs.folder_state import local_state
from tests.support import tiny_grid
from tests.support.stopping import StopAfter

METHODS = ("fitnet", "kdpe", "pdrd")  # an adapter with batch statistics, a prepared state, neither

# The main command in which the process kills itself with SIGKILL after so many checkpoints.
KILL_ITSELF = """
import os, signal, sys
from harness import run
from harness.training.state import TrainingRun
saves, limit, original = 0, int(os.environ["KILL_AFTER"]), TrainingRun.save
def save(self):
    global saves
    original(self)
    saves += 1
    if saves == limit:
        os.kill(os.getpid(), signal.SIGKILL)
TrainingRun.save = save
sys.argv[0] = "run"
run.main()
"""


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """Runs that nothing interrupted, and the seconds that they took from nothing."""
    runs = tmp_path_factory.mktemp("uninterrupted")
    begin = time.monotonic()
    plan, outcome = tiny_grid.run(runs, *METHODS, interval=0)
    assert not outcome.failed
    return plan, time.monotonic() - begin


@pytest.fixture
def uninterrupted(measured):
    return measured[0]


def assert_equal_runs(uninterrupted, runs):
    for spec in uninterrupted.specs:
        tiny_grid.assert_same_run(spec.key, uninterrupted.runs, runs)


def finish(process):
    _, errors = process.communicate(timeout=200)
    return process.returncode, errors


@pytest.mark.parametrize("kill_after", [1, 14])
def test_killed_between_two_members_checkpoints(
    uninterrupted, with_teacher, monkeypatch, kill_after
):
    """With four members and a save at every step, the kill leaves members at different steps."""
    arguments = ("--checkpoint-every", "0")
    monkeypatch.setenv("KILL_AFTER", str(kill_after))
    process = tiny_grid.start(with_teacher, *METHODS, arguments=arguments, code=KILL_ITSELF)
    assert finish(process)[0] == -signal.SIGKILL
    plan = tiny_grid.grid(with_teacher, *METHODS)
    states = [local_state(with_teacher / spec.key) for spec in plan.cohorts[-1]]
    assert "interrupted" in states
    assert "done" not in states
    half = with_teacher / plan.cohorts[-1][0].key / ".checkpoint.pt.abcd.tmp"
    half.write_bytes(b"as much as had been written")
    assert not tiny_grid.launch(plan).failed
    assert not half.exists()
    assert_equal_runs(uninterrupted, with_teacher)


def test_killed_at_random_moments(measured, tmp_path):
    """From nothing: killed while drawing, decoding, training the teacher, the students, scoring."""
    uninterrupted, seconds = measured
    draw, kills = random.Random(4), 0
    for attempt in range(25):
        process = tiny_grid.start(tmp_path, *METHODS, arguments=("--checkpoint-every", "0"))
        try:
            process.wait(timeout=seconds * (draw.uniform(0, 0.5) + attempt / 10))
        except subprocess.TimeoutExpired:
            process.kill()
            kills += 1
        code, errors = finish(process)
        assert code in (0, -signal.SIGKILL), errors
        if code == 0:
            break
    else:
        pytest.fail("never finished")
    assert kills >= 1
    assert_equal_runs(uninterrupted, tmp_path)
    assert not list(tmp_path.glob("synthetic/**/*.tmp"))


def test_a_signal_saves_the_current_step_and_exits_130(uninterrupted, with_teacher):
    process = tiny_grid.start(with_teacher, *METHODS, arguments=("--checkpoint-every", "1000"))
    plan = tiny_grid.grid(with_teacher, *METHODS)
    folders = [with_teacher / spec.key for spec in plan.cohorts[-1]]
    while not (folders[0] / "progress.json").exists():
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    code, errors = finish(process)
    assert code == 130
    assert "Stopped as requested" in errors
    assert {local_state(folder) for folder in folders} == {"interrupted"}
    assert not tiny_grid.launch(plan).failed
    assert_equal_runs(uninterrupted, with_teacher)


def stop_half_way(runs):
    """Train until the members are saved at a step between the first and the last."""
    plan = tiny_grid.grid(runs, *METHODS)
    with pytest.raises(RunInterrupted):
        tiny_grid.launch(plan, stop=StopAfter(9))
    return plan


def test_stopping_and_continuing_in_one_process(uninterrupted, with_teacher):
    assert not tiny_grid.launch(stop_half_way(with_teacher)).failed
    assert_equal_runs(uninterrupted, with_teacher)


def halve(content):
    return content[: len(content) // 2]


def empty(content):
    return b""


def flip_a_bit(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 4]) + content[middle + 1 :]


@pytest.mark.parametrize("damage", [halve, empty, flip_a_bit])
def test_damaged_state_is_set_aside_and_the_bits_stay(uninterrupted, with_teacher, damage):
    """A member's checkpoint, and what another one prepared; a third continues where it was."""
    plan = stop_half_way(with_teacher)
    fitnet = next(spec for spec in plan.specs if spec.method == "fitnet")
    (prepared,) = with_teacher.glob("synthetic/none/*/*/prepared/kdpe-*.pt")
    paths = [with_teacher / fitnet.key / "checkpoint.pt", prepared]
    for path in paths:
        path.write_bytes(damage(path.read_bytes()))
    outcome = tiny_grid.launch(plan)
    assert not outcome.failed and not outcome.unusable
    assert_equal_runs(uninterrupted, with_teacher)
    assert all(path.with_name(f"{path.name}.damaged").exists() for path in paths)


def test_a_member_alone_in_another_grouping_resumes_from_the_cohorts_checkpoint(
    uninterrupted, with_teacher, monkeypatch
):
    monkeypatch.setenv("KILL_AFTER", "9")
    process = tiny_grid.start(
        with_teacher, *METHODS, arguments=("--checkpoint-every", "0"), code=KILL_ITSELF
    )
    assert finish(process)[0] == -signal.SIGKILL
    plan, outcome = tiny_grid.run(with_teacher, *METHODS, pack=1)
    assert not outcome.failed
    assert_equal_runs(uninterrupted, with_teacher)

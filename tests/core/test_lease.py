"""Leases, with holders that are killed and races of real processes."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.core import lease
from harness.core.lease import (
    LEASE,
    LeaseLostError,
    acquire_blocking,
    current_holder,
    inspect_lease,
    is_local,
    try_acquire,
)
from tests.support import run_folders

HOLDER = """
import sys, time
from pathlib import Path
from harness.core.lease import try_acquire
assert try_acquire(Path(sys.argv[1])) is not None
print("held", flush=True)
time.sleep(60)
"""

RACER = """
import sys, time
from pathlib import Path
from harness.core.lease import try_acquire
folder, log = Path(sys.argv[1]), Path(sys.argv[2])
while not Path(sys.argv[3]).exists():
    time.sleep(0.001)
if try_acquire(folder) is not None:
    with log.open("a") as file:
        file.write("won\\n")
time.sleep(2)
"""


def python(code, *arguments):
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=Path(lease.__file__).parents[2]
    )


@pytest.fixture
def dead(tmp_path):
    """A folder whose holder was killed with SIGKILL."""
    process = python(HOLDER, tmp_path)
    assert process.stdout.readline() == "held\n"
    assert try_acquire(tmp_path) is None
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return tmp_path


def test_one_holder_at_a_time(tmp_path):
    first = try_acquire(tmp_path)
    assert try_acquire(tmp_path) is None
    assert current_holder(tmp_path)["process"] == os.getpid()
    first.release()
    with try_acquire(tmp_path):
        assert current_holder(tmp_path) is not None
    assert current_holder(tmp_path) is None


def test_a_killed_holder_is_taken_over_at_once(dead):
    with try_acquire(dead) as taken:
        taken.check()
        assert sorted(path.name for path in dead.iterdir()) == [LEASE]


def test_of_many_takers_one_wins(dead, tmp_path_factory):
    side = tmp_path_factory.mktemp("side")
    racers = [python(RACER, dead, side / "log", side / "go") for _ in range(6)]
    time.sleep(1)
    (side / "go").touch()
    for racer in racers:
        racer.communicate()
    assert (side / "log").read_text() == "won\n"


def test_a_taker_killed_half_way_does_not_block_the_next(dead):
    holder = json.loads((dead / LEASE).read_text())
    stuck = lease._takeover_path(dead / LEASE, holder)
    stuck.write_text((dead / LEASE).read_text())  # made by a process that is gone
    assert try_acquire(dead) is None  # clears the stuck takeover
    with try_acquire(dead):
        pass


def test_another_machines_lease_counts_until_it_expires(tmp_path, monkeypatch):
    with try_acquire(tmp_path):
        foreign = json.loads((tmp_path / LEASE).read_text()) | {"machine": "elsewhere"}
        (tmp_path / LEASE).write_text(json.dumps(foreign))
        assert try_acquire(tmp_path) is None
        old = time.time() - lease.TIMEOUT_S - 1
        os.utime(tmp_path / LEASE, (old, old))
        with try_acquire(tmp_path) as taken:
            taken.check()


def test_whoever_lost_a_lease_learns_it_before_writing(tmp_path):
    mine = try_acquire(tmp_path)
    claim = json.loads((tmp_path / LEASE).read_text()) | {"token": "somebody else"}
    (tmp_path / LEASE).write_text(json.dumps(claim))
    with pytest.raises(LeaseLostError, match="has taken over"):
        mine.check()
    mine.release()
    assert (tmp_path / LEASE).exists()  # it was not ours to remove


def test_waiting_ends_when_the_holder_lets_go(tmp_path):
    process = python(HOLDER, tmp_path)
    process.stdout.readline()
    process.kill()
    process.communicate()
    with acquire_blocking(tmp_path, poll=0.01) as held:
        held.check()


def test_a_disk_without_hard_links_will_do(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    with try_acquire(tmp_path) as held:
        held.check()
        assert try_acquire(tmp_path) is None


def test_a_holder_renews_its_lease(tmp_path, monkeypatch):
    monkeypatch.setattr(lease, "HEARTBEAT_S", 0.01)
    with try_acquire(tmp_path):
        os.utime(tmp_path / LEASE, (0, 0))
        deadline = time.monotonic() + 10
        while inspect_lease(tmp_path).age > lease.TIMEOUT_S and time.monotonic() < deadline:
            time.sleep(0.01)
        assert inspect_lease(tmp_path).age < lease.TIMEOUT_S


def test_a_lease_is_inspected_without_writing(tmp_path):
    assert inspect_lease(tmp_path) is None
    with try_acquire(tmp_path):
        before = run_folders.everything(tmp_path)
        info = inspect_lease(tmp_path)
        assert info.is_alive and is_local(info.holder)
        assert info.holder["process"] == os.getpid()
        assert time.time() - info.since < 10 > info.age
        assert run_folders.everything(tmp_path) == before
    assert inspect_lease(tmp_path) is None


def test_an_inspected_lease_of_a_killed_holder_is_dead(dead):
    assert not inspect_lease(dead).is_alive
    assert current_holder(dead) is None


@pytest.mark.parametrize(("age", "is_alive"), [(0, True), (lease.TIMEOUT_S + 1, False)])
def test_an_inspected_lease_of_another_machine_lives_while_it_is_renewed(tmp_path, age, is_alive):
    foreign = {"machine": "elsewhere", "process": os.getpid(), "token": "t"}
    (tmp_path / LEASE).write_text(json.dumps(foreign))
    now = time.time()
    os.utime(tmp_path / LEASE, (now - age, now - age))
    info = inspect_lease(tmp_path)
    assert (info.is_alive, info.since) == (is_alive, 0)
    assert not is_local(info.holder)


def test_a_lease_without_content_is_taken_over_once_it_is_old(tmp_path):
    """Its maker was killed between creating and writing it, on a disk without hard links."""
    (tmp_path / LEASE).touch()
    assert try_acquire(tmp_path) is None
    os.utime(tmp_path / LEASE, (0, 0))
    assert try_acquire(tmp_path) is None  # removes it
    with try_acquire(tmp_path):
        pass


def test_another_process_with_the_number_of_the_holder_is_not_the_holder(tmp_path):
    held = try_acquire(tmp_path)
    held._stop.set()
    run_folders.change(tmp_path / LEASE, started="1")
    with try_acquire(tmp_path) as taken:
        taken.check()

"""Leases, with holders that are killed and races of real processes."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from harness.core import claims, lease
from harness.core.claims import is_local
from harness.core.lease import (
    LEASE,
    LeaseLostError,
    acquire_blocking,
    current_holder,
    inspect_lease,
    try_acquire,
)
from tests.support import run_folders

ELSEWHERE = {"machine": "elsewhere", "host": "node7", "process": 41, "token": "t", "started": "5"}

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
    with try_acquire(tmp_path) as taken:
        taken.check()
    assert not list(tmp_path.iterdir())


def test_another_process_with_the_number_of_the_holder_is_not_the_holder(tmp_path):
    held = try_acquire(tmp_path)
    held._stop.set()
    run_folders.change(tmp_path / LEASE, started="1")
    with try_acquire(tmp_path) as taken:
        taken.check()


def foreign(folder, *, age=0.0, **fields):
    """A lease of another machine in a folder, renewed `age` seconds ago."""
    path = folder / LEASE
    path.write_text(json.dumps(ELSEWHERE | fields))
    when = time.time() - age
    os.utime(path, (when, when))
    return path


def test_the_loser_of_a_lease_does_not_renew_that_of_its_successor(tmp_path, monkeypatch):
    monkeypatch.setattr(lease, "HEARTBEAT_S", 0.01)
    mine = try_acquire(tmp_path)
    path = foreign(tmp_path, age=30)
    before = path.stat().st_mtime_ns
    time.sleep(0.2)
    assert path.stat().st_mtime_ns == before
    assert not mine.confirm() and not mine._thread.is_alive()
    mine.release()
    assert json.loads(path.read_text()) == ELSEWHERE


def test_a_lease_dated_a_day_ahead_is_waited_for_with_a_word_and_then_taken(tmp_path, monkeypatch):
    """The clock of its machine was wrong, and the machine is gone."""
    monkeypatch.setattr("harness.core.waiting.NOTICE_S", 0.1)
    monkeypatch.setattr(claims, "TIMEOUT_S", 0.6)
    foreign(tmp_path, age=-86400)
    lines = []
    with acquire_blocking(tmp_path, 0.05, work="trains", report=lines.append) as held:
        held.check()
    (line,) = lines
    assert line.startswith("waiting for process 41 on node7, which trains (")
    assert "dated in the future" in line


@pytest.mark.parametrize(
    ("age", "is_alive"), [(-86400, False), (-90, False), (-30, True), (30, True), (90, False)]
)
def test_a_foreign_lease_far_from_this_clock_is_none_of_a_living_process(tmp_path, age, is_alive):
    """Whoever writes nothing sees it once only; to take the folder it has to be watched."""
    foreign(tmp_path, age=age)
    assert inspect_lease(tmp_path).is_alive is is_alive


def test_a_lease_dated_ahead_is_alive_while_it_is_renewed(tmp_path, monkeypatch):
    monkeypatch.setattr(claims, "TIMEOUT_S", 0.3)
    for second in range(10):
        foreign(tmp_path, age=-86400 - second)
        assert try_acquire(tmp_path) is None
        time.sleep(0.05)


def test_a_long_wait_is_reported_once_on_standard_error(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("harness.core.waiting.NOTICE_S", 0.05)
    holder = python(HOLDER, tmp_path)
    holder.stdout.readline()
    timer = threading.Timer(0.5, holder.kill)
    timer.start()
    with acquire_blocking(tmp_path, 0.01):
        pass
    holder.communicate()
    errors = capsys.readouterr().err
    assert errors.count("waiting for process") == 1
    assert f"waiting for process {holder.pid} on" in errors


def test_waiting_can_be_stopped(tmp_path):
    foreign(tmp_path)

    def stop():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), acquire_blocking(tmp_path, 0.01, before_poll=stop):
        pass
    assert json.loads((tmp_path / LEASE).read_text()) == ELSEWHERE


def damaged_claims():
    """Contents of a lease that no program of ours wrote, and every kind of wrong field."""
    whole, draw = json.dumps(ELSEWHERE).encode(), random.Random(9)
    yield from (b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, whole[:30], b"\0" * 4096)
    for field in ELSEWHERE:
        for value in (None, [], {}, "\x1b]52;c;x\x07", "../../x", "x" * 5000, 1e308, -1, True):
            yield json.dumps(ELSEWHERE | {field: value}).encode()
    for field in ("process", "since"):
        yield json.dumps(ELSEWHERE | {field: float("nan")}).encode()
        yield json.dumps(ELSEWHERE | {field: 10**400}).encode()
    for _ in range(40):
        content = bytearray(whole)
        content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
        yield bytes(content)


@pytest.mark.parametrize("content", [*damaged_claims()])
def test_a_damaged_lease_is_treated_by_its_age(tmp_path, content):
    path = tmp_path / LEASE
    path.write_bytes(content)
    assert try_acquire(tmp_path) is None
    assert current_holder(tmp_path) is not None
    assert inspect_lease(tmp_path).is_alive
    assert lease.describe_holder(tmp_path, "trains").isprintable()
    old = time.time() - lease.TIMEOUT_S - 1
    os.utime(path, (old, old))
    assert current_holder(tmp_path) is None
    assert not inspect_lease(tmp_path).is_alive
    with try_acquire(tmp_path) as taken:
        taken.check()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("target", ["nothing", LEASE])
def test_a_lease_that_is_a_link_to_nothing_is_taken_over_once_it_is_old(tmp_path, target):
    path = tmp_path / LEASE
    path.symlink_to(target)
    assert try_acquire(tmp_path) is None
    os.utime(path, (0, 0), follow_symlinks=False)
    with try_acquire(tmp_path) as taken:
        taken.check()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b'{"token": 1}'])
def test_a_damaged_takeover_does_not_block_the_next_for_ever(dead, content):
    holder = json.loads((dead / LEASE).read_text())
    stuck = lease._takeover_path(dead / LEASE, holder)
    stuck.write_bytes(content)
    assert try_acquire(dead) is None
    os.utime(stuck, (0, 0))
    assert try_acquire(dead) is None  # clears the stuck takeover
    with try_acquire(dead) as taken:
        taken.check()


def test_a_holder_whose_lease_is_damaged_writes_it_again(tmp_path):
    with try_acquire(tmp_path) as held:
        whole = (tmp_path / LEASE).read_bytes()
        (tmp_path / LEASE).write_bytes(whole[:20])
        held.check()
        assert json.loads((tmp_path / LEASE).read_bytes()) == json.loads(whole)
        assert try_acquire(tmp_path) is None


def test_a_holder_that_is_late_leaves_its_damaged_lease(tmp_path):
    """Another process may be taking it over."""
    held = try_acquire(tmp_path)
    (tmp_path / LEASE).write_bytes(b"damaged")
    os.utime(tmp_path / LEASE, (0, 0))
    with pytest.raises(LeaseLostError):
        held.check()


def test_a_local_lease_without_a_start_is_no_immortal_holder(tmp_path):
    """Its process has ended, and an absent start would equal that of no process."""
    content = json.loads(json.dumps(claims.make_claim("t"))) | {"process": 2**30}
    del content["started"]
    (tmp_path / LEASE).write_text(json.dumps(content))
    os.utime(tmp_path / LEASE, (0, 0))
    with try_acquire(tmp_path):
        pass


def test_the_next_holder_removes_what_killed_takers_left(tmp_path):
    names = [".lease.0123abcd", ".lease.lease.0123abcd.tmp", ".clock.abc_def1", "lease.takeover.t"]
    with try_acquire(tmp_path):
        for name in names:
            (tmp_path / name).touch()
        lease.remove_stale_claims(tmp_path)
        assert all((tmp_path / name).exists() for name in names)  # others may be using them
        for name in names:
            os.utime(tmp_path / name, (0, 0))
        lease.remove_stale_claims(tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == [LEASE]

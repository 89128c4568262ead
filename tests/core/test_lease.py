import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.core import lease
from harness.core.lease import LeaseLostError, acquire_blocking, current_holder, try_acquire

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
        assert sorted(path.name for path in dead.iterdir()) == ["lease"]


def test_of_many_takers_one_wins(dead, tmp_path_factory):
    side = tmp_path_factory.mktemp("side")
    racers = [python(RACER, dead, side / "log", side / "go") for _ in range(6)]
    time.sleep(1)
    (side / "go").touch()
    for racer in racers:
        racer.communicate()
    assert (side / "log").read_text() == "won\n"


def test_a_taker_killed_half_way_does_not_block_the_next(dead):
    holder = json.loads((dead / "lease").read_text())
    stuck = lease._takeover(dead / "lease", holder)
    stuck.write_text((dead / "lease").read_text())  # made by a process that is gone
    assert try_acquire(dead) is None  # clears the stuck takeover
    with try_acquire(dead):
        pass


def test_another_machines_lease_counts_until_it_expires(tmp_path, monkeypatch):
    with try_acquire(tmp_path):
        foreign = json.loads((tmp_path / "lease").read_text()) | {"machine": "elsewhere"}
        (tmp_path / "lease").write_text(json.dumps(foreign))
        assert try_acquire(tmp_path) is None
        old = time.time() - lease.TIMEOUT_S - 1
        os.utime(tmp_path / "lease", (old, old))
        with try_acquire(tmp_path) as taken:
            taken.check()


def test_whoever_lost_a_lease_learns_it_before_writing(tmp_path):
    mine = try_acquire(tmp_path)
    claim = json.loads((tmp_path / "lease").read_text()) | {"token": "somebody else"}
    (tmp_path / "lease").write_text(json.dumps(claim))
    with pytest.raises(LeaseLostError, match="taken over"):
        mine.check()
    mine.release()
    assert (tmp_path / "lease").exists()  # it was not ours to remove


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

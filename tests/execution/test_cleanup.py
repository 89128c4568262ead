"""Leftovers of killed processes: found by what they are, and never anything that is in use."""

import json
import os
import threading
import time

import pytest

from harness.core import claims
from harness.core.lease import LEASE, inspect_lease, try_acquire
from harness.execution import cleanup
from harness.execution.cleanup import find_leftovers, remove_leftover
from harness.runs.layout import CHECKPOINT, FAILURE, MODEL, PROGRESS, RECORD, SPEC
from tests.support import run_folders

HEX = "0123abcd"
DEAD = {"token": "t", "machine": "elsewhere", "host": "n", "process": 4, "started": "1"}
FINGERPRINT = "0123456789abcdef"


def write(path, content=b"x" * 100, *, age=2 * cleanup.STALE_S):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    make_old(path, age)
    return path


def make_old(path, age=2 * cleanup.STALE_S):
    when = time.time() - age
    for part in [*path.rglob("*"), path]:
        os.utime(part, (when, when), follow_symlinks=False)


def use_images(runs, key, fingerprint=FINGERPRINT):
    run_folders.change(runs / key / SPEC, fingerprint=fingerprint)


@pytest.fixture
def runs(tmp_path):
    """A done and an interrupted run, and every kind of leftover."""
    runs = tmp_path / "runs"
    done, interrupted = run_folders.done(runs, 0), run_folders.interrupted(runs, 1)
    use_images(runs, done), use_images(runs, interrupted)
    for name in (CHECKPOINT, PROGRESS, FAILURE):
        write(runs / done / name)
    write(runs / done / LEASE, json.dumps(DEAD).encode())
    write(runs / done / MODEL)
    write(runs / interrupted / f".{CHECKPOINT}.{HEX}.tmp")
    write(runs / interrupted / f"{CHECKPOINT}.damaged")
    write(runs / interrupted / f".lease.{HEX}")
    write(runs / interrupted / ".clock.abc_def1")
    write(runs / interrupted / "lease.takeover.0123")
    write(runs / done / "prepared" / f".ft-12.pt.{HEX}.tmp")
    write(runs / done / "prepared" / "ft-12.pt")
    write(runs / done / "prepared" / "ft-12.pt.2.damaged")
    write(runs / "groups" / "g" / f".group.json.{HEX}.tmp")
    write(runs / "groups" / "g" / LEASE, json.dumps(DEAD).encode())
    write(runs / ".doctor-abc12345" / "probe.json")
    write(runs / "data" / f".synthetic-people-1.{HEX}.partial" / "query" / "1.jpg")
    write(runs / "data" / "synthetic-people-1" / "query" / f".1.jpg.{HEX}.tmp")
    write(runs / "cache" / f".synthetic-{FINGERPRINT}-64x32-1.{HEX}" / "train.npy")
    write(runs / "cache" / f"synthetic-{FINGERPRINT}-256x128-1" / "train.npy")  # the default size
    write(runs / "cache" / f"synthetic-{FINGERPRINT}-64x32-1" / "train.npy")
    write(runs / "code" / f".digest.{HEX}.partial" / "a.py")
    write(runs / "report" / f".tables.md.{HEX}.tmp")
    make_old(runs)
    return runs


LEFTOVERS = {
    "DONE/checkpoint.pt",
    "DONE/progress.json",
    "DONE/failure.json",
    "DONE/lease",
    f"INTERRUPTED/.{CHECKPOINT}.{HEX}.tmp",
    f"INTERRUPTED/{CHECKPOINT}.damaged",
    f"INTERRUPTED/.lease.{HEX}",
    "INTERRUPTED/.clock.abc_def1",
    "INTERRUPTED/lease.takeover.0123",
    f"DONE/prepared/.ft-12.pt.{HEX}.tmp",
    "DONE/prepared/ft-12.pt.2.damaged",
    f"groups/g/.group.json.{HEX}.tmp",
    "groups/g/lease",
    ".doctor-abc12345",
    f"data/.synthetic-people-1.{HEX}.partial",
    f"cache/.synthetic-{FINGERPRINT}-64x32-1.{HEX}",
    f"cache/synthetic-{FINGERPRINT}-64x32-1",
    f"code/.digest.{HEX}.partial",
    f"report/.tables.md.{HEX}.tmp",
}


def found(runs):
    leftovers, problems = find_leftovers(runs)
    assert not problems
    names = {}
    for leftover in leftovers:
        name = leftover.path.relative_to(runs).as_posix()
        for word, seed in (("DONE", 0), ("INTERRUPTED", 1)):
            name = name.replace(run_folders.spec(seed).key, word)
        names[name] = leftover
    assert len(names) == len(leftovers)
    return names


def test_every_leftover_is_found_with_its_size_and_nothing_is_written(runs):
    before = run_folders.everything(runs)
    leftovers = found(runs)
    assert leftovers.keys() == LEFTOVERS
    assert all(leftover.reason and leftover.size >= 50 for leftover in leftovers.values())
    assert run_folders.everything(runs) == before


def test_what_is_removed_is_the_leftovers_alone(runs):
    needed = {path for path in runs.rglob("*") if path.is_file()}
    leftovers = found(runs)
    for leftover in leftovers.values():
        assert remove_leftover(leftover) == ""
    assert not found(runs)
    left = {path for path in runs.rglob("*") if path.is_file()}
    gone = needed - left
    assert all(
        any(path == one.path or one.path in path.parents for one in leftovers.values())
        for path in gone
    )
    done, interrupted = (runs / run_folders.spec(seed).key for seed in (0, 1))
    assert {RECORD, SPEC, MODEL} <= {path.name for path in done.iterdir()}
    assert {CHECKPOINT, PROGRESS, SPEC} <= {path.name for path in interrupted.iterdir()}
    assert (done / "prepared" / "ft-12.pt").exists()


def test_what_changed_a_moment_ago_may_be_in_use(runs):
    for name, leftover in found(runs).items():
        if "lease" not in name and not name.startswith("DONE/"):
            make_old(leftover.path, age=60)
    names = found(runs).keys()
    assert names == {name for name in LEFTOVERS if name.startswith("DONE/") or "lease" in name}


def test_nothing_of_a_living_holder_is_a_leftover(runs):
    done, interrupted = (runs / run_folders.spec(seed).key for seed in (0, 1))
    (done / LEASE).unlink(), (runs / "groups" / "g" / LEASE).unlink()
    guards = [
        done,
        interrupted,
        runs / "groups" / "g",
        runs / "data" / "synthetic-people-1.drawing",
        runs / "cache" / f"synthetic-{FINGERPRINT}-64x32-1.building",
    ]
    leases = [try_acquire(guard) for guard in guards]
    names = found(runs).keys()
    assert not any(name.startswith(("INTERRUPTED", "data", "cache")) for name in names)
    assert names & {"DONE/checkpoint.pt", "DONE/lease", "groups/g/lease"} == set()
    for lease in leases:
        lease.release()


def test_a_leftover_that_is_in_use_by_now_is_left(runs):
    leftovers = found(runs)
    interrupted = runs / run_folders.spec(1).key
    with try_acquire(interrupted):
        for name, leftover in leftovers.items():
            if name.startswith("INTERRUPTED"):
                assert remove_leftover(leftover) == f"{leftover.path} is in use."
                assert leftover.path.exists()
        assert inspect_lease(interrupted).is_alive


@pytest.mark.parametrize("is_renewed", [False, True])
def test_a_lease_dated_ahead_is_watched_before_it_is_removed(runs, monkeypatch, is_renewed):
    """The clock of its machine is wrong; only the time shows whether the machine still works."""
    monkeypatch.setattr(claims, "TIMEOUT_S", 2.0)
    monkeypatch.setattr(cleanup, "POLL_S", 0.05)
    path = runs / run_folders.spec(0).key / LEASE
    make_old(path, -86400)
    leftovers, _ = find_leftovers(runs)
    (leftover,) = (one for one in leftovers if one.path == path)
    renewal = threading.Timer(0.3, make_old, (path, -86405))
    if is_renewed:
        renewal.start()
    assert remove_leftover(leftover) == (f"{path} is in use." if is_renewed else "")
    assert path.exists() is is_renewed


def test_caches_stay_if_a_run_cannot_say_what_it_uses(runs):
    (runs / run_folders.spec(1).key / SPEC).write_text("{")
    leftovers, problems = find_leftovers(runs)
    names = [leftover.path.name for leftover in leftovers]
    assert f"synthetic-{FINGERPRINT}-64x32-1" not in names
    (problem,) = problems
    assert problem.startswith("The caches were not examined")


def test_a_cache_that_a_teacher_uses_at_its_own_size_stays(runs):
    spec = json.loads((runs / run_folders.spec(0).key / SPEC).read_text())
    teacher = spec | {"recipe": spec["recipe"] | {"height": 64, "width": 32}}
    run_folders.change(runs / run_folders.spec(0).key / SPEC, teachers=[teacher])
    assert f"cache/synthetic-{FINGERPRINT}-64x32-1" not in found(runs)


def test_a_record_that_cannot_be_read_keeps_everything_of_its_run(runs):
    (runs / run_folders.spec(0).key / RECORD).write_text("{")
    leftovers, problems = find_leftovers(runs)
    assert not any(one.path.name in (CHECKPOINT, PROGRESS, FAILURE) for one in leftovers)
    assert len(problems) == 1 and "was not examined" in problems[0]


def test_links_are_not_followed(runs, tmp_path):
    outside = write(tmp_path / "outside" / f".a.{HEX}.tmp")
    (runs / "link").symlink_to(outside.parent)
    assert found(runs).keys() == LEFTOVERS

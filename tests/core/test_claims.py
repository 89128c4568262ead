"""Content and age of leases, without their takeover."""

import json
import os
import time

from harness.core import claims
from harness.core.claims import (
    create_claim,
    is_alive,
    is_damaged,
    is_dated_ahead,
    is_local,
    is_process_alive,
    make_claim,
    measure_age,
    read_claim,
)


def test_a_claim_is_created_once_and_read_as_written(tmp_path):
    path, claim = tmp_path / "lease", make_claim("0123abcd")
    assert read_claim(path) is None
    assert create_claim(path, claim)
    assert not create_claim(path, make_claim("another"))
    assert read_claim(path) == claim
    assert is_local(claim) and is_process_alive(claim) and is_alive(path, claim)
    assert [file.name for file in tmp_path.iterdir()] == ["lease"]


def test_a_damaged_claim_is_nobodys_and_changes_with_its_file(tmp_path):
    path = tmp_path / "lease"
    path.write_text("{")
    first = read_claim(path)
    assert is_damaged(first) and not is_local(first)
    assert read_claim(path) == first
    os.utime(path, (5, 5))
    assert read_claim(path)["token"] != first["token"]


def test_what_a_claim_cannot_be_is_damaged(tmp_path):
    path, claim = tmp_path / "lease", make_claim("t")
    for change in ({"token": "a/b"}, {"token": ""}, {"process": 1e300}, {"since": 10**400}):
        path.write_text(json.dumps(claim | change))
        assert is_damaged(read_claim(path)), change
    path.write_text(json.dumps(claim | {"damaged": False}))
    assert is_damaged(read_claim(path))


def test_an_age_is_that_of_the_last_renewal(tmp_path):
    path = tmp_path / "lease"
    path.touch()
    now = time.time()
    os.utime(path, (now - 30, now - 30))
    assert 29 < measure_age(path) < 60
    assert not is_dated_ahead(path)
    assert measure_age(tmp_path / "missing") == 0
    for target in ("nothing", path.name):  # of a link, its own: nobody can renew it
        path.unlink(missing_ok=True)
        path.symlink_to(target)
        os.utime(path, (now - 90, now - 90), follow_symlinks=False)
        assert 89 < measure_age(path) < 120


def test_a_file_dated_ahead_is_as_old_as_it_was_seen(tmp_path, monkeypatch):
    path, clock = tmp_path / "lease", [100.0]
    path.touch()
    monkeypatch.setattr(claims.time, "monotonic", lambda: clock[0])
    day_ahead = time.time() + 86400
    os.utime(path, (day_ahead, day_ahead))
    assert measure_age(path) == 0 and is_dated_ahead(path)
    clock[0] = 150.0
    assert measure_age(path) == 50
    os.utime(path, (day_ahead + 5, day_ahead + 5))  # renewed
    assert measure_age(path) == 0
    os.utime(path)
    assert measure_age(path) < 50 and not is_dated_ahead(path)

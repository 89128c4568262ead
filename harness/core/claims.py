"""Content of leases: who holds a folder, and whether that process still works."""

from __future__ import annotations

import json
import os
import re
import socket
import time
from pathlib import Path
from typing import Any

from harness.core.errors import FileError
from harness.core.files import read_json, temporary_file
from harness.core.processes import is_hidden, machine_name, start_time

HEARTBEAT_S, TIMEOUT_S = 5.0, 60.0  # seconds between renewals; until a lease is taken for dead
_TOKEN = re.compile(r"[\w .-]{1,80}")  # a part of a file's name
_MAX_PROCESS, _MAX_TIME = 2**31, 1e12  # seconds
_first_seen: dict[Path, tuple[int, float]] = {}  # leases dated in the future: date, local time

Claim = dict[str, Any]


def make_claim(token: str) -> Claim:
    """Return the content of a lease that this process holds."""
    return {
        "token": token,
        "machine": machine_name(),
        "host": socket.gethostname(),
        "process": os.getpid(),
        "started": start_time(os.getpid()),
        "since": time.time(),
    }


def create_claim(path: Path, claim: Claim) -> bool:
    """Create the file with its whole content in one step; False if it exists already."""
    with temporary_file(path.parent, ".lease.") as file:
        file.write(json.dumps(claim).encode())
        file.flush()
        try:
            os.link(file.name, path)
        except FileExistsError:
            return False
        except OSError:  # a disk without hard links: the content comes a moment after the file
            return _create_in_two_steps(path, claim)
    return True


def read_claim(path: Path) -> Claim | None:
    """Return the content of a lease; None if there is none.

    In place of one that is damaged or cannot be read, it is a claim by nobody, which changes
    whenever the file does.
    """
    try:
        claim = read_json(path)
        if claim is None or _is_claim(claim):
            return claim
    except FileError:
        pass
    try:
        status = path.lstat()
    except OSError:
        return None
    return {"token": f"damaged-{status.st_ino}-{status.st_mtime_ns}", "damaged": True}


def is_damaged(claim: Claim) -> bool:
    """Return whether a lease's file does not name its holder."""
    return "damaged" in claim


def is_local(claim: Claim) -> bool:
    """Return whether a lease's holder is a process of this machine that this process can see."""
    is_here = claim.get("machine") == machine_name() and claim.get("started") is not None
    return is_here and not is_hidden(int(claim.get("process", 0)))


def is_alive(path: Path, claim: Claim) -> bool:
    """Return whether the holder of a lease still works."""
    return is_process_alive(claim) if is_local(claim) else measure_age(path) < TIMEOUT_S


def is_process_alive(claim: Claim) -> bool:
    """Return whether a holder on this machine is still running.

    The start time distinguishes it from a later process that was given the same number.
    """
    return bool(start_time(int(claim.get("process", 0))) == claim["started"])


def measure_age(path: Path) -> float:
    """Return the seconds since a file was renewed, by the clock of its disk, which all share.

    The age of a file that is dated in the future, by a holder whose clock is wrong, is the time for
    which this process has observed it unchanged.
    """
    try:
        with temporary_file(path.parent, ".clock.") as probe:
            now = Path(probe.name).stat().st_mtime
        renewed = path.stat() if path.exists() else path.lstat()  # a link that leads nowhere
    except OSError:
        return 0.0
    if renewed.st_mtime - now <= HEARTBEAT_S:
        _first_seen.pop(path, None)
        return now - renewed.st_mtime
    if _first_seen.get(path, (0, 0.0))[0] != renewed.st_mtime_ns:
        _first_seen[path] = (renewed.st_mtime_ns, time.monotonic())
    return time.monotonic() - _first_seen[path][1]


def is_dated_ahead(path: Path) -> bool:
    """Return whether `measure_age` last found a file dated in the future."""
    return path in _first_seen


def _create_in_two_steps(path: Path, claim: Claim) -> bool:
    try:
        with path.open("x") as file:
            json.dump(claim, file)
    except FileExistsError:
        return False
    return True


def _is_claim(content: Claim) -> bool:
    """Return whether what was read from a lease can be the content of one."""
    process, since = content.get("process", 0), content.get("since", 0)
    texts = [content.get(name) for name in ("token", "machine", "host", "started")]
    return (
        all(text is None or isinstance(text, str) for text in texts)
        and _TOKEN.fullmatch(str(content.get("token", ""))) is not None
        and isinstance(process, int)
        and abs(process) < _MAX_PROCESS
        and isinstance(since, int | float)
        and abs(since) < _MAX_TIME  # false for what is no number
        and "damaged" not in content
    )

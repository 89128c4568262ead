"""Where and with what a run was made: facts for its record that never enter its key."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shlex
import socket
import subprocess
import sys
from datetime import UTC, datetime
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

PACKAGES = ("torch", "torchvision", "numpy", "pillow")
COMMIT_FILE = "commit.json"


def describe(device: torch.device, data: Path | None = None) -> dict[str, Any]:
    """Versions, commit, machine, device, the data's folder, if any, and the time as JSON values."""
    name, dirty, patch = commit()
    gpu = device.type == "cuda"
    return {
        "python": platform.python_version(),
        **{name: _version(name) for name in (*PACKAGES, "kd-reid-bench")},
        "commit": name,
        "dirty": dirty,
        "patch": patch,
        "command": shlex.join(sys.argv),
        "host": socket.gethostname(),
        "device_name": device_name(device),
        "threads": torch.get_num_threads(),
        "cuda": torch.version.cuda if gpu else None,
        "cudnn": torch.backends.cudnn.version() if gpu else None,  # type: ignore[no-untyped-call]
        "data": str(data.absolute()) if data else None,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def device_name(device: torch.device) -> str:
    """The processor's or accelerator's model."""
    if device.type == "cuda":
        return str(torch.cuda.get_device_name(device))
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{models[0] if models else platform.machine()} ({os.cpu_count()} cores)"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


@lru_cache
def commit() -> tuple[str | None, bool | None, str | None]:
    """The commit this code was checked out from, whether tracked files differ from it, and how.

    The last is a digest of `git diff HEAD`: two runs that have the same ran the same code. Asked
    when the program starts to work and kept, since files may be edited meanwhile. A copy made for
    jobs has it in a file: the repository around it may have moved on.
    """
    root = Path(__file__).parents[2]
    if (root / COMMIT_FILE).exists():
        name, dirty, patch = json.loads((root / COMMIT_FILE).read_text())
        return name, dirty, patch

    def git(*arguments: str) -> bytes:
        command = ["git", "-C", str(root), *arguments]
        return subprocess.run(command, capture_output=True, check=True).stdout.strip()

    try:
        name = git("rev-parse", "HEAD").decode()
        changes = git("diff", "HEAD", "--binary", "--no-ext-diff", "--no-textconv", "--no-color")
    except (OSError, subprocess.CalledProcessError):
        return None, None, None
    return name, bool(changes), hashlib.sha256(changes).hexdigest()[:16] if changes else None

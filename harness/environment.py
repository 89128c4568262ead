"""Where and with what a run was made: facts for its record that never enter its key."""

from __future__ import annotations

import json
import os
import platform
import socket
import subprocess
import sys
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

PACKAGES = ("torch", "torchvision", "numpy", "pillow")
COMMIT_FILE = "commit.json"


def describe(device: torch.device) -> dict[str, Any]:
    """Versions, commit, machine and device as JSON values."""
    name, dirty = commit()
    return {
        "python": platform.python_version(),
        **{name: _version(name) for name in (*PACKAGES, "kd-reid-bench")},
        "commit": name,
        "dirty": dirty,
        "command": " ".join(sys.argv),
        "host": socket.gethostname(),
        "device_name": device_name(device),
        "threads": torch.get_num_threads(),
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
def commit() -> tuple[str | None, bool | None]:
    """The commit this code was checked out from and whether files differ from it.

    A copy made for jobs has it in a file: the repository around it may have moved on.
    """
    root = Path(__file__).parents[1]
    if (root / COMMIT_FILE).exists():
        name, dirty = json.loads((root / COMMIT_FILE).read_text())
        return name, dirty

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(root), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        return git("rev-parse", "HEAD"), bool(git("status", "--porcelain", "--untracked-files=no"))
    except (OSError, subprocess.CalledProcessError):
        return None, None

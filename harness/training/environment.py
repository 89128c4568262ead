"""Versions, code and machine of a run, for its record; none of it is part of its key."""

from __future__ import annotations

import platform
import shlex
import socket
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from harness.core.devices import device_name
from harness.core.installation import DISTRIBUTION, installed_version
from harness.runs.code_version import git_state

PACKAGES = ("torch", "torchvision", "numpy", "pillow")


def capture_environment(device: torch.device, data: Path | None = None) -> dict[str, Any]:
    """Return versions, code, machine, device and time as JSON values.

    Args:
        device: Device that the run used.
        data: Folder of the images, if there are any.
    """
    code = git_state()
    gpu = device.type == "cuda"
    return {
        "python": platform.python_version(),
        **{name: _version(name) for name in PACKAGES},
        # A copy for jobs is not installed, but was made of what is.
        DISTRIBUTION: installed_version() if code.checkout is False else _version(DISTRIBUTION),
        "commit": code.commit,
        "dirty": code.dirty,
        "patch": code.patch,
        "checkout": code.checkout,
        "command": shlex.join(sys.argv),
        "host": socket.gethostname(),
        "device_name": device_name(device),
        "threads": torch.get_num_threads(),
        "cuda": torch.version.cuda if gpu else None,
        "cudnn": torch.backends.cudnn.version() if gpu else None,  # type: ignore[no-untyped-call]
        "data": str(data.absolute()) if data else None,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None

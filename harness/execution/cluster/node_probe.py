"""Inspect this machine for `kdreid doctor`: `python -m harness.execution.cluster.node_probe F`."""

from __future__ import annotations

import os
import platform
import socket
import sys
import time
from pathlib import Path
from typing import Any

from harness.core.files import write_json


def inspect_machine(paths: list[str]) -> dict[str, Any]:
    """Machine, Python, cores, GPUs as torch sees them, and which of the paths are there."""
    found = _torch()
    return {
        **found,
        "host": socket.gethostname(),
        "python": platform.python_version(),
        "executable": sys.executable,
        "cores": len(os.sched_getaffinity(0)),
        "visible": os.environ.get("CUDA_VISIBLE_DEVICES"),
        "paths": {path: Path(path).exists() for path in paths},
        "time": time.time(),  # after torch, whose import takes seconds
    }


def _torch() -> dict[str, Any]:
    try:
        import torch
    except ImportError as error:
        return {"torch": None, "error": f"{type(error).__name__}: {error}", "gpus": []}
    there = torch.cuda.is_available()
    names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return {"torch": torch.__version__, "error": None, "gpus": names if there else []}


if __name__ == "__main__":
    write_json(Path(sys.argv[1]), inspect_machine(sys.argv[2:]))

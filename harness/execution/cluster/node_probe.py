"""Inspect this machine for `kdreid doctor`: `python -m harness.execution.cluster.node_probe FILE`.

Paths that follow FILE are checked for existence.
"""

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
    """Return the machine's name, Python, cores, the GPUs that torch sees, and which paths exist."""
    return {
        **_inspect_torch(),
        "host": socket.gethostname(),
        "python": platform.python_version(),
        "executable": sys.executable,
        "cores": len(os.sched_getaffinity(0)),
        "visible": os.environ.get("CUDA_VISIBLE_DEVICES"),
        "paths": {path: Path(path).exists() for path in paths},
        "time": time.time(),  # read last: importing torch takes seconds
    }


def _inspect_torch() -> dict[str, Any]:
    try:
        import torch
    except ImportError as error:
        return {"torch": None, "error": f"{type(error).__name__}: {error}", "gpus": []}
    gpus = []
    if torch.cuda.is_available():
        gpus = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    return {"torch": torch.__version__, "error": None, "gpus": gpus}


if __name__ == "__main__":
    write_json(Path(sys.argv[1]), inspect_machine(sys.argv[2:]))

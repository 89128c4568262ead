"""Find the device that training runs on, set its threads, and wait for its work."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path

import torch

from harness.core.errors import SetupError, UsageError, did_you_mean

KINDS = ("cpu", "cuda")


def find_device(name: str) -> torch.device:
    """Return a device of this machine.

    Args:
        name: cpu, cuda, cuda:N, or `auto` for a GPU if there is one.

    Raises:
        UsageError: No device has this name.
        SetupError: This machine does not have the device.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" or re.fullmatch(r"cuda:(0|[1-9][0-9]*)", name):
        _require_gpu(name)
    try:
        device = torch.device(name)
    except RuntimeError:
        device = None
    if device is None or device.type not in KINDS:
        raise UsageError(f"No device is called {name!r}.{did_you_mean(name, ('auto', *KINDS))}")
    return device


def _require_gpu(name: str) -> None:
    """Check that this machine has a GPU, before torch reads its number as one of 8 bits.

    Args:
        name: cuda or cuda:N.

    Raises:
        SetupError: It does not have it.
    """
    if not torch.cuda.is_available():
        raise SetupError(
            f"--device {name} needs a GPU, but torch finds none here. Train on the CPU with "
            "--device cpu."
        )
    names = [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    if name not in ("cuda", *names):
        raise SetupError(
            f"There is no --device {name}: torch finds {len(names)} "
            f"GPU{'' if len(names) == 1 else 's'} here: {', '.join(names)}. Name one of them."
        )


def set_threads(count: int | None) -> int:
    """Set the number of torch's CPU threads and return it; None leaves it as it is.

    The number is part of a CPU run's key, as the order of additions depends on it.
    """
    if count is not None:
        torch.set_num_threads(count)
    return torch.get_num_threads()


def synchronize(device: torch.device) -> None:
    """Wait until a GPU has done its queued work, so that a clock read after it counts the work."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def device_name(device: torch.device) -> str:
    """Return the model of the processor or accelerator."""
    if device.type == "cuda":
        return str(torch.cuda.get_device_name(device))
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{models[0] if models else platform.machine()} ({os.cpu_count()} cores)"

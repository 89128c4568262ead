"""Find the device that training runs on."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import torch

from harness.core.errors import SetupError, UsageError, did_you_mean


def find_device(name: str) -> torch.device:
    """The device asked for; `auto` is a GPU where there is one.

    Raises:
        UsageError: torch knows no such device.
        SetupError: it is not there.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise UsageError(
            f"No device is called {name!r}.{did_you_mean(name, ('auto', 'cpu', 'cuda'))}"
        ) from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise SetupError("--device cuda was asked for, but torch sees no GPU here.")
    if device.type not in ("cpu", "cuda"):
        raise UsageError(
            f"No device is called {name!r}.{did_you_mean(name, ('auto', 'cpu', 'cuda'))}"
        )
    return device


def set_threads(asked: int | None) -> int:
    """Set torch's thread count if one is asked for; a CPU run's numbers depend on it."""
    if asked is not None:
        torch.set_num_threads(asked)
    return torch.get_num_threads()


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

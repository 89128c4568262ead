"""Choose the device and the CPU threads of runs, without torch where its answer is known.

Importing torch takes seconds, and the login nodes of clusters have no GPU.
"""

from __future__ import annotations

import ctypes
from pathlib import Path

NVIDIA_LIBRARY = "libcuda.so.1"  # of the driver, without which torch finds no NVIDIA GPU
AMD_DEVICE = Path("/dev/kfd")  # of the driver, without which torch finds no AMD GPU


def choose_device(name: str) -> str:
    """Return the name of a device of this machine: cpu, cuda or cuda:N.

    Args:
        name: One of these, or `auto` for a GPU if there is one.

    Raises:
        UsageError: No device has this name.
        SetupError: This machine does not have the device.
    """
    if name == "cpu" or (name == "auto" and not has_gpu_driver()):
        return "cpu"
    from harness.core.devices import find_device

    return str(find_device(name))


def has_gpu_driver() -> bool:
    """Return whether torch may find a GPU: without a driver it cannot."""
    if AMD_DEVICE.exists():
        return True
    try:
        ctypes.CDLL(NVIDIA_LIBRARY)
    except OSError:
        return False
    return True


def choose_threads(count: int | None, *, is_preview: bool) -> int:
    """Return the number of CPU threads of training, which is part of a CPU run's key.

    Args:
        count: As asked for; None: as many as torch takes by itself, which only torch knows.
        is_preview: Nothing is trained in this process; otherwise the number is set.
    """
    if is_preview and count is not None:
        return count
    from harness.core.devices import set_threads

    return set_threads(count)

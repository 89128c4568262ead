"""The most memory that a piece of work held, on the host and on the GPU."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

import torch

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def reset_peak_memory(device: torch.device) -> None:
    """Begin anew; where the kernel does not allow it, the whole life of the process counts."""
    with suppress(OSError):
        _RESET.write_text("5")
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def peak_memory(device: torch.device) -> dict[str, int | None]:
    """Bytes: `host` resident, `gpu` in tensors, `gpu_reserved` by torch; None where unknown."""
    gpu = device.type == "cuda"
    return {
        "host": _resident_peak(),
        "gpu": torch.cuda.max_memory_allocated(device) if gpu else None,
        "gpu_reserved": torch.cuda.max_memory_reserved(device) if gpu else None,
    }


def _resident_peak() -> int | None:
    """VmHWM, as Linux tells it."""
    try:
        found = re.search(r"^VmHWM:\s+(\d+) kB", _STATUS.read_text(), re.MULTILINE)
    except OSError:
        return None
    return int(found[1]) * 1024 if found else None

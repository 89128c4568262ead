"""Peak memory of a piece of work, and free memory, on the host and on the GPU (Linux)."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

import torch

_STATUS, _CLEAR_REFS = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_MEMINFO = Path("/proc/meminfo")
_RESET_PEAK_RSS = "5"  # proc(5): reset the peak resident set size


def reset_peak_memory(device: torch.device) -> None:
    """Start a new measurement.

    Where the kernel does not allow it, the peak of the host stays that of the whole process.
    """
    with suppress(OSError):
        _CLEAR_REFS.write_text(_RESET_PEAK_RSS)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def peak_memory(device: torch.device) -> dict[str, int | None]:
    """Return the peaks since `reset_peak_memory` in bytes; None where unknown.

    Returns:
        `host`: resident memory of this process; `gpu`: memory of tensors on `device`;
        `gpu_reserved`: the same with what torch keeps in reserve.
    """
    gpu = device.type == "cuda"
    return {
        "host": peak_host_memory(),
        "gpu": torch.cuda.max_memory_allocated(device) if gpu else None,
        "gpu_reserved": torch.cuda.max_memory_reserved(device) if gpu else None,
    }


def peak_host_memory() -> int | None:
    """Return the peak resident memory of this process in bytes; None if Linux does not report it.

    getrusage would report the parent's peak in a child process.
    """
    try:
        line = re.search(r"^VmHWM:\s+(\d+) kB", _STATUS.read_text(), re.MULTILINE)
    except OSError:
        return None
    return int(line[1]) * 1024 if line else None


def memory_available(device: torch.device) -> int | None:
    """Return the free memory of a device in bytes; None if the system does not report it."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    try:
        lines = _MEMINFO.read_text().splitlines()
    except OSError:
        return None
    kilobytes = [int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")]
    return 1024 * kilobytes[0] if kilobytes else None
